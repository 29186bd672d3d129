/** Whether this machine can sandbox commands, found out by doing it, and what to do if it cannot. */
import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { ISOLATION, mountArguments } from "./bubblewrap.ts";
import type { Mount } from "./mounts.ts";

/** `problem`: why there is no sandbox, as a clause; `remedy`: what to do, in a sentence. */
export type SandboxSupport = { program: string } | { problem: string; remedy: string };

const INSTALL = "Install bubblewrap: apt-get install -y bubblewrap (Debian, Ubuntu), dnf install bubblewrap (Fedora).";

const TRIAL_MS = 10_000;

/** Tries a small sandbox, which takes some ten milliseconds. @param path directories of programs, as in `PATH` */
export function trySandbox(path: string): SandboxSupport {
  if (process.platform !== "linux")
    return { problem: `commands are sandboxed on Linux only, and this is ${process.platform}`, remedy: OTHER_SYSTEM };
  const program = findBubblewrap(path);
  if (program === undefined) return { problem: "bubblewrap is not installed", remedy: INSTALL };
  const args = [...ISOLATION, ...mountArguments(TRIAL_MOUNTS), "--", "/bin/sh", "-c", "exit 0"];
  const { status, stderr, error } = spawnSync(program, args, { encoding: "utf8", timeout: TRIAL_MS, env: {} });
  if (status === 0) return { program };
  const said = stderr?.trim().split("\n").at(-1) || error?.message || `exit code ${status}`;
  return { problem: `bubblewrap does not work here (${said})`, remedy: remedyFor(said) };
}

/** Path of the program; undefined where there is none. @param path directories of programs, as in `PATH` */
export function findBubblewrap(path: string): string | undefined {
  if (process.platform !== "linux") return undefined;
  return path
    .split(delimiter)
    .map((directory) => join(directory, "bwrap"))
    .find(isExecutable);
}

const TRIAL_MOUNTS: readonly Mount[] = [
  { kind: "read", path: "/" },
  { kind: "proc", path: "/proc" },
  { kind: "dev", path: "/dev" },
];

const OTHER_SYSTEM = "Set terminal.sandbox: off to silence this, or run Deputy in a container or a virtual machine.";

const APPARMOR = "/proc/sys/kernel/apparmor_restrict_unprivileged_userns";
const APPARMOR_PROFILE =
  "AppArmor keeps bubblewrap from creating namespaces. Load its profile: apt-get install -y apparmor-profiles && cp " +
  "/usr/share/apparmor/extra-profiles/bwrap-userns-restrict /etc/apparmor.d/ && apparmor_parser -r " +
  "/etc/apparmor.d/bwrap-userns-restrict. Or lift the limit for all programs: sysctl -w " +
  "kernel.apparmor_restrict_unprivileged_userns=0.";
const NO_NAMESPACES =
  "The kernel lets users create no namespaces. As root: sysctl -w user.max_user_namespaces=15000 (and, on older Debian, " +
  "kernel.unprivileged_userns_clone=1).";
const OLD_BUBBLEWRAP = "Expected bubblewrap 0.8.0 or later. Install a newer one.";
const IN_CONTAINER =
  "A container's own limits are in the way. Start it with --security-opt seccomp=unconfined --security-opt " +
  "systempaths=unconfined, or rely on the container and set terminal.sandbox: off.";

/** The most likely cause, from what the system says of itself. */
function remedyFor(said: string): string {
  if (/unknown option/i.test(said)) return OLD_BUBBLEWRAP;
  if (setting(APPARMOR) === "1") return APPARMOR_PROFILE;
  if (setting("/proc/sys/user/max_user_namespaces") === "0") return NO_NAMESPACES;
  if (setting("/proc/sys/kernel/unprivileged_userns_clone") === "0") return NO_NAMESPACES;
  if (existsSync("/.dockerenv") || existsSync("/run/.containerenv")) return IN_CONTAINER;
  return `${INSTALL} If it is installed: ${IN_CONTAINER}`;
}

function setting(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return undefined;
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
