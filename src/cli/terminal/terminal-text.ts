/**
 * Text that other people and models wrote, made safe to show: no control character reaches the terminal, and a line
 * takes the columns it is given. Width is counted in terminal cells, by grapheme.
 */
import { createRequire } from "node:module";

/** Controls, and the invisible characters that can reorder or hide text (bidi marks, zero-width, tags). */
const UNSAFE =
  /[\p{Cc}\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}\p{Cs}]/gu;

/** Every unsafe character in a visible spelling (`\x1b`, `\u{202e}`). Line feeds and tabs stay where they are. */
export function harmless(text: string): string {
  return text.replace(UNSAFE, (found) => (found === "\n" || found === "\t" ? found : spelled(found)));
}

/** One line, whatever was in it: white space becomes single blanks, the rest as in `harmless`. */
export function oneLine(text: string): string {
  return harmless(text.slice(0, 2000).replace(/\s+/gu, " ").trim());
}

/** Whatever a terminal would not show as a character of its own: also joiners, variation selectors and odd blanks. */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}\p{Variation_Selector}]|(?! )\p{Zs}/gu;

/** The lines of a text that a person is to judge, with everything that could hide spelled out. */
export function spelledLines(text: string): string[] {
  return text.split("\n").map((line) => {
    const shown = line.replace(HIDDEN, spelled);
    return shown.trimEnd().padEnd(shown.length, "·");
  });
}

const SHORT: Record<string, string> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

function spelled(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  const hex = code.toString(16);
  return SHORT[character] ?? (code < 0x100 ? `\\x${hex.padStart(2, "0")}` : `\\u{${hex}}`);
}

/** ASCII, Latin letters, dashes, arrows, lines and the like: one cell each. Nothing here joins what is beside it. */
const NARROW =
  /^[\x20-\x7e\xa1-\xac\xae-\u02ff\u2010-\u2027\u2190-\u22ff\u23ce\u2500-\u257f\u2713\u2717\u2800-\u28ff]*$/;

/** Cells that `text` (harmless, one line, no styles) takes on a terminal. */
export function displayWidth(text: string): number {
  return NARROW.test(text) ? text.length : stringWidth()(text);
}

const requireModule = createRequire(import.meta.url);

/** Loaded with the first text that needs it: its tables take 40 ms. */
function stringWidth(): typeof import("string-width").default {
  return (requireModule("string-width") as typeof import("string-width")).default;
}

/** `text` in at most `columns` cells, with `…` where something was cut off. */
export function fit(text: string, columns: number): string {
  if (displayWidth(text) <= columns) return text;
  if (columns < 1) return "";
  return `${cut(graphemes(text), columns - 1).join("")}…`;
}

/** The beginning of `text` that takes at most `columns` cells, and at least its first character. */
export function beginning(text: string, columns: number): string {
  if (NARROW.test(text)) return text.slice(0, Math.max(1, columns));
  const parts = graphemes(text);
  return cut(parts, columns).join("") || (parts[0] ?? "");
}

/** The end of `text` in at most `columns` cells, with `…` where something was cut off before it. */
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
