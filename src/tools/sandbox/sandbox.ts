/**
 * A sandbox: one bubblewrap with a runner inside, for all commands of a child. Files are limited by mounts (`mounts.ts`),
 * the network by a proxy (`network-proxy.ts`), system calls by a filter (`seccomp.ts`). When it closes, or Deputy dies,
 * the kernel ends every process in it.
 */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import type { Server } from "node:http";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import { dirname, extname, join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { startProcess } from "../../system/start-process.ts";
import { settlesWithin } from "../../values/settles-within.ts";
import { ToolError } from "../tool-error.ts";
import { ISOLATION, mountArguments } from "./bubblewrap.ts";
import { connectRunner, type SandboxCommands } from "./commands.ts";
import { gitSettings } from "./git-settings.ts";
import { CODE, NETWORK_SOCKET, NODE, PACKAGE } from "./inside.ts";
import type { Mount } from "./mounts.ts";
import { seccompFilter } from "./seccomp.ts";

export type SandboxOptions = {
  /** Path of bubblewrap. */
  program: string;
  mounts: readonly Mount[];
  /** The environment of commands, with which programs outside of the sandbox run, too. */
  environment: Record<string, string>;
  /** Its proxy, which listens nowhere yet. */
  proxy: Server;
};

export type Sandbox = SandboxCommands & {
  /** Resolves when it has ended, however. */
  ended: Promise<void>;
  close(): Promise<void>;
};

const START_MS = 20_000;

/** Descriptors besides the three of a program. */
const ARGUMENTS = 3;
const FILTER = 4;

/** @throws ToolError if it cannot be started */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const { program, proxy } = options;
  const folder = mkdtempSync(join(tmpdir(), "deputy-"));
  const socket = join(folder, "network");
  try {
    const [settings] = await Promise.all([gitSettings(options.environment), once(proxy.listen(socket), "listening")]);
    const filter = seccompFilter() ?? Buffer.alloc(0);
    const process = await startProcess(program, ["--args", String(ARGUMENTS), ...RUNNER], {
      cwd: "/",
      env: { PATH: options.environment.PATH ?? "" },
      detached: true,
      stdio: ["pipe", "pipe", "pipe", "pipe", "pipe", "pipe"],
    });
    const [input, output, errors, args, filterPipe, settingsPipe] = pipesOf(process);
    args.end(
      [...argumentsFor(options, socket), ...(filter.length === 0 ? [] : ["--seccomp", String(FILTER)])].join("\0"),
    );
    filterPipe.end(filter);
    settingsPipe.end(settings);
    const errorText = textOf(errors);
    const exited = once(process, "exit").then(() => undefined);
    const kill = () => void process.kill("SIGKILL");
    const { ready, ...commands } = connectRunner({ input, output, exited, kill });
    const isReady = await Promise.race([settlesWithin(ready, START_MS), exited.then(() => false)]);
    if (!isReady) {
      kill();
      await exited;
      throw new ToolError(`The sandbox could not be started: ${errorText() || "no reason is known"}. ${ASK_DOCTOR}`);
    }
    return { ...commands, ended: exited, close: () => closeAll(proxy, input, exited, kill) };
  } catch (error) {
    proxy.close();
    throw error;
  } finally {
    rmSync(folder, { recursive: true, force: true }); // The sandbox keeps the socket itself.
  }
}

/** All descriptors of the program. Either side may close one at any time. */
function pipesOf({ stdio }: ChildProcess): [Socket, Socket, Socket, Socket, Socket, Socket] {
  const pipes = [...stdio].filter((pipe) => pipe instanceof Socket);
  for (const pipe of pipes) pipe.on("error", () => {});
  const [input, output, errors, args, filter, settings] = pipes;
  if (!input || !output || !errors || !args || !filter || !settings) throw new Error("a started process has no pipes");
  return [input, output, errors, args, filter, settings];
}

const ASK_DOCTOR = "`deputy doctor` says what is missing.";

/** Time for the runner to end by itself. */
const CLOSE_MS = 200;

async function closeAll(proxy: Server, input: Writable, exited: Promise<void>, kill: () => void): Promise<void> {
  proxy.close();
  proxy.closeAllConnections();
  input.end();
  if (!(await settlesWithin(exited, CLOSE_MS))) kill();
  await exited;
}

/** The compiled or the written code, whichever runs. */
const EXTENSION = extname(import.meta.filename);
const CODE_OUTSIDE = dirname(dirname(import.meta.dirname));
const RUNNER = ["--", NODE, "--disable-warning=ExperimentalWarning", `${CODE}/tools/sandbox/runner${EXTENSION}`];

function argumentsFor({ mounts }: SandboxOptions, socket: string): string[] {
  const packageFile = join(dirname(CODE_OUTSIDE), "package.json");
  const closing = mounts.findIndex(({ kind }) => kind === "closed");
  return [
    ...ISOLATION,
    ...mountArguments(mounts.slice(0, closing)),
    ...["--ro-bind", process.execPath, NODE, "--ro-bind", CODE_OUTSIDE, CODE],
    ...(existsSync(packageFile) ? ["--ro-bind", packageFile, PACKAGE] : []),
    ...["--bind", socket, NETWORK_SOCKET],
    ...mountArguments([...mounts.slice(closing), { kind: "closed", path: "/run" }]),
    ...["--clearenv", "--setenv", "PATH", "/usr/bin:/bin", "--chdir", "/"],
  ];
}

function textOf(stream: Readable): () => string {
  let text = "";
  stream.setEncoding("utf8").on("data", (more: string) => {
    text = (text + more).slice(-MOST_ERROR);
  });
  return () => text.trim();
}

const MOST_ERROR = 2_000;
