/** A warning of a command, on standard error. */
import { createPaint, type Io } from "../io.ts";
import { oneLine } from "./terminal-text.ts";
import { wrapFor } from "./word-wrap.ts";

export function writeWarning({ stderr, env }: Pick<Io, "stderr" | "env">, message: string): void {
  const line = createPaint(stderr, env)("yellow", `! ${oneLine(message)}`);
  stderr.write(`${wrapFor(stderr, line)}\n`);
}
