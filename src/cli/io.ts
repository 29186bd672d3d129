/**
 * The outside world of one invocation, as an argument: streams, environment, directory, clock, Ctrl-C. `process.ts`
 * makes the real one, tests make their own.
 */
import type { Readable } from "node:stream";
import { styleText } from "node:util";
import type { Clock } from "../clock.ts";

/** An output of text, or of bytes that are data. A terminal has a size, which may change at any time. */
export type Output = { write(text: string | Uint8Array): unknown; isTTY?: boolean; columns?: number; rows?: number };
export type Input = Readable & { isTTY?: boolean };

export type Io = {
  stdin: Input;
  /** Opens the user's keyboard where standard input is something else; undefined without a terminal. */
  openKeyboard?(): Input | undefined;
  stdout: Output;
  stderr: Output;
  env: Record<string, string | undefined>;
  /** The reason for which child processes can still read keys from the environment; absent if they cannot. */
  keysStillVisible?: string;
  /** Names of the secrets in the environment of the process that started this one. Absent in tests. */
  secretsOfParent?(): string[];
  /** Hides further variables from child processes; absent if the environment is not this process's own. */
  hideVariables?(names: readonly string[]): void;
  cwd: string;
  clock: Clock;
  /** Calls back at each Ctrl-C or termination signal, with its name, until the returned function is called. */
  onInterrupt(callback: (by: string) => void): () => void;
  /** Returns whether this process may take over its terminal's keyboard: a background job may not. Absent in tests. */
  isForeground?(): boolean;
  /** Acts like Ctrl-C, for keys read in raw mode, in which the terminal sends no signal. */
  interrupt?(): void;
};

type Style = Parameters<typeof styleText>[0];
/** A color or another style of a text. */
export type TextStyle = Exclude<Style, readonly unknown[]>;
/** Styles a text, or returns it unchanged without colors. */
export type Paint = (style: Style, text: string) => string;

export function createPaint(output: Output, env: Io["env"]): Paint {
  if (!wantsColor(output, env)) return (_style, text) => text;
  return (style, text) => styleText(style, text, { validateStream: false });
}

/** https://no-color.org: a nonempty variable disables colors, whatever its value. */
function wantsColor(output: Output, env: Io["env"]): boolean {
  if (env.NO_COLOR) return false;
  if (env.FORCE_COLOR !== undefined) return env.FORCE_COLOR !== "0";
  return isRichTerminal(output, env);
}

/** Returns whether the output is a terminal whose cursor can be moved. */
export function isRichTerminal(output: Output, env: Io["env"]): boolean {
  return output.isTTY === true && env.TERM !== "dumb";
}
