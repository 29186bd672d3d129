/**
 * A sandbox: one bubblewrap with a runner inside, for all commands of a child. Files are limited by mounts (`mounts.ts`),
 * the network by a proxy (`network-proxy.ts`), system calls by a filter (`seccomp.ts`). When it closes, or Deputy dies,
 * the kernel ends every process in it.
 */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import { dirname, extname, join } from "node:path";
import type { Readable } from "node:stream";
import { startProcess } from "../../system/start-process.ts";
import { settlesWithin } from "../../values/settles-within.ts";
import { ToolError } from "../tool-error.ts";
import { ISOLATION, mountArguments } from "./bubblewrap.ts";
import { connectRunner, type SandboxCommands } from "./commands.ts";
import { gitSettings } from "./git-settings.ts";
import { CODE, NETWORK_SOCKET, NODE, PACKAGE } from "./inside.ts";
import { wronglyMounted } from "./mount-check.ts";
import type { Mount } from "./mounts.ts";
import type { NetworkProxy } from "./network-proxy.ts";
import { seccompFilter } from "./seccomp.ts";

export type SandboxOptions = {
  /** Path of bubblewrap. */
  program: string;
  mounts: readonly Mount[];
  /** The environment of commands, with which programs outside of the sandbox run, too. */
  environment: Record<string, string>;
  /** Its proxy, which listens nowhere yet. */
  proxy: NetworkProxy;
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
  const { program, proxy, environment } = options;
  const folder = mkdtempSync(join(tmpdir(), "deputy-"));
  const socket = join(folder, "network");
  try {
    const [settings] = await Promise.all([gitSettings(environment), proxy.listen(socket)]);
    const process = await startProcess(program, ["--args", String(ARGUMENTS), ...RUNNER], {
      cwd: "/",
      env: { PATH: environment.PATH ?? "" },
      detached: true,
      stdio: ["pipe", "pipe", "pipe", "pipe", "pipe", "pipe"],
    });
    return await connect(options, process, { socket, settings });
  } catch (error) {
    await proxy.close();
    throw error;
  } finally {
    rmSync(folder, { recursive: true, force: true }); // The sandbox keeps the socket itself.
  }
}

/** Gives bubblewrap what it reads, and waits for the runner. */
async function connect(
  { mounts, proxy }: SandboxOptions,
  process: ChildProcess,
  { socket, settings }: { socket: string; settings: string },
): Promise<Sandbox> {
  const pipes = pipesOf(process);
  const [input, output, errors, args, filterPipe, settingsPipe] = pipes;
  const filter = seccompFilter();
  const filterArguments = filter === undefined ? [] : ["--seccomp", String(FILTER)];
  args.end([...argumentsFor(mounts, socket), ...filterArguments].join("\0"));
  filterPipe.end(filter ?? "");
  settingsPipe.end(settings);
  const errorText = textOf(errors);
  const ended = endOf(process, pipes, proxy);
  const kill = () => void process.kill("SIGKILL");
  const { ready, ...commands } = connectRunner({ input, output, exited: ended, kill });
  const isReady = await Promise.race([settlesWithin(ready, START_MS), ended.then(() => false)]);
  const wrong = isReady ? wronglyMounted(mounts, readFileSync(MOUNT_TABLE, "utf8"), await ready) : undefined;
  if (!isReady || wrong !== undefined) {
    kill();
    await ended;
    const reason = wrong === undefined ? errorText() || "no reason is known" : `${wrong} changed meanwhile`;
    throw new ToolError(`The sandbox could not be started: ${reason}. \`deputy doctor\` says what is missing.`);
  }
  return {
    ...commands,
    ended,
    async close() {
      input.end();
      if (!(await settlesWithin(ended, CLOSE_MS))) kill();
      await ended;
    },
  };
}

const MOUNT_TABLE = "/proc/self/mountinfo";

type Pipes = [Socket, Socket, Socket, Socket, Socket, Socket];

/** All descriptors of the program. Either side may close one at any time. */
function pipesOf({ stdio }: ChildProcess): Pipes {
  const pipes = [...stdio].filter((pipe) => pipe instanceof Socket);
  for (const pipe of pipes) pipe.on("error", () => {});
  const [input, output, errors, args, filter, settings] = pipes;
  if (!input || !output || !errors || !args || !filter || !settings) throw new Error("a started process has no pipes");
  return [input, output, errors, args, filter, settings];
}

/** Time for the runner to end by itself, and for its last output. */
const CLOSE_MS = 200;

/** Resolves when it has ended, however, and nothing of it is open. */
async function endOf(process: ChildProcess, pipes: Pipes, proxy: NetworkProxy): Promise<void> {
  const closed = once(process, "close");
  await once(process, "exit");
  await settlesWithin(closed, CLOSE_MS);
  for (const pipe of pipes) pipe.destroy();
  await proxy.close();
}

/** The compiled or the written code, whichever runs. */
const EXTENSION = extname(import.meta.filename);
const CODE_OUTSIDE = dirname(dirname(import.meta.dirname));
const RUNNER = ["--", NODE, "--disable-warning=ExperimentalWarning", `${CODE}/tools/sandbox/runner${EXTENSION}`];

function argumentsFor(mounts: readonly Mount[], socket: string): string[] {
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
