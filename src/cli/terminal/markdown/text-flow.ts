/**
 * Wraps a model's streaming text to terminal rows, between words, with control characters escaped. Complete rows are
 * final; the last one still grows.
 */

import { harmless } from "../../../text/spelled-text.ts";
import type { ScreenRow } from "../screen.ts";
import { beginning, displayWidth } from "../terminal-text.ts";

/** A model's text while it arrives, as rows of the terminal. */
export type AnswerFlow = {
  /** Adds a piece of text. @returns the rows that are final now */
  add(piece: string): string[];
  /** The last rows that may still change, at most as many as asked for. */
  open(most: number): ScreenRow[];
  /** Ends the text. @returns the rows that were open */
  end(): string[];
};

/** @param columns cells of a row, read again for each piece */
export function createTextFlow(columns: () => number): AnswerFlow {
  let open = "";
  /** Half of a surrogate pair, if a piece ended between the two. */
  let half = "";

  function add(piece: string): string[] {
    let text = half + piece;
    half = /[\ud800-\udbff]$/.test(text) ? text.slice(-1) : "";
    if (half !== "") text = text.slice(0, -1);
    const [first = "", ...rest] = harmless(text).replaceAll("\t", "  ").split("\n");
    const full: string[] = [];
    extend(first, full);
    for (const line of rest) {
      full.push(open);
      open = "";
      extend(line, full);
    }
    return full;
  }

  function extend(text: string, full: string[]): void {
    open += text;
    const width = Math.max(8, columns());
    while (displayWidth(open) > width) {
      const [row, left] = broken(open, width);
      full.push(row);
      open = left;
    }
  }

  return {
    add,
    open: () => (open === "" ? [] : [{ text: open, width: displayWidth(open) }]),
    end() {
      const last = open + (half === "" ? "" : harmless(half));
      open = half = "";
      return last === "" ? [] : [last];
    },
  };
}

/** Breaks a text at the last blank with words on both sides, or within a word that is longer than a row. */
function broken(text: string, width: number): [row: string, left: string] {
  const fitting = beginning(text, width);
  if (text[fitting.length] === " ") return [fitting, text.slice(fitting.length + 1)];
  const blank = fitting.lastIndexOf(" ");
  if (fitting.slice(0, Math.max(0, blank)).trim() === "") return [fitting, text.slice(fitting.length)];
  return [fitting.slice(0, blank), text.slice(blank + 1)];
}

/** Wraps a text of Deputy's own to rows, between words. */
export function inRows(text: string, columns: number): string[] {
  const flow = createTextFlow(() => columns);
  return [...flow.add(text), ...flow.end()];
}
