/** The approval prompt on a terminal: a part of the view where keys can answer it, else in place of the view. */
import type { Asker } from "../../engine/engine.ts";
import type { Keyboard } from "../chat/keyboard/keyboard.ts";
import { ESCAPE } from "../chat/keyboard/question-line.ts";
import { createPaint, isRichTerminal } from "../io.ts";
import type { TerminalNotifier } from "../terminal/notification.ts";
import type { RunKeyboard } from "../terminal/run-keyboard.ts";
import { oneLine } from "../terminal/terminal-text.ts";
import type { UserTerminal } from "../terminal/user-terminal.ts";
import type { View, ViewQuestion } from "../terminal/view.ts";
import { createApprovalPrompt, type OpenPrompt } from "./approval-prompt.ts";
import { answersFrom } from "./question.ts";
import type { RuleSaver } from "./save-rule.ts";

export type PromptParts = {
  view: Pick<View, "pause" | "resume" | "openQuestion">;
  notifier: TerminalNotifier;
  saver: RuleSaver;
  /** Absent if the question takes the place of the view. */
  keyboard?: RunKeyboard | undefined;
};

export function approvalPromptOn(
  { screen, io }: UserTerminal,
  { view, notifier, keyboard, saver }: PromptParts,
  routeOfChild: (childId: string) => string | Promise<string>,
): Asker {
  return createApprovalPrompt({
    open(childId) {
      notifier.asked(childId);
      const question = keyboard && view.openQuestion?.();
      return question === undefined || keyboard === undefined ? below() : promptIn(question, keyboard);
    },
    byKey: isRichTerminal(screen, io.env),
    saver,
    routeOf: routeOfChild,
  });

  /** The question takes the place of the view. */
  function below(): OpenPrompt {
    view.pause();
    return {
      output: screen,
      paint: createPaint(screen, io.env),
      readAnswer: answersFrom(io, screen),
      close: view.resume,
    };
  }
}

/** The question is a part of the view. */
export function promptIn(question: ViewQuestion, keyboard: Pick<Keyboard, "ask" | "typed">): OpenPrompt {
  return {
    output: question.output,
    paint: (_style, text) => text,
    async readAnswer(prompt, signal, form) {
      question.ask(prompt, () => keyboard.typed);
      const answer = await keyboard.ask(prompt, signal, form);
      question.output.write(`${prompt}${answer === ESCAPE ? "Esc" : oneLine(answer ?? "")}\n`);
      return answer;
    },
    close: question.close,
  };
}
