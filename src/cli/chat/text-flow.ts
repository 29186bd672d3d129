/**
 * A model's text as it arrives, in rows of a terminal: broken between words, every control character spelled out. Rows
 * that are full or ended stay; the last one still grows.
 */
import { beginning, displayWidth, harmless } from "../terminal/terminal-text.ts";

export type TextFlow = {
  /** Takes the next piece. @returns the rows it has completed */
  add(piece: string): string[];
  /** The row that still grows; empty where there is none. */
  readonly open: string;
  /** Ends the open row. @returns it, or nothing */
  end(): string[];
};

/** @param columns cells of a row, asked anew for each piece */
export function createTextFlow(columns: () => number): TextFlow {
  let open = "";
  /** Half a character, where a piece was cut in the middle of one. */
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
    get open() {
      return open;
    },
    end() {
      const last = open + (half === "" ? "" : harmless(half));
      open = half = "";
      return last === "" ? [] : [last];
    },
  };
}

/** At the last blank that leaves words on both sides; in the middle of a word that is longer than a row. */
function broken(text: string, width: number): [row: string, left: string] {
  const fitting = beginning(text, width);
  if (text[fitting.length] === " ") return [fitting, text.slice(fitting.length + 1)];
  const blank = fitting.lastIndexOf(" ");
  if (fitting.slice(0, Math.max(0, blank)).trim() === "") return [fitting, text.slice(fitting.length)];
  return [fitting.slice(0, blank), text.slice(blank + 1)];
}

/** A text of Deputy's own in rows, broken between words. */
export function inRows(text: string, columns: number): string[] {
  const flow = createTextFlow(() => columns);
  return [...flow.add(text), ...flow.end()];
}
