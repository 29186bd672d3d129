/**
 * The lower end of a terminal: lines that stay are written above, and below them some rows are drawn in place, at most
 * ten times a second and only when something changed, in the rows and columns the terminal has at that moment.
 */
import type { Clock } from "../../clock.ts";
import type { Output } from "../io.ts";

const REDRAW_MS = 100;

export type Size = { columns: number; rows: number };
/** One row of the moving part: what is written, and the cells it takes. */
export type ScreenRow = { text: string; width: number };

export interface Screen {
  /** A line that stays. It is written with the next redraw. */
  print(line: string): void;
  /** Begins to draw; again, it does nothing. */
  start(): void;
  /** Writes what was said and takes the moving part off, until `resume`. */
  pause(): void;
  resume(): void;
}

/** @param rows the moving part as it is now; it must leave a row of the terminal free */
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

/** Terminals that do not tell their size are taken for the classic one. */
export function sizeOf(output: Output): Size {
  return { columns: output.columns || 80, rows: output.rows || 24 };
}
