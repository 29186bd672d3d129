/**
 * `terminal`: one command line in the workspace. It is not a sandbox: a command can do what the user can. A child is
 * limited by the operator's approval (`ask`, if no rule decides), and gets none of the keys.
 */
import { z } from "zod";
import type { CommandExecutor, ShellEnd } from "../../command-executor.ts";
import type { Tool, ToolContext, ToolOutput } from "../../tool.ts";
import { ToolError } from "../tool-error.ts";
import { exitInWords, stateOf } from "./background.ts";
import { createCommandOutput } from "./command-output.ts";
import { runInShell } from "./shell.ts";
import { UNATTENDED } from "./unattended.ts";

export type TerminalOptions = {
  /** Directory in which commands run. @throws ToolError if the directory no longer exists */
  directory(): string;
  /** The environment of commands, created when the first one runs. */
  environment(): Record<string, string>;
  /** Time limit of a command. */
  timeoutMs: number;
};

/** Maximum wait for what a background command prints when it starts. */
const FIRST_OUTPUT_MS = 2_000;

const input = z.strictObject({
  command: z
    .string()
    .max(100_000)
    .refine((command) => command.trim() !== "", "Expected a command, found only blanks.")
    .refine((command) => !command.includes("\0"), "A command cannot contain a NUL byte.")
    .refine((command) => command.isWellFormed(), "A command cannot contain half of a character (a lone surrogate).")
    .describe("The command line, as you would type it."),
  timeout_seconds: z
    .number()
    .positive()
    .optional()
    .describe("Time limit in seconds. Default and maximum: the operator's; in the background, none."),
  background: z
    .boolean()
    .optional()
    .describe("Start the command and return its id: for a server or a long job. It ends with your task at the latest."),
});

export function createTerminal({ directory, environment, timeoutMs }: TerminalOptions): Tool<z.infer<typeof input>> {
  return {
    name: "terminal",
    description:
      "Runs one command line with bash (or sh) in the workspace. Each call is a new shell, without " +
      "input, editor or pager, and with nobody to answer a prompt. Returns standard output and standard error together, " +
      "as a terminal would show them at the end, with the middle of a long output cut, and the exit code. Processes " +
      "started with & end with the call: to keep a command running, set background and read its output with " +
      "terminal_output. Commands may need the user's approval, so keep each one focused.",
    effect: "write",
    input,
    subject: ({ command }) => ({ target: command, otherwise: "ask", isCommandLine: true }),
    run: async ({ command, timeout_seconds: wishedSeconds = Number.POSITIVE_INFINITY, background }, context) => {
      const common = { command, cwd: directory(), environment: { ...environment(), ...UNATTENDED } };
      if (background) return startInBackground({ ...common, timeoutMs: wishedSeconds * 1_000 }, context);
      const { run = runInShell } = context.commands ?? {};
      const output = createCommandOutput();
      const longestMs = Math.min(timeoutMs, wishedSeconds * 1_000);
      const end = await run({ ...common, timeoutMs: longestMs, onOutput: output.write }, context.signal);
      return report(output.text(), end, longestMs, timeoutMs);
    },
  };
}

async function startInBackground(
  command: Parameters<CommandExecutor["start"]>[0],
  { commands, signal }: ToolContext,
): Promise<ToolOutput> {
  if (commands === undefined) throw new ToolError("Expected a child that the command belongs to; found none.");
  const started = commands.start(command);
  await started.settled(FIRST_OUTPUT_MS, signal);
  return stateOf(started);
}

function report(output: string, end: ShellEnd, longestMs: number, limitMs: number): ToolOutput {
  const text = output.trimEnd() || "(no output)";
  if (end.stopped === "abort") return { ok: false, text: `${text}\n[stopped]` };
  if (end.stopped === "timeout") {
    const limit = longestMs < limitMs ? `; up to ${limitMs / 1_000} s are allowed` : ", the maximum";
    return { ok: false, text: `${text}\n[ended after ${longestMs / 1_000} s${limit}]` };
  }
  if (end.exitCode === 0) return { ok: true, text };
  return { ok: false, text: `${text}\n[${exitInWords(end)}]` };
}
