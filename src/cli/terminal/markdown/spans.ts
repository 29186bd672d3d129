/** Styled text: pieces with styles, wrapped into rows between words. Every character of it is safe to show. */

import { harmless } from "../../../text/spelled-text.ts";
import type { Paint, TextStyle } from "../../io.ts";
import type { ScreenRow } from "../screen.ts";
import { beginning, displayWidth, padTo } from "../terminal-text.ts";

export type TextSpan = { text: string; styles: readonly TextStyle[] };
export type TextRow = readonly TextSpan[];

export const EMPTY_ROW: TextRow = [];
/** Rows are never narrower. */
export const LEAST_COLUMNS = 8;
/** Characters that one row may consist of, for each cell of it: letters can have combining marks. */
const CHARACTERS_PER_CELL = 4;

/** The first half of a character that was cut in two. */
const HALF = /[\ud800-\udbff]$/;

export function span(text: string, ...styles: TextStyle[]): TextSpan {
  return { text: harmless(text).replaceAll("\t", "  "), styles };
}

export function withStyles(spans: readonly TextSpan[], ...styles: TextStyle[]): TextSpan[] {
  return spans.map((each) => ({ ...each, styles: [...styles, ...each.styles] }));
}

export function widthOf(row: TextRow): number {
  return displayWidth(textOf(row));
}

export function textOf(row: TextRow): string {
  return row.map(({ text }) => text).join("");
}

export function painted(row: TextRow, paint: Paint): ScreenRow {
  const text = row.map(({ text, styles }) => styles.reduce((painted, style) => paint(style, painted), text)).join("");
  return { text, width: widthOf(row) };
}

/** Puts `first` before the first row, and `next` before every other one. */
export function prefixed(rows: readonly TextRow[], first: TextSpan, next: TextSpan): TextRow[] {
  return rows.map((row, index) => [index === 0 ? first : next, ...row]);
}

/** The rows of what fits beside `next`, prefixed; without a prefix where no room would be left. */
export function indented(
  rowsIn: (columns: number) => TextRow[],
  columns: number,
  first: TextSpan,
  next: TextSpan,
): TextRow[] {
  const room = columns - next.text.length;
  return room < LEAST_COLUMNS ? rowsIn(columns) : prefixed(rowsIn(room), first, next);
}

/** Fills a row with blanks on its right, its left or both sides. */
export function aligned(row: TextRow, columns: number, align: "left" | "center" | "right" | null): TextRow {
  const free = Math.max(0, columns - widthOf(row));
  const before = align === "right" ? free : align === "center" ? Math.floor(free / 2) : 0;
  return [span(" ".repeat(before)), ...row, span(padTo("", free - before))];
}

/** Wraps spans between words, within a word only if it is longer than a row. A line feed ends a row. */
export function wrapped(spans: readonly TextSpan[], columns: number): TextRow[] {
  return linesOf(spans).flatMap((line) => wrappedLine(line, Math.max(LEAST_COLUMNS, columns)));
}

function linesOf(spans: readonly TextSpan[]): TextSpan[][] {
  const lines: TextSpan[][] = [[]];
  for (const { text, styles } of spans) {
    for (const [index, piece] of text.split("\n").entries()) {
      if (index > 0) lines.push([]);
      if (piece !== "") lines.at(-1)?.push({ text: piece, styles });
    }
  }
  return lines;
}

function wrappedLine(line: readonly TextSpan[], columns: number): TextRow[] {
  const rows: TextRow[] = [];
  const most = columns * CHARACTERS_PER_CELL;
  for (let left = line; ; ) {
    const text = beginningOf(left, most + 1);
    if (text.length <= most && displayWidth(text) <= columns) return [...rows, left];
    const { length, skipped } = rowIn(text.slice(0, most).replace(HALF, ""), columns);
    const [row, rest] = splitAt(left, length);
    rows.push(row);
    left = splitAt(rest, skipped)[1];
  }
}

function beginningOf(line: readonly TextSpan[], length: number): string {
  let text = "";
  for (const span of line) {
    if (text.length >= length) break;
    text += span.text;
  }
  return text.slice(0, length);
}

/** The length of the row that a text begins with, and of the blank after it. */
function rowIn(text: string, columns: number): { length: number; skipped: number } {
  const fitting = beginning(text, columns);
  if (text[fitting.length] === " ") return { length: fitting.length, skipped: 1 };
  const blank = fitting.lastIndexOf(" ");
  if (fitting.slice(0, Math.max(0, blank)).trim() === "") return { length: fitting.length, skipped: 0 };
  return { length: blank, skipped: 1 };
}

function splitAt(line: readonly TextSpan[], length: number): [TextSpan[], TextSpan[]] {
  const before: TextSpan[] = [];
  let room = length;
  for (const [index, each] of line.entries()) {
    if (each.text.length > room) {
      const after = { ...each, text: each.text.slice(room) };
      if (room > 0) before.push({ ...each, text: each.text.slice(0, room) });
      return [before, [after, ...line.slice(index + 1)]];
    }
    before.push(each);
    room -= each.text.length;
  }
  return [before, []];
}

/** A row without blanks at its end. */
export function withoutTrailingBlanks(row: TextRow): TextRow {
  const text = textOf(row);
  let surplus = text.length - text.trimEnd().length;
  const kept = [...row];
  while (surplus > 0) {
    const last = kept.pop();
    if (last === undefined) break;
    if (last.text.length > surplus) kept.push({ ...last, text: last.text.slice(0, last.text.length - surplus) });
    surplus -= last.text.length;
  }
  return kept;
}
