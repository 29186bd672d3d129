/**
 * The outside world of one invocation, as an argument: streams, environment, directory, clock, Ctrl-C. `process.ts`
 * makes the real one, tests make their own.
 */
import type { Readable } from "node:stream";
import { styleText } from "node:util";
import type { Clock } from "../clock.ts";

/** Where text goes. On a terminal it has a size, which may change at any time. */
export type Output = { write(text: string): unknown; isTTY?: boolean; columns?: number; rows?: number };
export type Input = Readable & { isTTY?: boolean };

export type Io = {
  stdin: Input;
  stdout: Output;
  stderr: Output;
  env: Record<string, string | undefined>;
  /** Why keys of the environment can be read by child processes all the same; absent where they cannot. */
  keysStillVisible?: string;
  /** Hides further variables from child processes; absent where the environment is not this process's own. */
  hideVariables?(names: readonly string[]): void;
  cwd: string;
  clock: Clock;
  /** Calls back at each Ctrl-C or polite request to end, with what it was, until the returned function is called. */
  onInterrupt(callback: (by: string) => void): () => void;
  /** Does what Ctrl-C does, for keys that are read one by one: the terminal sends no signal then. */
  interrupt?(): void;
};

type Style = Parameters<typeof styleText>[0];
/** Text in a style, or as it is where colours are not wanted. */
export type Paint = (style: Style, text: string) => string;

export function createPaint(output: Output, env: Io["env"]): Paint {
  if (!wantsColor(output, env)) return (_style, text) => text;
  return (style, text) => styleText(style, text, { validateStream: false });
}

/** https://no-color.org: a variable that is set and not empty switches colours off, whatever it says. */
function wantsColor(output: Output, env: Io["env"]): boolean {
  if (env.NO_COLOR) return false;
  if (env.FORCE_COLOR !== undefined) return env.FORCE_COLOR !== "0";
  return isRichTerminal(output, env);
}

/** A terminal whose cursor can be moved. */
export function isRichTerminal(output: Output, env: Io["env"]): boolean {
  return output.isTTY === true && env.TERM !== "dumb";
}
