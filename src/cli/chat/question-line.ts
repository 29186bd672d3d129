/** The line that answers a question: what was typed before the user can have read the question is not part of it. */
import type { Clock } from "../../clock.ts";
import type { Output } from "../io.ts";
import { endsMidLine, type KeyGate } from "./key-gate.ts";

/** The keyboard has to be quiet for so long under a question before what is typed counts, in milliseconds. */
const QUIET_MS = 300;
const TOO_EARLY = "What was begun before the question was shown does not answer it.\n";

export type QuestionDeps = {
  gate: KeyGate;
  output: Output;
  rich: boolean;
  keepsDrafts: boolean;
  clock: Clock;
  setRawMode(mode: boolean): void;
  /** Shows a prompt, with what was typed so far. */
  show(prompt: string): void;
};

/** A question on the screen. `onHeld`: what was typed and may not answer it. */
export type ActiveQuestion = { onLine(line: string): void; onHeld(text: string): void; stop(): void };

/** Shows the prompt, and lets a line through once the keyboard is quiet. A line that was begun before is no answer. */
export function openQuestion(
  { gate, output, rich, keepsDrafts, clock, setRawMode, show }: QuestionDeps,
  prompt: string,
  onAnswer: (line: string) => void,
  keep: (early: string) => void,
): ActiveQuestion {
  let held = "";
  let isBegun = false;
  let cancel = () => {};

  function hold(): void {
    gate.pass("nothing");
    setRawMode(true); // Without it, the beginning of a line stays with the terminal until the line ends.
    cancel();
    cancel = clock.after(QUIET_MS, () => {
      isBegun = !keepsDrafts && endsMidLine(held);
      held = "";
      if (!rich) setRawMode(false);
      gate.pass("line");
    });
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
  hold();
  return { onHeld, onLine, stop };
}
