/**
 * Makes text from other people and models safe to show: no control character reaches the terminal, and a line is
 * limited to its columns. Width is counted in terminal cells, by grapheme.
 */
import { createRequire } from "node:module";
import { harmless } from "../../text/spelled-text.ts";

/** Length from which a text that becomes one line is cut. */
const MOST_CHARS = 2000;

/** Makes a text one line: white space becomes single blanks, the rest as in `harmless`. A cut ends with `…`. */
export function oneLine(text: string): string {
  const line = harmless(text.slice(0, MOST_CHARS).replace(/\s+/gu, " ").trim());
  return text.length > MOST_CHARS ? `${line}…` : line;
}

/** ASCII, Latin letters, dashes, arrows, lines and the like: one cell each. None of these combines with a neighbor. */
const NARROW =
  /^[\x20-\x7e\xa1-\xac\xae-\u02ff\u2010-\u2027\u2190-\u22ff\u23ce\u2500-\u257f\u2713\u2717\u2800-\u28ff]*$/;

/** Width in terminal cells of a safe one-line `text` without styles. */
export function displayWidth(text: string): number {
  return NARROW.test(text) ? text.length : stringWidth()(text);
}

const requireModule = createRequire(import.meta.url);

/** Loaded only for a text that needs it: its tables take 40 ms. */
function stringWidth(): typeof import("string-width").default {
  return (requireModule("string-width") as typeof import("string-width")).default;
}

/** Cuts `text` to at most `columns` cells, marking a cut with `…`. */
export function fit(text: string, columns: number): string {
  if (displayWidth(text) <= columns) return text;
  if (columns < 1) return "";
  return `${cut(graphemes(text), columns - 1).join("")}…`;
}

/** The longest prefix of `text` of at most `columns` cells, and at least its first character. */
export function beginning(text: string, columns: number): string {
  if (NARROW.test(text)) return text.slice(0, Math.max(1, columns));
  const parts = graphemes(text);
  return cut(parts, columns).join("") || (parts[0] ?? "");
}

/** The end of `text` in at most `columns` cells, marking a cut before it with `…`. */
export function fitEnd(text: string, columns: number): string {
  if (displayWidth(text) <= columns) return text;
  if (columns < 1) return "";
  return `…${cut(graphemes(text).reverse(), columns - 1)
    .reverse()
    .join("")}`;
}

export function padTo(text: string, columns: number): string {
  return text + " ".repeat(Math.max(0, columns - displayWidth(text)));
}

function cut(parts: string[], columns: number): string[] {
  let used = 0;
  const end = parts.findIndex((part) => {
    used += displayWidth(part);
    return used > columns;
  });
  return end === -1 ? parts : parts.slice(0, end);
}

function graphemes(text: string): string[] {
  return Array.from(new Intl.Segmenter("en").segment(text), ({ segment }) => segment);
}
