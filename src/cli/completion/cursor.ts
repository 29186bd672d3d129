/** Where in a command line the cursor is: which option's value, which argument, or which name is being typed. */
import type { Argument, Command, Option } from "commander";

export type CursorPlace = {
  /** The innermost command. */
  command: Command;
  /** The part of the word before the completed value, such as `--model=`. */
  before: string;
  /** The typed part of the value. */
  typed: string;
  /** The option whose value is typed. */
  option?: Option;
  /** The argument that is typed, unless it is an option's name. */
  argument?: Argument;
  /** No argument precedes the cursor, so a subcommand may stand here. */
  isFirst: boolean;
  /** The name of an option is possible: no `--` precedes it. */
  allowsOptions: boolean;
  /** Values of the options before the cursor, by long name. */
  given: ReadonlyMap<string, string>;
};

/** @param words those after the program's name; the last one is being typed and may be empty */
export function cursorIn(root: Command, words: readonly string[]): CursorPlace {
  const last = words.at(-1) ?? "";
  const given = new Map<string, string>();
  let command = root;
  let position = 0;
  let open: Option | undefined;
  let allowsOptions = true;
  for (const word of words.slice(0, -1)) {
    if (open !== undefined && (open.required || !word.startsWith("-"))) {
      given.set(open.long ?? "", word);
      open = undefined;
    } else if (word === "--") {
      allowsOptions = false;
    } else if (allowsOptions && word.startsWith("-") && word !== "-") {
      const [name = "", value] = splitOption(word);
      const option = optionNamed(command, name);
      if (value !== undefined) given.set(option?.long ?? name, value);
      open = value === undefined && takesValue(option) ? option : undefined;
    } else {
      const inner = position === 0 ? command.commands.find((each) => each.name() === word) : undefined;
      if (inner === undefined) position++;
      else command = inner;
    }
  }
  const place = { command, before: "", typed: last, isFirst: position === 0, allowsOptions, given };
  if (open !== undefined && (open.required || !last.startsWith("-"))) return { ...place, option: open };
  const [name = "", value] = allowsOptions ? splitOption(last) : [];
  const option = value === undefined ? undefined : optionNamed(command, name);
  if (takesValue(option)) return { ...place, before: `${name}=`, typed: value ?? "", option };
  const argument = argumentAt(command, position);
  return allowsOptions && last.startsWith("-") ? place : { ...place, ...(argument && { argument }) };
}

/** The name and the value of `--name=value`. */
function splitOption(word: string): [name: string, value?: string] {
  const equals = word.startsWith("--") ? word.indexOf("=") : -1;
  return equals < 0 ? [word] : [word.slice(0, equals), word.slice(equals + 1)];
}

function optionNamed(command: Command, name: string): Option | undefined {
  return command.options.find(({ long, short }) => long === name || short === name);
}

function takesValue(option: Option | undefined): option is Option {
  return option !== undefined && (option.required || option.optional);
}

function argumentAt({ registeredArguments: all }: Command, position: number): Argument | undefined {
  return all[position] ?? all.findLast(({ variadic }) => variadic);
}
