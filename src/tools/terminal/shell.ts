/**
 * Runs one command line in a shell, with every process that it starts. The command runs in its own session under a
 * small supervising `sh`. Two descriptors show which processes are left. All processes of the command inherit 3: when
 * the last one has ended, Deputy reads its end. Only a watchdog has 4: when Deputy dies, however it does, the watchdog
 * reads its end and ends the session. The watchdog ends last, so that the session is always watched. Nothing outlives
 * the command except a process that deliberately leaves the session (`setsid`) and closes 3.
 *
 * Uses `node:child_process` instead of execa: the code needs groups and sessions, and must not wait for pipes.
 */
import { once } from "node:events";
import { existsSync } from "node:fs";
import { constants } from "node:os";
import type { Duplex } from "node:stream";
import type { ShellCommand, ShellEnd } from "../../command-executor.ts";
import { END_SESSION, signalGroup } from "../../system/session.ts";
import { startProcess } from "../../system/start-process.ts";
import { present } from "../../values/present.ts";
import { settlesWithin } from "../../values/settles-within.ts";

/** Time from TERM to KILL. A stopped tool has to end within a second. */
const GRACE_MS = 400;
/** Time after its end in which a command may still seem to have processes left. */
const SETTLE_MS = 50;
/** Maximum wait for output after every process that could write it should have ended. */
const DRAIN_MS = 200;
/** Maximum delay of a Node timer. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * $0 is the shell, $1 the command. The supervisor survives TERM, so that it can report how the command ended; the
 * watchdog ignores it.
 */
const SUPERVISE = `
  trap '' TERM
  (
    read -r _ <&4
    set -- $$
    ${END_SESSION}
  ) 3>&- >/dev/null &
  trap : TERM
  (exec "$0" -c "$1" 2>&1 4>&-)
  exit`;

/**
 * Runs a command. When this resolves, none of its processes is left.
 * @throws Error of the system if no process can be started
 */
export async function runInShell(
  { command, cwd, environment, timeoutMs, input, onOutput }: ShellCommand,
  signal: AbortSignal,
): Promise<ShellEnd> {
  const supervisor = await startProcess("/bin/sh", ["-c", SUPERVISE, shellPath(), command], {
    cwd,
    env: environment,
    detached: true,
    stdio: [input === undefined ? "ignore" : "pipe", "pipe", "ignore", "pipe", "pipe"],
  });
  supervisor.stdin?.on("error", () => {}).end(input); // A command need not read it.
  const session = supervisor.pid as number;
  const exited = once(supervisor, "exit");
  const [output, line, lease] = [1, 3, 4].map((descriptor) => supervisor.stdio[descriptor]) as [Duplex, Duplex, Duplex];
  const gone = Promise.all([output, line].map(closed));
  output.on("data", onOutput);
  line.on("error", () => {}).resume();
  lease.on("error", () => {});

  const stopping = stopSessionWhen(session, lease, timeoutMs, signal);
  const [exitCode]: unknown[] = await exited;
  const stopped = stopping.end();
  // A process that should be ended may have closed the descriptor.
  const allGone = stopped === undefined && (await settlesWithin(gone, SETTLE_MS));
  if (allGone) signalGroup(session, "SIGKILL");
  else await endSession(session, lease);
  await settlesWithin(gone, DRAIN_MS);
  for (const stream of [output, line, lease]) stream.destroy();
  const killed = 128 + constants.signals.SIGKILL;
  return { exitCode: typeof exitCode === "number" ? exitCode : killed, ...present({ stopped }) };
}

/**
 * Stops a session when its time is up or the signal aborts: TERM to its leader's group, and KILL to all shortly after.
 * @returns `end`: cancels this, and returns why the session was stopped, if it was
 */
function stopSessionWhen(
  session: number,
  lease: Duplex,
  timeoutMs: number,
  signal: AbortSignal,
): { end(): ShellEnd["stopped"] } {
  let stopped: ShellEnd["stopped"];
  let killTimer: NodeJS.Timeout | undefined;
  function stop(reason: "timeout" | "abort"): void {
    if (stopped !== undefined) return;
    stopped = reason;
    signalGroup(session, "SIGTERM");
    killTimer = setTimeout(() => void endSession(session, lease), GRACE_MS);
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

/** Models usually write bash. */
function shellPath(): string {
  return existsSync("/bin/bash") ? "/bin/bash" : "/bin/sh";
}

/** Uses a process that continues if Deputy dies meanwhile, or the watchdog if no process can be started. */
async function endSession(session: number, lease: Duplex): Promise<void> {
  try {
    const options = { env: {}, detached: true, stdio: "ignore" } as const;
    const killer = await startProcess("/bin/sh", ["-c", END_SESSION, "sh", String(session)], options);
    await once(killer, "exit");
  } catch {
    lease.destroy();
  }
}

function closed(stream: Duplex): Promise<void> {
  return new Promise((resolve) => stream.once("close", resolve));
}
