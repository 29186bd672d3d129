/**
 * One command line run in a shell, with every process it starts. The command runs in a session of its own under a small
 * supervising `sh`. Descriptor 3 is a line to Deputy that all of its processes inherit: when Deputy dies, however it
 * does, a watchdog reads the end of that line and ends the session; when the last process has gone, Deputy reads it. So
 * nothing outlives the command but what leaves the session on purpose (`setsid`) and lets go of the line.
 *
 * `node:child_process` and not execa: what counts here are groups and sessions, and not waiting for pipes.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { constants } from "node:os";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";

/** From TERM to KILL. A stopped tool has to be done within a second. */
const GRACE_MS = 400;
/** How long output may still come in when nobody who could write it should be left. */
const DRAIN_MS = 200;
/** The longest a timer of Node's can wait. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Ends all processes of session $1, also those in groups of their own (`timeout` makes one), but not its own shell. */
const END_SESSION = `
  read -r self _ </proc/self/stat
  for stat in /proc/[0-9]*/stat; do
    read -r line <"$stat" || continue
    pid=\${line%% *}
    set -- "$1" \${line##*) }
    [ "$5" = "$1" ] && [ "$pid" != "$self" ] && kill -KILL "$pid"
  done
  kill -KILL -- "-$1"`;

/** $0 is the shell, $1 the command. The supervisor survives TERM, so that it can tell how the command ended. */
const SUPERVISE = `
  trap : TERM
  (
    trap '' TERM
    read -r _ <&3
    set -- $$
    ${END_SESSION}
  ) >/dev/null &
  watchdog=$!
  (exec "$0" -c "$1" 2>&1)
  status=$?
  kill -KILL "$watchdog"
  wait "$watchdog"
  exit "$status"`;

export type ShellCommand = {
  command: string;
  cwd: string;
  environment: Record<string, string>;
  timeoutMs: number;
  /** Gets standard output and standard error in the order they were written. */
  onOutput(chunk: Buffer): void;
};

export type ShellEnd = {
  /** 128 + n where signal n ended the command. */
  exitCode: number;
  /** Why Deputy ended it, where it did. */
  stopped?: "timeout" | "abort";
};

/** Runs a command with empty standard input. When this resolves, none of its processes is left. */
export async function runInShell(
  { command, cwd, environment, timeoutMs, onOutput }: ShellCommand,
  signal: AbortSignal,
): Promise<ShellEnd> {
  const supervisor = spawn("/bin/sh", ["-c", SUPERVISE, shellPath(), command], {
    cwd,
    env: environment,
    detached: true,
    stdio: ["ignore", "pipe", "ignore", "pipe"],
  });
  await once(supervisor, "spawn");
  const session = supervisor.pid as number;
  const exited = once(supervisor, "exit");
  const closed = once(supervisor, "close");
  const output = supervisor.stdio[1] as Readable;
  const line = supervisor.stdio[3] as Readable;
  output.on("data", onOutput);
  line.on("error", () => {}).resume();

  const stopping = stopGroupWhen(session, timeoutMs, signal);
  const [exitCode] = (await exited) as [number | null];
  const stopped = stopping.end();
  signalGroup(session, "SIGKILL");
  // The line tells of processes that left the group. One that a stop should end may have let go of the line as well.
  if (stopped !== undefined || !(await settlesWithin(closed, DRAIN_MS))) await endSession(session);
  if (!(await settlesWithin(closed, DRAIN_MS))) for (const stream of [output, line]) stream.destroy();
  return { exitCode: exitCode ?? 128 + constants.signals.SIGKILL, ...(stopped && { stopped }) };
}

/**
 * Stops a process group when its time is over or the signal aborts: TERM, and KILL shortly after.
 * @returns `end`: no more of that; tells why the group was stopped, where it was
 */
function stopGroupWhen(leader: number, timeoutMs: number, signal: AbortSignal): { end(): ShellEnd["stopped"] } {
  let stopped: ShellEnd["stopped"];
  let killTimer: NodeJS.Timeout | undefined;
  function stop(reason: "timeout" | "abort"): void {
    if (stopped !== undefined) return;
    stopped = reason;
    signalGroup(leader, "SIGTERM");
    killTimer = setTimeout(() => signalGroup(leader, "SIGKILL"), GRACE_MS);
  }
  const onAbort = () => stop("abort");
  const timer = setTimeout(() => stop("timeout"), Math.min(timeoutMs, MAX_TIMER_MS));
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  return {
    end() {
      clearTimeout(timer);
      clearTimeout(killTimer);
      signal.removeEventListener("abort", onAbort);
      return stopped;
    },
  };
}

/** What models write is bash more often than not. */
function shellPath(): string {
  return existsSync("/bin/bash") ? "/bin/bash" : "/bin/sh";
}

function signalGroup(leader: number, name: NodeJS.Signals): void {
  try {
    process.kill(-leader, name);
  } catch {
    // Nobody is left in it.
  }
}

async function endSession(session: number): Promise<void> {
  const killer = spawn("/bin/sh", ["-c", END_SESSION, "sh", String(session)], { env: {}, stdio: "ignore" });
  await once(killer, "exit");
}

async function settlesWithin(promise: Promise<unknown>, ms: number): Promise<boolean> {
  const patience = new AbortController();
  try {
    return await Promise.race([promise.then(() => true), sleep(ms, false, { signal: patience.signal })]);
  } finally {
    patience.abort();
  }
}
