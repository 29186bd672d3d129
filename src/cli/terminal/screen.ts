/**
 * The lower end of a terminal: permanent lines are written above, and below them some rows are redrawn in place, at
 * most ten times a second and only after a change, for the terminal's current rows and columns. The cursor waits at the
 * first redrawn row, so that a redraw starts there wherever a resized terminal has moved it.
 */
import type { Clock } from "../../clock.ts";
import type { Output } from "../io.ts";
import { wrapWords } from "./word-wrap.ts";

const REDRAW_MS = 100;
const CURSOR = { hide: "\x1b[?25l", show: "\x1b[?25h" };

export type Size = { columns: number; rows: number };
/** One redrawn row: its text, and its width in cells. */
export type ScreenRow = { text: string; width: number };

export interface Screen {
  /** Adds a permanent line, which is written with the next redraw. */
  print(line: string): void;
  /** Starts drawing; a second call has no effect. */
  start(): void;
  /** Removes the redrawn rows until the next redraw, for a program that is suspended. */
  release(): void;
  /** Writes pending lines and removes the redrawn rows, until `resume`. */
  pause(): void;
  resume(): void;
}

/** @param rows returns the current rows to redraw; they must leave one row of the terminal free */
export function createScreen(deps: { output: Output; clock: Clock; rows: (size: Size) => ScreenRow[] }): Screen {
  const { output, clock } = deps;
  let said: string[] = [];
  let drawn: ScreenRow[] = [];
  let drawnFor = sizeOf(output);
  let state: "new" | "drawing" | "paused" = "new";
  let cancelRedraw = () => {};

  function redraw() {
    const size = sizeOf(output);
    const rows = deps.rows(size);
    const isResized = size.columns !== drawnFor.columns || size.rows !== drawnFor.rows;
    if (isResized || said.length > 0 || rows.length !== drawn.length || rows.some(isNew)) show(rows, size);
    cancelRedraw = clock.after(REDRAW_MS, redraw);
  }

  function isNew(row: ScreenRow, at: number): boolean {
    return row.text !== drawn[at]?.text;
  }

  function show(rows: ScreenRow[], size: Size) {
    const lines = [...said, ...rows.map(({ text }) => text)].map((line) => `${line}\x1b[K\n`).join("");
    const up = rows.length > 0 ? `\x1b[${rows.length}A` : "";
    const cursor = rows.length > 0 ? CURSOR.hide : drawn.length > 0 ? CURSOR.show : "";
    output.write(`\r${lines}\x1b[J${up}\r${cursor}`);
    said = [];
    drawn = rows;
    drawnFor = size;
  }

  return {
    print: (line) => void said.push(...wrapWords(line, sizeOf(output).columns).split("\n")),
    start() {
      if (state !== "new") return;
      state = "drawing";
      redraw();
    },
    release: () => show([], sizeOf(output)),
    pause() {
      cancelRedraw();
      state = "paused";
      if (said.length > 0 || drawn.length > 0) show([], sizeOf(output));
    },
    resume() {
      cancelRedraw();
      state = "drawing";
      redraw();
    },
  };
}

/** A terminal that does not report its size counts as the classic one. */
export function sizeOf(output: Output): Size {
  return { columns: output.columns || 80, rows: output.rows || 24 };
}
