/**
 * The keyboard: one line editor for the whole chat, with history and completion. Its prompt is shown while the chat
 * waits; during a turn the editor continues hidden, and the screen shows `typed` itself. A question takes over the
 * keyboard: only what is typed below it, after a moment of silence, answers it.
 */
import { stripVTControlCharacters } from "node:util";
import { type Clock, systemClock } from "../../../clock.ts";
import type { Input, Output } from "../../io.ts";
import { createSearching } from "./history-search.ts";
import { createKeyCommands } from "./key-commands.ts";
import { createKeyGate } from "./key-gate.ts";
import { createLentTerminal } from "./lent-terminal.ts";
import { type Completion, createLineEditor, type LineListener } from "./line-editor.ts";
import { createPasteFolding, folded, PASTE_MODE } from "./paste.ts";
import { type ActiveQuestion, type AnswerForm, ESCAPE, openQuestion, type QuestionDeps } from "./question-line.ts";

const CTRL_C = "\x03";

/** Keys that move a selection, with what terminals send for them. */
const KEYS = {
  up: ["\x1b[A", "\x1bOA", "k"],
  down: ["\x1b[B", "\x1bOB", "j"],
  enter: ["\r", "\n"],
  escape: ["\x1b", "q"],
  suspend: ["\x1a"],
} as const;
export type Key = keyof typeof KEYS;

export type KeyboardDeps = {
  input: Input;
  output: Output;
  /** Whether the cursor can be moved. */
  rich: boolean;
  /** Newest first. */
  history: readonly string[];
  /** Completions of the line, and the part of it that they replace. */
  complete(line: string): Promise<Completion>;
  /** Restores text typed outside of questions after a question. Otherwise it is dropped. */
  keepsDrafts?: boolean;
  /** Keys only answer questions: others reach `onKey` alone. */
  onlyAnswers?: boolean;
  /** A view shows questions and `typed` below them. Otherwise the editor does. */
  questionsInView?: boolean;
  clock?: Clock;
};

export interface Keyboard {
  /** Shows a prompt, with the text typed so far. */
  show(prompt: string): void;
  /** Hides the editor; typing continues. */
  hide(): void;
  /** Writes lines above the prompt if it is shown; after the other program's end while the terminal is lent. */
  above(text: string): void;
  readonly typed: string;
  /** Clears the typed text. */
  clear(): void;
  /** Inserts text as if typed. */
  put(text: string): void;
  /**
   * Reads the line or key that answers a question; undefined if the input ends or the signal aborts first. What was
   * typed before, or within a moment after, does not count. Esc is the answer `ESCAPE`, except where a line is read.
   */
  ask(prompt: string, signal: AbortSignal, form?: AnswerForm): Promise<string | undefined>;
  /** Passes on these keys while they answer nothing, if keys only answer questions. */
  onKey(listener: (key: Key) => void): void;
  /** Gives the terminal to another program until the work ends. */
  lend(work: () => Promise<void>): Promise<void>;
  /**
   * Passes on each line that does not answer a question. Ctrl-C calls `onInterrupt`; Ctrl-D on an empty line or the end
   * of the input calls `onEnd`, Esc calls `onEscape`, and Ctrl-G calls `onEdit` while the prompt is shown.
   */
  listen(listener: LineListener): void;
  close(): void;
}

export function createKeyboard(deps: KeyboardDeps): Keyboard {
  const {
    input,
    output,
    rich,
    history,
    complete,
    keepsDrafts = false,
    onlyAnswers = false,
    questionsInView = false,
    clock = systemClock,
  } = deps;
  const setRawMode = (mode: boolean) => (input as { setRawMode?: (mode: boolean) => void }).setRawMode?.(mode);
  let asked: ActiveQuestion | undefined;
  let interrupt = () => {};
  let pressEscape = () => {};
  let wantEditor = () => {};
  let listener: (key: Key) => void = () => {};
  const gate = createKeyGate({
    clock,
    onHeld(text) {
      if (text.includes(CTRL_C)) interrupt();
      if (asked !== undefined) asked.onHeld(text);
      else for (const key of keysIn(text)) listener(key);
    },
    otherwise: onlyAnswers ? "nothing" : "everything",
  });
  const isAsking = () => asked !== undefined;
  const folding = createPasteFolding(isAsking);
  const commands = createKeyCommands({
    clock,
    isAsking,
    onEscape: () => asked?.onEscape() ?? (() => isAsking() || searching.leave() || pressEscape()),
    onEdit: () => editor.isShown && wantEditor(),
    onSearch: () => rich && editor.isShown && searching.begin(),
    search: (typed) => searching.take(typed),
  });
  const keys = Object.assign(gate.stream, { isTTY: true, setRawMode });
  input.pipe(commands).pipe(folding).pipe(keys);
  const editor = createLineEditor({ keys, output, rich, history, complete });
  const searching = createSearching(editor);
  const { lend, above } = createLentTerminal({ ...deps, reader: commands, setRawMode, above: editor.above });
  const { show } = editor;
  const showQuestion = questionsInView ? () => {} : show;
  const questionDeps: QuestionDeps = { gate, output, rich, keepsDrafts, clock, setRawMode, show: showQuestion };
  if (rich) output.write(PASTE_MODE.on);

  async function ask(prompt: string, signal: AbortSignal, form: AnswerForm = "line"): Promise<string | undefined> {
    const either = AbortSignal.any([signal, editor.ended]);
    if (either.aborted) return undefined;
    const answer = Promise.withResolvers<string | undefined>();
    either.addEventListener("abort", () => answer.resolve(undefined), { once: true });
    let draft = searching.stop() ?? editor.typed;
    editor.clear();
    asked = openQuestion(questionDeps, prompt, form, answer.resolve, (early) => {
      draft += early;
    });
    try {
      const given = await answer.promise;
      if (given !== undefined && !questionsInView) echo(given, form);
      return given;
    } finally {
      asked.stop();
      asked = undefined;
      editor.hide();
      editor.clear();
      gate.open();
      if (keepsDrafts) editor.put(asDraft(draft));
    }
  }

  /** Shows an answer that no editor has shown. */
  function echo(given: string, form: AnswerForm): void {
    if (given === ESCAPE) output.write("Esc\n");
    else if (typeof form === "object") output.write(`${given}\n`);
  }

  return {
    show,
    hide: editor.hide,
    above,
    get typed() {
      return editor.typed;
    },
    clear: editor.clear,
    put: editor.put,
    ask,
    lend,
    onKey(onKey) {
      listener = onKey;
    },
    listen({ onLine, onInterrupt, onEnd, onEscape = () => {}, onEdit = () => {} }) {
      interrupt = onInterrupt;
      pressEscape = onEscape;
      wantEditor = onEdit;
      editor.listen({ onLine: (line) => (asked ?? { onLine }).onLine(line), onInterrupt, onEnd });
    },
    close() {
      gate.close();
      editor.close();
      input.unpipe(commands);
      commands.destroy();
      input.pause();
      if (rich) output.write(PASTE_MODE.off);
    },
  };
}

/** The keys in a piece of input, in order. Text that is none of them is skipped. */
function keysIn(text: string): Key[] {
  const sequences = text.match(/\p{Cc}[[O][\d;]*[A-Za-z~]|[\s\S]/gu) ?? [];
  const names = Object.keys(KEYS) as Key[];
  return sequences.flatMap(
    (sequence) => names.find((name) => (KEYS[name] as readonly string[]).includes(sequence)) ?? [],
  );
}

/** Converts keys that no editor has seen to text for one. */
function asDraft(keys: string): string {
  const text = stripVTControlCharacters(keys).replace(/\r\n?/g, "\n").replace(/\n+$/, "");
  return folded(text.replace(/[^\P{Cc}\n]/gu, ""));
}
