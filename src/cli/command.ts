/** Shared parts of the commands: their context, opening the engine, options, examples. */
import { type Command, InvalidArgumentError } from "commander";
import type { Opened, OpenOptions } from "../engine/setup/open-deputy.ts";
import { harmless } from "../text/spelled-text.ts";
import { present } from "../values/present.ts";
import { usdIn } from "../values/quantity.ts";
import type { Io, Output } from "./io.ts";
import { wrapFor } from "./terminal/word-wrap.ts";

export type Context = {
  io: Io;
  openDeputy(options: Pick<OpenOptions, "env" | "cwd" | "configPath" | "hideVariables" | "warn">): Promise<Opened>;
  /** Sets the process's exit code. A command that does not call it exits with 0. */
  exitWith(code: number): void;
};

/** Adds a command's arguments, options, help and action to `command`. */
export type Declare = (command: Command, context: Context) => void;

/** Longest wait for open work when the program is about to exit. */
const CLOSE_MS = 3000;
/** Longest wait for the commands of `hooks:` and `notify:`. */
const HOOKS_MS = 30_000;

/** Opens Deputy for the duration of `work`. */
export async function withDeputy<Value>(
  { io, openDeputy }: Context,
  configPath: string | undefined,
  work: (deputy: Opened) => Promise<Value>,
): Promise<Value> {
  const { env, cwd, hideVariables } = io;
  const { warn, printRest } = createWarnings(io.stderr);
  const deputy = await openDeputy({ env, cwd, hideVariables, warn, ...present({ configPath }) });
  try {
    return await work(deputy);
  } finally {
    await withinReason(io, deputy.engine.hooksSettled());
    printRest();
    const closed = new AbortController();
    await Promise.race([deputy.engine.close(), io.clock.sleep(CLOSE_MS, closed.signal)]);
    closed.abort();
  }
}

/** On a terminal, a tree or a prompt may be drawn: there, warnings wait until the command's work is done. */
function createWarnings(stderr: Output): { warn(message: string): void; printRest(): void } {
  const held: string[] = [];
  const print = (message: string) => stderr.write(`${wrapFor(stderr, `! ${harmless(message)}`)}\n`);
  return {
    warn: (message) => void (stderr.isTTY === true ? held.push(message) : print(message)),
    printRest: () => held.splice(0).forEach(print),
  };
}

/** Waits for work beside the runs, unless it takes too long or the user interrupts. */
async function withinReason({ clock, onInterrupt }: Io, work: Promise<void>): Promise<void> {
  const enough = new AbortController();
  const ignore = onInterrupt(() => enough.abort());
  await Promise.race([work, clock.sleep(HOOKS_MS, enough.signal).catch(() => {})]);
  ignore();
  enough.abort();
}

export const CONFIG_OPTION = ["--config <path>", "use this config file instead of the one found by default"] as const;
export const JSON_OPTION = ["--json", "as JSON"] as const;
export const QUIET_OPTION = ["-q, --quiet", "only answers go to stdout, as in a pipe; the rest to stderr"] as const;
export const CONCURRENCY_OPTION = [
  "-c, --concurrency <n>",
  "maximum number of children at once",
  positiveInteger,
] as const;
export const ALLOW_OPTION = [
  "--allow <rule>",
  "allow tool calls without asking: 'terminal: npm test' (repeatable)",
  collect,
] as const;

export const WAIT_FOR_APPROVAL_OPTION = [
  "--wait-for-approval",
  "without a terminal, let approval requests wait for deputy approve",
] as const;

export const SPAWN_DEPTH_OPTION = [
  "--max-spawn-depth <n>",
  "how deep models may delegate, instead of delegation.max_spawn_depth",
  wholeNumber,
] as const;

/** The flag is the variable, for this invocation and the processes that it starts. */
export function withSpawnDepth(context: Context, maxSpawnDepth: number | undefined): Context {
  if (maxSpawnDepth === undefined) return context;
  const { io } = context;
  return { ...context, io: { ...io, env: { ...io.env, DEPUTY_MAX_SPAWN_DEPTH: String(maxSpawnDepth) } } };
}

function wholeNumber(value: string): number {
  if (!/^\d{1,9}$/.test(value)) throw new InvalidArgumentError("Expected a whole number from 0.");
  return Number(value);
}

export function positiveInteger(value: string): number {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 1) throw new InvalidArgumentError("Expected a whole number from 1.");
  return number;
}

export function portNumber(value: string): number {
  const number = Number(value);
  if (value.trim() === "" || !Number.isInteger(number) || number < 0 || number > 65_535)
    throw new InvalidArgumentError("Expected a port, 0 to 65535.");
  return number;
}

function positiveNumber(value: string): number {
  const number = Number(value);
  if (!Number.isFinite(number) || number <= 0) throw new InvalidArgumentError("Expected a number above 0.");
  return number;
}

/** Parses an amount in USD, also written as `$2`. */
export function usdAmount(value: string): number {
  return positiveNumber(String(usdIn(value) ?? value));
}

/** Collects options that may be given several times. */
export function collect(value: string, before: string[] | undefined): string[] {
  return [...(before ?? []), value];
}

/** Formats examples below a command's options: what to type, and its purpose. */
export function examples(lines: [command: string, purpose: string][]): string {
  const widest = Math.max(...lines.map(([command]) => command.length));
  return `\nExamples:\n${lines.map(([command, purpose]) => `  ${command.padEnd(widest)}  ${purpose}`).join("\n")}\n`;
}
