/** Breaks lines at words for a terminal. A word that is wider than a row stays whole: the terminal breaks it. */
import { stripVTControlCharacters } from "node:util";
import type { Output } from "../io.ts";
import { displayWidth } from "./terminal-text.ts";

/**
 * @param text safe text, with styles or without, of one or several lines
 * @param indent of the rows that continue a line, or a mark at their beginning
 */
export function wrapWords(text: string, columns: number, indent = "  "): string {
  return text
    .split("\n")
    .map((line) => wrapLine(line, columns, indent))
    .join("\n");
}

/** Wraps a text for an output, if that is a terminal. A pipe gets every line as it is. */
export function wrapFor(output: Output, text: string, indent?: string): string {
  return output.isTTY === true ? wrapWords(text, columnsOf(output), indent) : text;
}

/** Width of a terminal; a pipe has no limit. */
export function columnsOf({ isTTY, columns }: Output): number {
  return isTTY === true ? columns || 80 : Number.POSITIVE_INFINITY;
}

function wrapLine(line: string, columns: number, indent: string): string {
  if (displayWidth(stripVTControlCharacters(line)) <= columns) return line;
  const rows: string[] = [];
  let row = "";
  let width = 0;
  for (const [piece = ""] of line.matchAll(/ *[^ ]+/g)) {
    const visible = stripVTControlCharacters(piece);
    const cells = displayWidth(visible);
    const hasWords = stripVTControlCharacters(row).trim() !== "";
    if (width + cells > columns && hasWords) {
      rows.push(row);
      const word = piece.trimStart();
      row = indent + word;
      width = displayWidth(stripVTControlCharacters(row));
    } else {
      row += piece;
      width += cells;
    }
  }
  return [...rows, row].join("\n");
}
