/** Runs a command of the operator's at an event: without any key, within its time, and with little kept of its output. */
import { StringDecoder } from "node:string_decoder";
import type { ShellCommand, ShellEnd } from "../../command-executor.ts";
import { errorCode } from "../../errors.ts";
import { shortageIn } from "../../system/shortage.ts";
import { shortLine } from "../../text/short-line.ts";
import { runInShell } from "../../tools/terminal/shell.ts";

/** End of the output that is kept, in characters. */
const KEPT_OUTPUT = 2_000;
const SHOWN_OUTPUT = 200;

export type HookCommand = Omit<ShellCommand, "onOutput">;

/** Runs it to its end. Never rejects. @returns how it failed, as the end of a sentence; undefined if it did not */
export async function problemOf(command: HookCommand, signal: AbortSignal): Promise<string | undefined> {
  const decoder = new StringDecoder("utf8");
  let output = "";
  const onOutput = (chunk: Buffer) => {
    output = (output + decoder.write(chunk)).slice(-KEPT_OUTPUT);
  };
  try {
    const failure = failureOf(await runInShell({ ...command, onOutput }, signal), command.timeoutMs);
    if (failure === undefined) return undefined;
    const lastLine = output.trimEnd().split("\n").at(-1) ?? "";
    return lastLine === "" ? failure : `${failure}: ${shortLine(lastLine, SHOWN_OUTPUT)}`;
  } catch (error) {
    const isGone = errorCode(error) === "ENOENT";
    const reason = isGone ? `${command.cwd} does not exist` : (shortageIn(error) ?? errorCode(error) ?? String(error));
    return `could not start (${reason})`;
  }
}

function failureOf({ exitCode, stopped }: ShellEnd, timeoutMs: number): string | undefined {
  if (stopped === "timeout") return `took longer than ${timeoutMs / 1000} s`;
  if (stopped === "abort") return "was stopped, because Deputy ended";
  return exitCode === 0 ? undefined : `ended with exit code ${exitCode}`;
}
