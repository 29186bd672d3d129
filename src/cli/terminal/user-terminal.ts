/** The terminal of the user, if there is one: where questions are shown, and where they are answered. */
import type { Io, Output } from "../io.ts";

/** A terminal with a user: its screen, and its keyboard as `stdin`. */
export type UserTerminal = { screen: Output; io: Io };

/** The terminal on which a user can answer, also if standard input holds the tasks or the message. */
export function userTerminal(io: Io, viewOutput: Output): UserTerminal | undefined {
  const screen = screenOf(io, viewOutput);
  if (screen === undefined) return undefined;
  const stdin = io.stdin.isTTY === true && !io.stdin.readableEnded ? io.stdin : io.openKeyboard?.();
  return stdin && { screen, io: { ...io, stdin } };
}

/** The output that a user sees. */
export function screenOf(io: Io, viewOutput: Output): Output | undefined {
  return [viewOutput, io.stderr].find((output) => output.isTTY === true);
}
