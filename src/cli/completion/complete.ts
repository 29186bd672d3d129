/**
 * `deputy complete`: what a shell asks on Tab. It prints a value per line, with its description after a tab, or
 * `:files` or `:directories` where the shell completes paths itself. It never fails: a shell has no place for errors.
 */
import type { Argument, Command, Option } from "commander";
import type { Context } from "../command.ts";
import { oneLine } from "../terminal/terminal-text.ts";
import { type CursorPlace, cursorIn } from "./cursor.ts";
import { lineWords } from "./line-words.ts";
import { type Suggestion, type Suggestions, VALUES, type ValueRequest } from "./values.ts";

/** The program's commands. A command's tree is loaded only when it is asked for. */
export type CommandList = {
  summaries: Readonly<Record<string, string>>;
  declared(name: string): Promise<Command | undefined>;
};

/**
 * Texts that every shell takes as one plain word. Names come from files and providers' lists: typed into a command
 * line, others could be a command.
 */
const PLAIN_WORD = /^[\p{L}\p{N}_@%+./-][\p{L}\p{N}_@%+=:,./-]*$/u;

/** @param argv `--line LINE` as bash gives it, or `--words` and each word; up to the cursor, without the program */
export async function complete(argv: readonly string[], commands: CommandList, context: Context): Promise<number> {
  try {
    const [form, ...rest] = argv;
    const words = form === "--line" ? lineWords(rest.join(" ")).slice(1) : rest;
    context.io.stdout.write(linesOf(await suggestionsFor(words, commands, context)));
  } catch {
    // The shell then completes nothing; the command itself will say what is wrong.
  }
  return 0;
}

function linesOf({ values, paths }: Suggestions): string {
  const lines = values.map(({ value, about = "" }) => (about === "" ? value : `${value}\t${oneLine(about)}`));
  return [...lines, ...(paths === undefined ? [] : [`:${paths}`])].map((line) => `${line}\n`).join("");
}

async function suggestionsFor(words: readonly string[], commands: CommandList, context: Context): Promise<Suggestions> {
  const [name = "", ...rest] = words;
  if (rest.length === 0 || (name === "help" && rest.length === 1)) {
    const typed = words.at(-1) ?? "";
    const known = Object.entries(commands.summaries).map(([value, about]) => ({ value, about }));
    return { values: fitting(typed.startsWith("-") ? TOP_OPTIONS : known, typed) };
  }
  const root = await commands.declared(name);
  if (root === undefined) return { values: [] };
  const cursor = cursorIn(root, rest);
  const { values, paths } = await suggestionsAt(cursor, context);
  return {
    values: fitting(values, cursor.typed).map((each) => ({ ...each, value: `${cursor.before}${each.value}` })),
    ...(paths && { paths }),
  };
}

const TOP_OPTIONS: Suggestion[] = [{ value: "--help" }, { value: "--version" }];

function fitting(values: readonly Suggestion[], typed: string): Suggestion[] {
  const unique = new Map(values.map((each) => [each.value, each]));
  return [...unique.values()].filter(({ value }) => value.startsWith(typed) && PLAIN_WORD.test(value));
}

async function suggestionsAt(cursor: CursorPlace, context: Context): Promise<Suggestions> {
  const { option, argument, typed, given } = cursor;
  const taken = option ?? argument;
  if (taken === undefined && typed.startsWith("-") && cursor.allowsOptions) return { values: optionsOf(cursor) };
  const known: Suggestions = taken === undefined ? { values: [] } : await valuesOf(taken, { context, typed, given });
  if (option !== undefined) return known;
  const values = [...subcommandsOf(cursor), ...known.values];
  const isEmpty = values.length === 0 && known.paths === undefined;
  return isEmpty && typed === "" && cursor.allowsOptions ? { values: optionsOf(cursor) } : { ...known, values };
}

function optionsOf({ command }: CursorPlace): Suggestion[] {
  return command
    .createHelp()
    .visibleOptions(command)
    .map(({ long, short, description }) => ({ value: long ?? short ?? "", about: description }));
}

function subcommandsOf({ command, isFirst }: CursorPlace): Suggestion[] {
  return isFirst ? command.commands.map((each) => ({ value: each.name(), about: each.description() })) : [];
}

async function valuesOf(taken: Option | Argument, request: ValueRequest): Promise<Suggestions> {
  const choices = taken.argChoices;
  if (choices !== undefined) return { values: choices.map((value) => ({ value })) };
  return VALUES[placeholderOf(taken)]?.(request) ?? { values: [] };
}

/** `model` of `-m, --model <model>` or of `[model]`. */
export function placeholderOf(taken: Option | Argument): string {
  return "flags" in taken ? (/[<[]([\w-]+)/.exec(taken.flags)?.[1] ?? "") : taken.name();
}
