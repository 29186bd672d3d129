/**
 * The keyboard while a run is drawn: nothing that is typed appears between the rows or reaches the shell afterwards.
 * Keys answer questions and choose children; Ctrl-C and Ctrl-Z act as usual.
 */
import { createKeyboard, type Key, type Keyboard } from "../chat/keyboard/keyboard.ts";
import type { UserTerminal } from "./user-terminal.ts";

export type RunKeyboard = Pick<Keyboard, "ask" | "onKey" | "typed"> & {
  /** Takes over the keyboard; a second call has no effect. */
  start(): void;
  /** Gives the keyboard back. */
  close(): void;
};

/** @param terminal one whose cursor can be moved */
export function createRunKeyboard({ screen, io }: UserTerminal): RunKeyboard {
  let keyboard: Keyboard | undefined;
  let listener: (key: Key) => void = () => {};

  function started(): Keyboard {
    if (keyboard !== undefined) return keyboard;
    keyboard = createKeyboard({
      input: io.stdin,
      output: screen,
      rich: true,
      history: [],
      complete: async (line) => [[], line],
      onlyAnswers: true,
      questionsInView: true,
      clock: io.clock,
    });
    keyboard.listen({
      onLine() {},
      onInterrupt: () => io.interrupt?.(),
      onEnd() {},
      onEscape: () => listener("escape"),
    });
    keyboard.onKey((key) => listener(key));
    return keyboard;
  }

  return {
    start: () => void started(),
    ask: (...question) => started().ask(...question),
    onKey(onKey) {
      listener = onKey;
    },
    get typed() {
      return keyboard?.typed ?? "";
    },
    close() {
      keyboard?.close();
      keyboard = undefined;
    },
  };
}
