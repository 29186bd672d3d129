/** Text of `--help`, wrapped to the terminal's width: paragraphs, and descriptions in their own column. */
import { Help } from "commander";

/** Narrowest column for the description next to a command or flag. */
const LEAST_BESIDE = 24;
const INDENT = 6;

export function fitted(text: string, columns: number): string {
  const help = Object.assign(new Help(), { helpWidth: columns, minWidthToWrap: 1 });
  const isWide = (line: string) => help.displayWidth(line) > columns;
  const fit = (part: string) =>
    part
      .replace(/^(?=\S)(.*)\n(?=\S)/gm, "$1 ") // Indented lines stay separate; the others are joined to one text.
      .split("\n")
      .map((line) => (isWide(line) ? fittedLine(line, columns, help) : line))
      .join("\n");
  return text
    .split("\n\n")
    .map((part) => (part.split("\n").some(isWide) ? fit(part) : part))
    .join("\n\n");
}

/** Wraps `  command  what it is for`, another indented line, or a paragraph. */
function fittedLine(line: string, columns: number, help: Help): string {
  const indented = (indent: number) => help.boxWrap(line.trim(), columns - indent).replace(/^/gm, " ".repeat(indent));
  const [, term, gap = "", purpose] = /^ {2}(\S.*?)( {2,})(\S.*)$/.exec(line) ?? [];
  if (term === undefined || purpose === undefined) return indented(line.startsWith(" ") ? 2 : 0);
  const termWidth = term.length + gap.length - 2;
  if (columns - termWidth - 4 >= LEAST_BESIDE) return help.formatItem(term, termWidth, purpose, help);
  return `  ${term}\n${help.boxWrap(purpose, columns - INDENT).replace(/^/gm, " ".repeat(INDENT))}`;
}
