/**
 * `terminal_output` and `terminal_stop`: reads and ends commands that `terminal` started in the background. They need no
 * approval: the command had it.
 */
import { constants } from "node:os";
import { z } from "zod";
import type { BackgroundCommand, CommandExecutor, ShellEnd } from "../../command-executor.ts";
import { shortLine } from "../../text/short-line.ts";
import type { Tool, ToolContext, ToolOutput } from "../../tool.ts";

const MOST_WAIT_SECONDS = 60;
const SHOWN_COMMAND = 60;
/** Maximum number of commands that an answer names, the newest ones. */
const MOST_KNOWN = 20;

const id = z.string().min(1).describe("The id that terminal returned.");

const outputInput = z.strictObject({
  id,
  wait_seconds: z
    .number()
    .nonnegative()
    .max(MOST_WAIT_SECONDS)
    .optional()
    .describe(`Wait at most this long for new output or the end, up to ${MOST_WAIT_SECONDS}. Default: 0.`),
});

export function createTerminalOutput(): Tool<z.infer<typeof outputInput>> {
  return {
    name: "terminal_output",
    description:
      "Returns what a background command has printed since you last read it, whether it still runs, and its exit code. " +
      "Set wait_seconds instead of asking again and again.",
    effect: "read",
    input: outputInput,
    comesWith: ["terminal"],
    subject: (call) => ({ target: call.id, otherwise: "allow" }),
    run: (call, context) =>
      withCommand(call.id, context, async (command) => {
        await command.settled((call.wait_seconds ?? 0) * 1_000, context.signal);
        return stateOf(command);
      }),
  };
}

const stopInput = z.strictObject({ id });

export function createTerminalStop(): Tool<z.infer<typeof stopInput>> {
  return {
    name: "terminal_stop",
    description: "Ends a background command with everything that it started, and returns its last output.",
    effect: "write",
    input: stopInput,
    comesWith: ["terminal"],
    subject: (call) => ({ target: call.id, otherwise: "allow" }),
    run: (call, context) =>
      withCommand(call.id, context, async (command) => {
        await command.stop();
        return stateOf(command);
      }),
  };
}

async function withCommand(
  wanted: string,
  { commands }: ToolContext,
  use: (command: BackgroundCommand) => Promise<ToolOutput>,
): Promise<ToolOutput> {
  const found = commands?.find(wanted);
  if (found === "ended-before") {
    return {
      ok: true,
      text: `[${wanted} has ended: it ended with the process that ran it. Start it again if you still need it.]`,
    };
  }
  if (found === "dropped") return { ok: true, text: `[${wanted} has ended: its output is no longer kept.]` };
  if (found !== undefined) return use(found);
  const known = commands?.known().slice(-MOST_KNOWN).map(nameOf).join(", ") || "none";
  return { ok: false, text: `There is no background command ${shortLine(wanted)}. Those that you started: ${known}.` };
}

/** `2-ab12 (npm run dev; runs)` */
function nameOf({ id: known, command, isRunning }: ReturnType<CommandExecutor["known"]>[number]): string {
  const state = isRunning ? "runs" : "has ended";
  return `${known} (${command === undefined ? state : `${shortLine(command, SHOWN_COMMAND)}; ${state}`})`;
}

/** The new output of a background command, and how it is. */
export function stateOf(command: BackgroundCommand): ToolOutput {
  const end = command.end();
  const text = command.takeOutput().trimEnd() || "(no new output)";
  const seconds = `${Math.round(command.elapsedMs() / 100) / 10} s`;
  if (end === undefined)
    return { ok: true, text: `${text}\n[${command.id} runs in the background, for ${seconds} so far]` };
  if (end.stopped === "abort") return { ok: true, text: `${text}\n[${command.id} was stopped after ${seconds}]` };
  if (end.stopped === "timeout")
    return { ok: false, text: `${text}\n[${command.id} was ended at its limit of ${seconds}]` };
  return { ok: end.exitCode === 0, text: `${text}\n[${command.id} has ended after ${seconds}: ${exitInWords(end)}]` };
}

/** `exit code 139: SIGSEGV`. A shell reports a signal as 128 + its number. */
export function exitInWords({ exitCode }: ShellEnd): string {
  const name = Object.entries(constants.signals).find(([, number]) => number === exitCode - 128)?.[0];
  return name === undefined ? `exit code ${exitCode}` : `exit code ${exitCode}: ${name}`;
}
