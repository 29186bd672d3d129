/** Reads the line or key that answers a question; what was typed before the user can have read the question does not count. */
import type { Clock } from "../../../clock.ts";
import type { Output } from "../../io.ts";
import { endsMidLine, type KeyGate } from "./key-gate.ts";

/**
 * What answers a question. `keys`: one of these keys, without Enter. `free`: a line that cannot allow anything, so that
 * typing counts at once. By default, a line.
 */
export type AnswerForm = { keys: string } | "free" | "line";

/** Time without typing below a question after which typing counts, in milliseconds. */
const QUIET_MS = 300;
const TOO_EARLY = "Text typed before the question appeared does not answer it.\n";

export type QuestionDeps = {
  gate: KeyGate;
  output: Output;
  rich: boolean;
  keepsDrafts: boolean;
  clock: Clock;
  setRawMode(mode: boolean): void;
  /** Shows a prompt, with the text typed so far. */
  show(prompt: string): void;
};

/** A question on the screen. `onHeld` receives typed text that may not answer it. */
export type ActiveQuestion = { onLine(line: string): void; onHeld(text: string): void; stop(): void };

/**
 * Shows the prompt, and lets a line through once the keyboard is quiet. A line that was started before does not count.
 */
export function openQuestion(
  { gate, output, rich, keepsDrafts, clock, setRawMode, show }: QuestionDeps,
  prompt: string,
  form: AnswerForm,
  onAnswer: (line: string) => void,
  keep: (early: string) => void,
): ActiveQuestion {
  let held = "";
  let isBegun = false;
  let cancel = () => {};

  function hold(): void {
    gate.pass("nothing");
    setRawMode(true); // Otherwise the terminal keeps the beginning of a line until the line ends.
    cancel();
    cancel = clock.after(QUIET_MS, () => {
      isBegun = !keepsDrafts && endsMidLine(held);
      held = "";
      if (!rich) setRawMode(false);
      pass();
    });
  }

  function pass(): void {
    gate.pass(typeof form === "object" ? { keys: form.keys, onKey: onAnswer } : "line");
  }

  function onHeld(text: string): void {
    keep(text);
    held += text;
    hold();
  }

  function onLine(line: string): void {
    if (isBegun) {
      output.write(TOO_EARLY);
      show(prompt);
      hold();
    } else onAnswer(line);
  }

  function stop(): void {
    cancel();
    if (!rich) setRawMode(false);
  }

  show(prompt);
  if (form === "free") pass();
  else hold();
  return { onHeld, onLine, stop };
}

/** What follows a key that answered, such as the rest of `yes` and Enter, is dropped until the keyboard is quiet. */
export function createSilence(gate: KeyGate, clock: Clock) {
  let cancel: (() => void) | undefined;
  function stop(): void {
    cancel?.();
    cancel = undefined;
  }
  return {
    get isAwaited() {
      return cancel !== undefined;
    },
    stop,
    wait(): void {
      stop();
      gate.pass("nothing");
      cancel = clock.after(QUIET_MS, () => {
        cancel = undefined;
        gate.open();
      });
    },
  };
}
