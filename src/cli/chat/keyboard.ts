/**
 * The person at the keyboard: one line editor for the whole chat, with history and completion. Its prompt is shown while
 * the chat waits; while a turn runs the editor goes on unseen, and the screen shows `typed` itself. A question takes the
 * keyboard over: only what is typed under it, after a moment in which nothing was, answers it.
 */
import { createInterface, type Interface } from "node:readline";
import { Writable } from "node:stream";
import { stripVTControlCharacters } from "node:util";
import { type Clock, systemClock } from "../../clock.ts";
import type { Input, Output } from "../io.ts";
import { createKeyGate, endsMidLine } from "./key-gate.ts";
import { createPasteFolding, folded, PASTE_MODE } from "./paste.ts";

/** The keyboard has to be quiet for so long under a question before what is typed counts, in milliseconds. */
const QUIET_MS = 300;
const CTRL_C = "\x03";
const TOO_EARLY = "What was begun before the question was shown does not answer it.\n";

export type KeyboardDeps = {
  input: Input;
  output: Output;
  /** Whether the cursor can be moved. */
  rich: boolean;
  /** Newest first. */
  history: readonly string[];
  /** What the line may go on with, and the part of it that this replaces. */
  complete(line: string): [candidates: string[], part: string];
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
  listen(listener: { onLine(line: string): void; onInterrupt(): void; onEnd(): void }): void;
  close(): void;
}

/** A question on the screen. `onHeld`: what was typed and may not answer it. */
type ActiveQuestion = { onLine(line: string): void; onHeld(text: string): void; stop(): void };

export function createKeyboard(deps: KeyboardDeps): Keyboard {
  const { input, output, rich, history, complete, keepsDrafts = false, clock = systemClock } = deps;
  const screen = createScreenEnd(output);
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
  const ended = new AbortController();
  let closed = false;
  editor.once("close", () => ended.abort());
  editor.on("SIGCONT", () => editor.resume());
  if (rich) output.write(PASTE_MODE.on);
  screen.mute(true);

  function clear(): void {
    if (rich && !ended.signal.aborted) {
      editor.write(null, { ctrl: true, name: "e" });
      editor.write(null, { ctrl: true, name: "u" });
    }
  }

  function show(prompt: string): void {
    if (closed) return;
    const typed = editor.line;
    editor.setPrompt("");
    clear(); // while nobody sees it: with nothing on it, the editor's own count of rows starts anew
    screen.mute(false);
    editor.setPrompt(prompt);
    editor.prompt();
    put(typed);
  }

  function put(text: string): void {
    if (rich && text !== "" && !ended.signal.aborted) editor.write(text);
  }

  async function ask(prompt: string, signal: AbortSignal): Promise<string | undefined> {
    const either = AbortSignal.any([signal, ended.signal]);
    if (either.aborted) return undefined;
    const answer = Promise.withResolvers<string | undefined>();
    either.addEventListener("abort", () => answer.resolve(undefined), { once: true });
    let draft = editor.line;
    clear();
    asked = askedUnder(prompt, answer.resolve, (early) => {
      draft += early;
    });
    try {
      return await answer.promise;
    } finally {
      asked.stop();
      asked = undefined;
      screen.mute(true);
      clear();
      gate.pass("everything");
      if (keepsDrafts) put(asDraft(draft));
    }
  }

  /** Shows the prompt, and lets a line through once the keyboard is quiet. A line that was begun before is no answer. */
  function askedUnder(prompt: string, onAnswer: (line: string) => void, keep: (early: string) => void): ActiveQuestion {
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

  return {
    show,
    hide: () => screen.mute(true),
    get typed() {
      return editor.line;
    },
    clear,
    put,
    ask,
    listen({ onLine, onInterrupt, onEnd }) {
      interrupt = onInterrupt;
      editor.on("line", (line) => (asked ?? { onLine }).onLine(line));
      editor.on("SIGINT", onInterrupt);
      editor.on("close", () => {
        if (!closed) onEnd();
        closed = true;
      });
    },
    close() {
      closed = true;
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
