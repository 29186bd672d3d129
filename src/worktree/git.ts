/**
 * The only place that runs git. It runs no program but git: no hook, filter, monitor, helper, editor or transport,
 * whoever names one. A repository is the user's own, whose config git reads, or one that a child has worked in: that is
 * only ever read through a git directory of Deputy's making (`git-view.ts`), so that nothing in it is config.
 */
import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import { errorCode } from "../errors.ts";
import { signalGroup } from "../system/session.ts";
import { startProcess } from "../system/start-process.ts";
import type { Environment } from "../template.ts";
import { present } from "../values/present.ts";

/** What a git command works on. */
export type GitPlace = {
  cwd: string;
  /** A git directory of Deputy's making. Absent: the user's own repository around `cwd`. */
  gitDir?: string;
  workTree?: string;
  index?: string;
  /** Where objects are written and, before `alternates`, read. */
  objects?: string;
  alternates?: readonly string[];
};

export type GitCommand = GitPlace & {
  input?: string | Buffer;
  /** Name and address of new commits. */
  identity?: GitIdentity;
  /** Longest run, in milliseconds. */
  timeoutMs?: number;
};

export type GitIdentity = { name: string; email: string };
export type GitEnd = { exitCode: number; stdout: Buffer; stderr: string };

/** @param signal ends the command, which then fails */
export type RunGit = (args: readonly string[], command: GitCommand, signal?: AbortSignal) => Promise<GitEnd>;

export type Git = {
  /** Runs git to its end. @throws GitError if it cannot be started or runs too long */
  run: RunGit;
  /** Returns what it prints. @throws GitError also if it fails */
  output(args: readonly string[], command: GitCommand, signal?: AbortSignal): Promise<string>;
  /** Runs two commands, the second of which reads what the first prints. @throws GitError if one fails */
  pipe(from: GitStep, to: GitStep, signal?: AbortSignal): Promise<string>;
};

export type GitStep = { args: readonly string[]; command: GitCommand };

/** Git is missing, or a command of it failed. The message is for users. */
export class GitError extends Error {
  override name = "GitError";
  readonly isMissing: boolean;
  constructor(message: string, options: { isMissing?: boolean } = {}) {
    super(message);
    this.isMissing = options.isMissing === true;
  }
}

const TIMEOUT_MS = 10 * 60_000;
/** Longest output of a command, in bytes. */
const MAX_OUTPUT = 512 * 1024 ** 2;
const MAX_STDERR = 64 * 1024;
/** Lines of standard error in a message. */
const SHOWN_LINES = 3;

/** Variables of the user's that git needs. */
const KEPT = ["PATH", "HOME", "XDG_CONFIG_HOME", "TMPDIR", "USER", "LOGNAME", "SYSTEMROOT"];

const FIXED = {
  LC_ALL: "C",
  GIT_TERMINAL_PROMPT: "0",
  GIT_OPTIONAL_LOCKS: "0",
  GIT_ATTR_NOSYSTEM: "1",
  GIT_NO_REPLACE_OBJECTS: "1",
  // Nothing is ever fetched, also not the missing objects of a partial clone.
  GIT_ALLOW_PROTOCOL: "none",
  GIT_NO_LAZY_FETCH: "1",
  GIT_PAGER: "cat",
  GIT_EDITOR: "false",
  GIT_ASKPASS: "false",
};

/** Settings that take precedence over every config. */
const SETTINGS = {
  "core.hooksPath": "/dev/null",
  "core.fsmonitor": "false",
  "core.quotePath": "false",
  "core.askPass": "false",
  "core.sshCommand": "false",
  "credential.helper": "",
  "commit.gpgSign": "false",
  "submodule.recurse": "false",
  "gc.auto": "0",
  "maintenance.auto": "false",
};

/** For a git directory of Deputy's making: whoever wrote its objects may have written these, too. */
const OWN_SETTINGS = { ...SETTINGS, "core.commitGraph": "false", "core.multiPackIndex": "false" };

/** @param env the environment that git is found in */
export function createGit(env: Environment): Git {
  const kept = Object.fromEntries(KEPT.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));
  const environmentOf = (command: GitCommand) => ({ ...kept, ...FIXED, ...variablesOf(command) });

  async function run(args: readonly string[], command: GitCommand, signal?: AbortSignal): Promise<GitEnd> {
    const { stdin, stdout, ended } = await start(args, command, environmentOf(command), signal);
    stdin.end(command.input);
    const [printed, end] = await Promise.all([bytesOf(stdout), ended]);
    return { ...end, stdout: printed };
  }

  async function output(args: readonly string[], command: GitCommand, signal?: AbortSignal): Promise<string> {
    const end = await run(args, command, signal);
    if (end.exitCode !== 0) throw failedGit(args, end.stderr);
    return end.stdout.toString("utf8");
  }

  async function pipe(from: GitStep, to: GitStep, signal?: AbortSignal): Promise<string> {
    const source = await start(from.args, from.command, environmentOf(from.command), signal);
    const target = await start(to.args, to.command, environmentOf(to.command), signal);
    source.stdin.end(from.command.input);
    source.stdout.pipe(target.stdin);
    const [printed, sent, received] = await Promise.all([bytesOf(target.stdout), source.ended, target.ended]);
    if (sent.exitCode !== 0) throw failedGit(from.args, sent.stderr);
    if (received.exitCode !== 0) throw failedGit(to.args, received.stderr);
    return printed.toString("utf8");
  }

  return { run, output, pipe };
}

type RunningGit = { stdin: Writable; stdout: Readable; ended: Promise<{ exitCode: number; stderr: string }> };

/** In a session of its own: a key that interrupts Deputy does not interrupt a save. */
async function start(
  args: readonly string[],
  { cwd, timeoutMs = TIMEOUT_MS }: GitCommand,
  env: Record<string, string>,
  signal?: AbortSignal,
): Promise<RunningGit> {
  const options = { cwd, env, detached: true, stdio: ["pipe", "pipe", "pipe"] } as const;
  const child = await startProcess("git", ["--no-pager", ...args], { ...options, stdio: [...options.stdio] }).catch(
    (error: unknown) => {
      throw errorCode(error) === "ENOENT" ? notStarted() : error;
    },
  );
  const { stdin, stdout, stderr, pid } = child;
  if (stdin === null || stdout === null || stderr === null || pid === undefined)
    throw new Error("a started process has no pipes");
  stdin.on("error", () => {}); // It may end before it has read everything.
  const stop = () => signalGroup(pid, "SIGKILL");
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    stop();
  }, timeoutMs);
  signal?.addEventListener("abort", stop, { once: true });
  if (signal?.aborted) stop();
  const ended = Promise.all([once(child, "exit"), bytesOf(stderr)])
    .then(([[exitCode], said]: [unknown[], Buffer]) => {
      if (isLate) throw new GitError(`git ${args[0]} did not end within ${timeoutMs / 1000} s.`);
      return { exitCode: typeof exitCode === "number" ? exitCode : 128, stderr: lastLines(said) };
    })
    .finally(() => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", stop);
    });
  ended.catch(() => {}); // The holder sees it.
  return { stdin, stdout, ended };
}

function notStarted(): GitError {
  return new GitError("git was not found. Install it (on Debian: apt-get install git).", { isMissing: true });
}

function failedGit(args: readonly string[], stderr: string): GitError {
  const name = args.find((arg) => !arg.startsWith("-")) ?? "";
  return new GitError(`git ${name} failed: ${stderr === "" ? "it gave no reason" : stderr}`);
}

async function bytesOf(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stream) {
    length += chunk.length;
    if (length > MAX_OUTPUT) throw new GitError(`git printed more than ${MAX_OUTPUT} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function lastLines(stderr: Buffer): string {
  const lines = stderr.subarray(-MAX_STDERR).toString("utf8").trim().split("\n");
  return lines.slice(-SHOWN_LINES).join("\n");
}

function variablesOf({ gitDir, workTree, index, objects, alternates, identity }: GitCommand): Record<string, string> {
  return {
    ...configVariables(gitDir === undefined ? SETTINGS : OWN_SETTINGS),
    ...(gitDir !== undefined && { GIT_DIR: gitDir, GIT_CONFIG_NOSYSTEM: "1", GIT_CONFIG_GLOBAL: "/dev/null" }),
    ...present({
      GIT_WORK_TREE: workTree,
      GIT_INDEX_FILE: index,
      GIT_OBJECT_DIRECTORY: objects,
      GIT_ALTERNATE_OBJECT_DIRECTORIES: alternates?.map(quoted).join(":"),
    }),
    ...(identity !== undefined && {
      GIT_AUTHOR_NAME: identity.name,
      GIT_AUTHOR_EMAIL: identity.email,
      GIT_COMMITTER_NAME: identity.name,
      GIT_COMMITTER_EMAIL: identity.email,
    }),
  };
}

/** A path in a list that `:` separates, in C quotes where it needs them. */
function quoted(path: string): string {
  return /^"|[:"\\\n]/.test(path) ? `"${path.replace(/["\\]/g, "\\$&").replaceAll("\n", "\\n")}"` : path;
}

function configVariables(settings: Readonly<Record<string, string>>): Record<string, string> {
  const entries = Object.entries(settings).flatMap(([key, value], at) => [
    [`GIT_CONFIG_KEY_${at}`, key],
    [`GIT_CONFIG_VALUE_${at}`, value],
  ]);
  return { GIT_CONFIG_COUNT: String(Object.keys(settings).length), ...Object.fromEntries(entries) };
}
