/** Reads the line or key that answers a question; what was typed before the user can have read the question does not count. */
import type { Clock } from "../../../clock.ts";
import type { Output } from "../../io.ts";
import { endsMidLine, type KeyGate } from "./key-gate.ts";
import { QUIET_MS } from "./word-rest.ts";

/**
 * What answers a question. `words`: the first letter of one of them, without Enter. `free`: a line that cannot allow
 * anything, so that typing counts at once. Esc answers both. By default, a line.
 */
export type AnswerForm = { words: readonly string[] } | "free" | "line";

/** The answer that Esc gives. No line is equal to it. */
export const ESCAPE = "\x1b";

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

/** A question on the screen. */
export type ActiveQuestion = {
  onLine(line: string): void;
  /** Receives typed text that may not answer it. */
  onHeld(text: string): void;
  /** Esc may have been pressed. @returns what it does unless it begins the sequence of another key */
  onEscape(): () => void;
  stop(): void;
};

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
  let isReady = false;
  let cancel = () => {};

  function hold(): void {
    isReady = false;
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
    isReady = true;
    gate.pass(typeof form === "object" ? { words: form.words, onKey: onAnswer } : "line");
  }

  function onHeld(text: string): void {
    if (text === "" && isReady) return;
    keep(text);
    held += text;
    hold();
  }

  function onEscape(): () => void {
    if (isReady && form !== "line") return () => onAnswer(ESCAPE);
    onHeld("");
    return () => {};
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
  return { onHeld, onLine, onEscape, stop };
}
