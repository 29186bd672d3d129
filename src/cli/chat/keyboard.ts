/**
 * The person at the keyboard: one line editor for the whole chat, with history and completion. Its prompt is shown while
 * the chat waits; while a turn runs the editor goes on unseen, and the screen shows `typed` itself.
 */
import { createInterface, type Interface } from "node:readline";
import { Writable } from "node:stream";
import type { Input, Output } from "../io.ts";
import { createPasteFolding, folded, PASTE_MODE } from "./paste.ts";

export type KeyboardDeps = {
  input: Input;
  output: Output;
  /** Whether the cursor can be moved. */
  rich: boolean;
  /** Newest first. */
  history: readonly string[];
  /** What the line may go on with, and the part of it that this replaces. */
  complete(line: string): [candidates: string[], part: string];
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
  /** Each line that is entered. Ctrl-C calls `onInterrupt`, Ctrl-D on an empty line or the end of the input `onEnd`. */
  listen(listener: { onLine(line: string): void; onInterrupt(): void; onEnd(): void }): void;
  close(): void;
}

export function createKeyboard({ input, output, rich, history, complete }: KeyboardDeps): Keyboard {
  const screen = createScreenEnd(output);
  const keys = Object.assign(createPasteFolding(), {
    isTTY: true,
    setRawMode: (mode: boolean) => (input as { setRawMode?: (mode: boolean) => void }).setRawMode?.(mode),
  });
  input.pipe(keys);
  const editor: Interface = createInterface({
    input: keys,
    output: screen.stream,
    terminal: rich,
    history: history.map(folded),
    historySize: 1_000,
    removeHistoryDuplicates: true,
    completer: (line: string) => complete(line),
    escapeCodeTimeout: 50,
  });
  let closed = false;
  if (rich) output.write(PASTE_MODE.on);
  screen.mute(true);

  function clear(): void {
    if (rich) {
      editor.write(null, { ctrl: true, name: "e" });
      editor.write(null, { ctrl: true, name: "u" });
    }
  }

  return {
    show(prompt) {
      if (closed) return;
      const typed = editor.line;
      editor.setPrompt("");
      clear(); // while nobody sees it: with nothing on it, the editor's own count of rows starts anew
      screen.mute(false);
      editor.setPrompt(prompt);
      editor.prompt();
      if (rich && typed !== "") editor.write(typed);
    },
    hide: () => screen.mute(true),
    get typed() {
      return editor.line;
    },
    clear,
    put: (text) => void (rich && text !== "" && editor.write(text)),
    listen({ onLine, onInterrupt, onEnd }) {
      editor.on("line", onLine);
      editor.on("SIGINT", onInterrupt);
      editor.on("close", () => {
        if (!closed) onEnd();
        closed = true;
      });
    },
    close() {
      closed = true;
      editor.close();
      input.unpipe(keys);
      input.pause();
      if (rich) output.write(PASTE_MODE.off);
    },
  };
}

/** The editor's way to the terminal, which can be closed for a while. */
function createScreenEnd(output: Output) {
  let muted = false;
  const stream = new Writable({
    decodeStrings: false,
    write(chunk: string, _encoding, done) {
      if (!muted) output.write(chunk);
      done();
    },
  });
  Object.defineProperty(stream, "columns", { get: () => output.columns || 80 });
  return {
    stream,
    mute(mute: boolean) {
      muted = mute;
    },
  };
}
