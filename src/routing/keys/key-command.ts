/**
 * Runs a command that prints a key. Its output is never shown: the first line is the key, and its error messages may
 * contain one. Neither the command nor anything it started outlives the run.
 */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import type { Clock } from "../../clock.ts";
import { errorCode } from "../../errors.ts";
import { shortageIn } from "../../system/shortage.ts";
import { startProcess } from "../../system/start-process.ts";

/** Time limit of a command, in milliseconds. */
const TIMEOUT_MS = 30_000;
/** Maximum wait for output after the command has ended, in milliseconds. */
const DRAIN_MS = 200;
/** A longer first line is not a key. */
const MAX_LINE_BYTES = 64 * 1024;

/** `problem` continues a sentence that starts with the command's name. */
export type CommandAnswer = { line: string } | { problem: string };

/** Runs a program with empty standard input. Never rejects. */
export async function firstLineOf(
  argv: readonly string[],
  environment: Record<string, string>,
  clock: Clock,
  signal: AbortSignal,
): Promise<CommandAnswer> {
  try {
    return await run(argv, environment, clock, signal);
  } catch (error) {
    const reason = shortageIn(error) ?? errorCode(error) ?? "no reason given";
    return { problem: `cannot be run (${reason})` };
  }
}

async function run(
  [program = "", ...args]: readonly string[],
  environment: Record<string, string>,
  clock: Clock,
  signal: AbortSignal,
): Promise<CommandAnswer> {
  const command = await startProcess(program, args, {
    env: environment,
    detached: true,
    stdio: ["ignore", "pipe", "ignore"],
  });
  const output = collect(command);
  let late = false;
  const stop = () => endGroup(command);
  const cancelTimeout = clock.after(TIMEOUT_MS, () => {
    late = true;
    stop();
  });
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  try {
    const [exitCode, killedBy]: unknown[] = await once(command, "exit");
    if (late) return { problem: `took longer than ${TIMEOUT_MS / 1000} s` };
    if (killedBy !== null) return { problem: `was ended by ${killedBy}` };
    if (exitCode !== 0) return { problem: `ended with exit code ${exitCode}` };
    return { line: await output.firstLine() };
  } finally {
    cancelTimeout();
    signal.removeEventListener("abort", stop);
    stop();
    command.stdout?.destroy();
  }
}

function collect({ stdout }: ChildProcess): { firstLine(): Promise<string> } {
  const chunks: Buffer[] = [];
  let bytes = 0;
  stdout?.on("data", (chunk: Buffer) => {
    if (bytes < MAX_LINE_BYTES) chunks.push(chunk);
    bytes += chunk.length;
  });
  return {
    async firstLine() {
      if (stdout?.readableEnded === false) await Promise.race([once(stdout, "end"), elapsed(DRAIN_MS)]);
      return Buffer.concat(chunks).toString().split(/\r?\n/, 1)[0]?.trim() ?? "";
    },
  };
}

function elapsed(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}

/** The process leads its own group, which contains everything it has started. */
function endGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // The group is empty.
  }
}
