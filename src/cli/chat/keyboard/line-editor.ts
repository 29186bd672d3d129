/** A terminal line editor whose prompt can be hidden while it keeps reading. */
import { createInterface, type Interface } from "node:readline";
import { Writable } from "node:stream";
import type { Output } from "../../io.ts";
import type { KeyGate } from "./key-gate.ts";
import { folded } from "./paste.ts";

/** Candidates for the end of a line, and the part that they replace. */
export type Completion = [candidates: string[], part: string];

export type LineEditorDeps = {
  keys: KeyGate["stream"];
  output: Output;
  /** Whether the cursor can be moved. */
  rich: boolean;
  /** Newest first. */
  history: readonly string[];
  complete(line: string): Promise<Completion>;
};

export type LineListener = {
  onLine(line: string): void;
  onInterrupt(): void;
  onEnd(): void;
  onEscape?(): void;
  /** The user wants to write the message in an editor. */
  onEdit?(): void;
};

export type LineEditor = {
  readonly typed: string;
  readonly isShown: boolean;
  /** Earlier lines, newest first. */
  readonly history: readonly string[];
  /** Aborts when the input ends. */
  readonly ended: AbortSignal;
  /** Shows a prompt, with the text typed so far. */
  show(prompt: string): void;
  hide(): void;
  /** Writes lines above the prompt, if it is shown. */
  above(text: string): void;
  /** Shows a prompt with another line. */
  replace(prompt: string, line: string): void;
  readonly prompt: string;
  clear(): void;
  put(text: string): void;
  listen(listener: LineListener): void;
  close(): void;
};

export function createLineEditor({ keys, output, rich, history, complete }: LineEditorDeps): LineEditor {
  const screen = createScreenEnd(output);
  const editor: Interface = createInterface({
    input: keys,
    output: screen.stream,
    terminal: rich,
    history: history.map(folded),
    historySize: 1_000,
    removeHistoryDuplicates: true,
    completer(line: string, callback: (error: Error | null, completion?: Completion) => void) {
      complete(line).then((completion) => callback(null, completion), callback);
    },
    escapeCodeTimeout: 50,
  });
  const ended = new AbortController();
  let closed = false;
  let entered: readonly string[] = history.map(folded);
  editor.on("history", (lines: string[]) => {
    entered = [...lines];
  });
  editor.once("close", () => ended.abort());
  editor.on("SIGCONT", () => editor.resume());
  screen.mute(true);

  function clear(): void {
    if (rich && !ended.signal.aborted) {
      editor.write(null, { ctrl: true, name: "e" });
      editor.write(null, { ctrl: true, name: "u" });
    }
  }

  function show(prompt: string): void {
    if (closed) return;
    const { line, cursor } = editor;
    editor.setPrompt("");
    clear(); // While hidden and empty, the editor's count of rows starts again.
    screen.mute(false);
    editor.setPrompt(prompt);
    editor.prompt();
    put(line);
    while (rich && editor.cursor > cursor) editor.write(null, { name: "left" });
  }

  function put(text: string): void {
    if (rich && text !== "" && !ended.signal.aborted) editor.write(text);
  }

  return {
    get typed() {
      return editor.line;
    },
    get isShown() {
      return !closed && !screen.isMuted();
    },
    get history() {
      return entered;
    },
    ended: ended.signal,
    show,
    hide: () => screen.mute(true),
    above(text) {
      if (closed || screen.isMuted()) return void output.write(text);
      const { rows } = editor.getCursorPos();
      output.write(`${rich ? `${rows > 0 ? `\x1b[${rows}A` : ""}\r\x1b[J` : "\n"}${text}`);
      screen.mute(true); // The editor's rows are no longer where it knows them.
      show(editor.getPrompt());
    },
    replace(prompt, line) {
      clear();
      show(prompt);
      put(line);
    },
    get prompt() {
      return editor.getPrompt();
    },
    clear,
    put,
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
    },
  };
}

/** The editor's output to the terminal, which can be muted. */
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
    isMuted: () => muted,
    mute(mute: boolean) {
      muted = mute;
    },
  };
}
