/**
 * The lower end of a terminal: permanent lines are written above, and below them some rows are redrawn in place, at
 * most ten times a second and only after a change, for the terminal's current rows and columns.
 */
import type { Clock } from "../../clock.ts";
import type { Output } from "../io.ts";

const REDRAW_MS = 100;

export type Size = { columns: number; rows: number };
/** One redrawn row: its text, and its width in cells. */
export type ScreenRow = { text: string; width: number };

export interface Screen {
  /** Adds a permanent line, which is written with the next redraw. */
  print(line: string): void;
  /** Starts drawing; a second call has no effect. */
  start(): void;
  /** Writes pending lines and removes the redrawn rows, until `resume`. */
  pause(): void;
  resume(): void;
}

/** @param rows returns the current rows to redraw; they must leave one row of the terminal free */
export function createScreen(deps: { output: Output; clock: Clock; rows: (size: Size) => ScreenRow[] }): Screen {
  const { output, clock } = deps;
  let said: string[] = [];
  let drawn: ScreenRow[] = [];
  let state: "new" | "drawing" | "paused" = "new";
  let cancelRedraw = () => {};

  function redraw() {
    const size = sizeOf(output);
    const rows = deps.rows(size);
    if (said.length > 0 || rows.length !== drawn.length || rows.some((row, at) => row.text !== drawn[at]?.text)) {
      show(rows, size.columns);
    }
    cancelRedraw = clock.after(REDRAW_MS, redraw);
  }

  function show(rows: ScreenRow[], columns: number) {
    const up = drawn.reduce((sum, row) => sum + Math.max(1, Math.ceil(row.width / columns)), 0);
    const lines = [...said, ...rows.map((row) => row.text)].map((line) => `${line}\x1b[K\n`);
    output.write(`${up > 0 ? `\x1b[${up}A\r` : ""}${lines.join("")}\x1b[J`);
    said = [];
    drawn = rows;
  }

  return {
    print: (line) => void said.push(line),
    start() {
      if (state !== "new") return;
      state = "drawing";
      redraw();
    },
    pause() {
      cancelRedraw();
      state = "paused";
      if (said.length > 0 || drawn.length > 0) show([], sizeOf(output).columns);
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
