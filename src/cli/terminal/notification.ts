/**
 * Calls a user who looks elsewhere: the terminal's bell, and a desktop notification where the terminal supports OSC 9.
 * Ids and counts only: no word of a model or a task gets into an escape sequence.
 */
import type { Config } from "../../config-schema.ts";
import { hasEnded, isConversation, type Run } from "../../run/run.ts";
import { type Io, isRichTerminal, type Output } from "../io.ts";
import { plural } from "./format.ts";

export type NotifyConfig = Config["notify"];

export type TerminalNotifier = {
  /** An approval request of this child is shown and waits for the user. */
  asked(childId: string): void;
  /** The user has waited this long for the run, or for the turn of a conversation. */
  ended(run: Run, waitedMs: number): void;
};

/** Terminals that print an unknown sequence instead of ignoring it. */
const NO_SEQUENCES = /^(?:dumb|linux)/;

/** @param screen the user's terminal; nothing is sent to any other output */
export function createNotifier(
  screen: Output | undefined,
  env: Io["env"],
  { bell, after_seconds: afterSeconds }: NotifyConfig,
): TerminalNotifier {
  function call(text: string): void {
    if (screen?.isTTY === true && bell) screen.write(`\x07${desktopNotification(text, screen, env)}`);
  }
  return {
    asked: (childId) => call(`Deputy: ${childId} waits for your approval`),
    ended(run, waitedMs) {
      if (waitedMs >= afterSeconds * 1000) call(`Deputy: ${endText(run)}`);
    },
  };
}

function endText(run: Run): string {
  if (isConversation(run)) return "the answer is here";
  const completed = run.children.filter(({ tally }) => tally.ending?.status === "completed").length;
  const open = run.children.some((child) => !hasEnded(child));
  return `${completed} of ${plural(run.children.length, "task")} completed${open ? ", the run was stopped" : ""}`;
}

/** OSC 9, which tmux passes on only in an envelope. @param text plain ASCII */
function desktopNotification(text: string, screen: Output, env: Io["env"]): string {
  if (!isRichTerminal(screen, env) || NO_SEQUENCES.test(env.TERM ?? "")) return "";
  const sequence = `\x1b]9;${text}\x07`;
  return env.TMUX ? `\x1bPtmux;${sequence.replaceAll("\x1b", "\x1b\x1b")}\x1b\\` : sequence;
}
