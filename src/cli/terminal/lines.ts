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
  const print = (line: string) => output.write(`${wrapFor(output, line)}\n`);
  return {
    onEvent: (event, run) => formatEvent(event, run, format).forEach(print),
    print,
    pause: () => {},
    resume: () => {},
    end: () => {},
  };
}
