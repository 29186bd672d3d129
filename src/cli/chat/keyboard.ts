/**
 * The person at the keyboard: one line editor for the whole chat, with history and completion. Its prompt is shown while
 * the chat waits; while a turn runs the editor goes on unseen, and the screen shows `typed` itself. A question takes the
 * keyboard over: only what is typed under it, after a moment in which nothing was, answers it.
 */
import { stripVTControlCharacters } from "node:util";
import { type Clock, systemClock } from "../../clock.ts";
import type { Input, Output } from "../io.ts";
import { createKeyGate } from "./key-gate.ts";
import { type Completion, createLineEditor, type LineListener } from "./line-editor.ts";
import { createPasteFolding, folded, PASTE_MODE } from "./paste.ts";
import { type ActiveQuestion, openQuestion, type QuestionDeps } from "./question-line.ts";

const CTRL_C = "\x03";

export type KeyboardDeps = {
  input: Input;
  output: Output;
  /** Whether the cursor can be moved. */
  rich: boolean;
  /** Newest first. */
  history: readonly string[];
  /** What the line may go on with, and the part of it that this replaces. */
  complete(line: string): Promise<Completion>;
  /** What is typed outside of questions is a draft: it comes back after one. Otherwise it is dropped. */
  keepsDrafts?: boolean;
  clock?: Clock;
};

export interface Keyboard {
  /** Shows a prompt, with what was typed so far. */
  show(prompt: string): void;
  /** What is typed from now on is not shown by the editor. */
  hide(): void;
  readonly typed: string;
  /** Takes away what was typed. */
  clear(): void;
  /** Types for the person. */
  put(text: string): void;
  /**
   * The line that answers a question; undefined where the input ends or the signal aborts first. What was typed before,
   * or within a moment after, answers nothing.
   */
  ask(prompt: string, signal: AbortSignal): Promise<string | undefined>;
  /** Each line that is entered and answers no question. Ctrl-C calls `onInterrupt`, Ctrl-D on an empty line or the end of the input `onEnd`. */
  listen(listener: LineListener): void;
  close(): void;
}

export function createKeyboard(deps: KeyboardDeps): Keyboard {
  const { input, output, rich, history, complete, keepsDrafts = false, clock = systemClock } = deps;
  const setRawMode = (mode: boolean) => (input as { setRawMode?: (mode: boolean) => void }).setRawMode?.(mode);
  let asked: ActiveQuestion | undefined;
  let interrupt = () => {};
  const gate = createKeyGate((text) => {
    if (text.includes(CTRL_C)) interrupt();
    asked?.onHeld(text);
  });
  const folding = createPasteFolding();
  const keys = Object.assign(gate.stream, { isTTY: true, setRawMode });
  input.pipe(folding).pipe(keys);
  const editor = createLineEditor({ keys, output, rich, history, complete });
  const { show } = editor;
  const questionDeps: QuestionDeps = { gate, output, rich, keepsDrafts, clock, setRawMode, show };
  if (rich) output.write(PASTE_MODE.on);

  async function ask(prompt: string, signal: AbortSignal): Promise<string | undefined> {
    const either = AbortSignal.any([signal, editor.ended]);
    if (either.aborted) return undefined;
    const answer = Promise.withResolvers<string | undefined>();
    either.addEventListener("abort", () => answer.resolve(undefined), { once: true });
    let draft = editor.typed;
    editor.clear();
    asked = openQuestion(questionDeps, prompt, answer.resolve, (early) => {
      draft += early;
    });
    try {
      return await answer.promise;
    } finally {
      asked.stop();
      asked = undefined;
      editor.hide();
      editor.clear();
      gate.pass("everything");
      if (keepsDrafts) editor.put(asDraft(draft));
    }
  }

  return {
    show,
    hide: editor.hide,
    get typed() {
      return editor.typed;
    },
    clear: editor.clear,
    put: editor.put,
    ask,
    listen({ onLine, onInterrupt, onEnd }) {
      interrupt = onInterrupt;
      editor.listen({ onLine: (line) => (asked ?? { onLine }).onLine(line), onInterrupt, onEnd });
    },
    close() {
      editor.close();
      input.unpipe(folding);
      input.pause();
      if (rich) output.write(PASTE_MODE.off);
    },
  };
}

/** Keys that an editor did not see, as text that it can be given. */
function asDraft(keys: string): string {
  const text = stripVTControlCharacters(keys).replace(/\r\n?/g, "\n").replace(/\n+$/, "");
  return folded(text.replace(/[^\P{Cc}\n]/gu, ""));
}
