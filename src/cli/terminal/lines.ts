/** A run as plain lines: for pipes, logs and terminals without cursor movement. Nothing is redrawn. */
import type { Output } from "../io.ts";
import { formatEvent, type LineFormat } from "./event-lines.ts";
import type { View } from "./view.ts";
import { wrapFor } from "./word-wrap.ts";

/** Width of a goal in a log: enough to recognize it. */
const LOG_COLUMNS = 160;

export function createLines(deps: { output: Output } & Omit<LineFormat, "columns">): View {
  const { output } = deps;
  const format = { ...deps, columns: () => output.columns ?? LOG_COLUMNS };
  const printer = createLinePrinter(output);
  return {
    ...printer,
    onEvent: (event, run) => formatEvent(event, run, format).forEach(printer.print),
    end: printer.resume,
  };
}

export type LinePrinter = Pick<View, "print" | "pause" | "resume">;

/** Writes lines at once. While it is paused, as a question waits on its row, lines are kept for the end of the pause. */
export function createLinePrinter(output: Output): LinePrinter {
  let kept: string[] | undefined;
  const write = (line: string) => void output.write(`${wrapFor(output, line)}\n`);
  return {
    print(line) {
      if (kept === undefined) write(line);
      else kept.push(line);
    },
    pause() {
      kept ??= [];
    },
    resume() {
      const lines = kept ?? [];
      kept = undefined;
      lines.forEach(write);
    },
  };
}
