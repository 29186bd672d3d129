/**
 * `terminal`: one command line in the workspace, in the child's sandbox where there is one. Outside of it, a command can
 * do what the user can, and is limited only by the operator's approval (`ask`, if no rule decides). It gets none of the
 * keys.
 */
import { resolve } from "node:path";
import { z } from "zod";
import type { CommandExecutor, ShellEnd } from "../../command-executor.ts";
import type { Warning } from "../../errors.ts";
import { realPathOf } from "../../system/bound-paths.ts";
import { withHome } from "../../text/home-path.ts";
import type { FileSubject, Tool, ToolContext, ToolOutput, ToolSubject } from "../../tool.ts";
import type { SandboxSupport } from "../sandbox/support.ts";
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
  /** Absent: all commands run outside. */
  sandbox?: TerminalSandbox | undefined;
};

export type TerminalSandbox = {
  /** Whether it works here; tried once. */
  support(): SandboxSupport;
  /** The model is told of it: it may well work. */
  isOffered: boolean;
  /** Commands in it need no approval. */
  isExempt: boolean;
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

const sandboxInput = input.extend({
  outside_sandbox: z
    .string()
    .trim()
    .min(1)
    .max(500)
    .optional()
    .describe("Run it outside the sandbox, which the user has to approve: the reason why it must."),
  read: z
    .array(
      z
        .string()
        .min(1)
        .refine((path) => !/^\/*$/.test(path), "a path below /"),
    )
    .max(20)
    .optional()
    .describe(
      "Paths outside the workspace that this command has to read, which the user has to approve. It then cannot reach " +
        "commands in the background.",
    ),
});
type TerminalInput = z.infer<typeof sandboxInput>;

const SANDBOX_NOTE =
  " Commands run in a sandbox: they can write only in the workspace and /tmp, see nothing else of the home directory, and " +
  "reach no network but hosts that the user allows. Do not work around a refusal: ask with outside_sandbox or read.";

export function createTerminal({ directory, environment, timeoutMs, sandbox }: TerminalOptions): Tool<TerminalInput> {
  const isInside = ({ outside_sandbox }: TerminalInput) =>
    sandbox !== undefined && outside_sandbox === undefined && "program" in sandbox.support();
  const toPath: ToPath = (written) => resolve(directory(), withHome(written, environment().HOME));
  return {
    name: "terminal",
    description:
      "Runs one command line with bash (or sh) in the workspace. Each call is a new shell, without " +
      "input, editor or pager, and with nobody to answer a prompt. Returns standard output and standard error together, " +
      "as a terminal would show them at the end, with the middle of a long output cut, and the exit code. Processes " +
      "started with & end with the call: to keep a command running, set background and read its output with " +
      "terminal_output. Commands may need the user's approval, so keep each one focused." +
      (sandbox?.isOffered ? SANDBOX_NOTE : ""),
    effect: "write",
    input: sandbox?.isOffered ? sandboxInput : input,
    subject: (call) => ({
      ...{ target: call.command, isCommandLine: true, sandboxed: isInside(call) },
      otherwise: sandbox?.isExempt && isInside(call) ? "allow" : "ask",
      ...(sandbox && leaving(call, sandbox, toPath)),
    }),
    run: async (call, context) => {
      const { command, timeout_seconds: wishedSeconds = Number.POSITIVE_INFINITY, background, read = [] } = call;
      const cwd = directory();
      const inside = isInside(call) && { sandbox: { reads: read.map(toPath).map(withoutLinks) } };
      const common = { command, cwd, environment: { ...environment(), ...UNATTENDED }, ...inside };
      if (background) return startInBackground({ ...common, timeoutMs: wishedSeconds * 1_000 }, context);
      const { run = runInShell } = context.commands ?? {};
      const output = createCommandOutput();
      const longestMs = Math.min(timeoutMs, wishedSeconds * 1_000);
      const end = await run({ ...common, timeoutMs: longestMs, onOutput: output.write }, context.signal);
      return report(output.text(), end, longestMs, timeoutMs);
    },
  };
}

type ToPath = (written: string) => string;

/** What a call wants besides its place in the sandbox, or why it has none. */
function leaving(
  { command, outside_sandbox: why, read = [] }: TerminalInput,
  { support }: TerminalSandbox,
  toPath: ToPath,
): Partial<ToolSubject> {
  const found = support();
  if ("problem" in found) return { warning: noSandbox(found) };
  if (why !== undefined) return { asked: `${command}\n\n[leaves the sandbox, because: ${why}]`, onlyUser: true };
  if (read.length === 0) return {};
  const paths = read.map(toPath);
  const reads = paths.map((path): FileSubject => ({ names: [path], access: "read" }));
  return { asked: `${command}\n\n[reads besides: ${paths.join(", ")}]`, reads, onlyUser: true };
}

/** What was approved is read, and nothing that a link leads to since. */
function withoutLinks(path: string): string {
  const real = realPathOf(path);
  if (real === path) return path;
  throw new ToolError(`Expected a path without links; found ${path}, which leads to ${real}. Name that path in read.`);
}

function noSandbox({ problem, remedy }: Extract<SandboxSupport, { problem: string }>): Warning {
  return { code: "no-sandbox", message: `Commands run without a sandbox: ${problem}. ${remedy}` };
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
