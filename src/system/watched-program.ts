/**
 * Starts a program that does not outlive Deputy. It leads a session of its own. A watchdog in that session reads from a
 * pipe whose other end only Deputy has: when Deputy closes it, or dies, the watchdog ends the whole session.
 */
import { once } from "node:events";
import { Socket } from "node:net";
import type { Readable, Writable } from "node:stream";
import { settlesWithin } from "../values/settles-within.ts";
import { END_SESSION, signalGroup } from "./session.ts";
import { startProcess } from "./start-process.ts";

/** Time to end after the input was closed, and again after TERM. */
const GRACE_MS = 500;

/** The shell becomes the program, so that their process is the same. Only the watchdog keeps descriptor 3. */
const WATCH = `
  (
    trap '' TERM INT HUP
    read -r _ <&3
    set -- $$
    ${END_SESSION}
  ) >/dev/null 2>&1 &
  exec "$@" 3>&-`;

export type WatchedProgram = {
  stdin: Writable;
  stdout: Readable;
  stderr: Readable;
  /** Resolves with how it ended, as a clause: `it ended with exit code 1`. What it had started has ended by then, too. */
  ended: Promise<string>;
  /** Closes its input, and ends it if it does not end by itself. */
  end(): Promise<void>;
};

export type ProgramToWatch = {
  program: string;
  args: readonly string[];
  cwd: string;
  environment: Record<string, string>;
};

/**
 * The program does not keep Deputy's own process alive.
 * @throws Error of the system if no process can be started
 */
export async function startWatched({ program, args, cwd, environment }: ProgramToWatch): Promise<WatchedProgram> {
  const child = await startProcess("/bin/sh", ["-c", WATCH, "sh", program, ...args], {
    cwd,
    env: environment,
    detached: true,
    stdio: ["pipe", "pipe", "pipe", "pipe"],
  });
  const { stdin, stdout, stderr } = child;
  const lease = child.stdio[3];
  const { pid } = child;
  if (stdin === null || stdout === null || stderr === null || !(lease instanceof Socket) || pid === undefined)
    throw new Error("a started process has no pipes");
  child.unref();
  for (const stream of [stdin, stdout, stderr, lease]) {
    stream.on("error", () => {}); // A program may close its end at any time.
    if (stream instanceof Socket) stream.unref();
  }
  // Nobody writes to the lease; it closes when the watchdog, which ends last, has ended.
  const watchdogEnded = once(lease.resume(), "close").then(() => true);
  const endSession = () => lease.end();
  const ended = once(child, "exit").then(async ([exitCode, signal]: unknown[]) => {
    endSession();
    await settlesWithin(watchdogEnded, GRACE_MS);
    lease.destroy();
    return endText(program, exitCode, signal);
  });

  async function end(): Promise<void> {
    stdin?.end();
    if (await settlesWithin(ended, GRACE_MS)) return;
    signalGroup(Number(pid), "SIGTERM");
    if (await settlesWithin(ended, GRACE_MS)) return;
    endSession();
    if (!(await settlesWithin(ended, GRACE_MS))) signalGroup(Number(pid), "SIGKILL");
    await ended;
  }

  return { stdin, stdout, stderr, ended, end };
}

/** The shell's exit codes for a program that cannot be run, or does not exist. */
const NOT_RUN: Record<number, string> = { 126: "cannot be run", 127: "was not found" };

function endText(program: string, exitCode: unknown, signal: unknown): string {
  if (typeof exitCode !== "number") return `it was ended by ${signal}`;
  const reason = NOT_RUN[exitCode];
  return reason === undefined ? `it ended with exit code ${exitCode}` : `${program} ${reason} (exit code ${exitCode})`;
}
