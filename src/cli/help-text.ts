/** The words of `--help`, as wide as the terminal is: paragraphs are wrapped anew, purposes beneath themselves. */

/** Narrowest column for what a command or flag is for, beside it. */
const LEAST_BESIDE = 24;
const INDENT = 6;

export function fitted(help: string, columns: number): string {
  return help
    .split("\n\n")
    .map((part) => (part.split("\n").some((line) => line.length > columns) ? fittedPart(part, columns) : part))
    .join("\n\n");
}

/** Indented lines stand for themselves; the others are one text. */
function fittedPart(part: string, columns: number): string {
  const lines: string[] = [];
  let text: string[] = [];
  const endText = () => {
    if (text.length > 0) lines.push(...wrapped(text.join(" "), columns));
    text = [];
  };
  for (const line of part.split("\n")) {
    if (line !== "" && !line.startsWith(" ")) text.push(line);
    else {
      endText();
      lines.push(...fittedRow(line, columns));
    }
  }
  endText();
  return lines.join("\n");
}

/** `  command  what it is for` */
function fittedRow(line: string, columns: number): string[] {
  const [, command, purpose] = /^( +\S.*? {2,})(\S.*)$/.exec(line) ?? [];
  if (line.length <= columns) return [line];
  if (command === undefined || purpose === undefined)
    return wrapped(line.trim(), columns - 2).map((words) => `  ${words}`);
  if (columns - command.length < LEAST_BESIDE)
    return [command.trimEnd(), ...wrapped(purpose, columns - INDENT).map((words) => " ".repeat(INDENT) + words)];
  const [first = "", ...rest] = wrapped(purpose, columns - command.length);
  return [command + first, ...rest.map((words) => " ".repeat(command.length) + words)];
}

function wrapped(text: string, columns: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= columns) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
