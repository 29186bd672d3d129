/**
 * A gate between the keyboard and its readers. While a question is shown, keys are held back until the user can have
 * read it; then one line passes. Neither what was typed ahead nor the rest of a paste answers anything.
 */
import { Transform } from "node:stream";
import { stripVTControlCharacters } from "node:util";
import type { Clock } from "../../../clock.ts";
import { createWordRest } from "./word-rest.ts";

/** The first letter of one of these words answers: alone, or with Enter. */
export type AnswerWords = { words: readonly string[]; onKey(key: string): void };
/** `line`: up to the end of one line, then nothing. */
type Passing = "everything" | "line" | "nothing" | AnswerWords;

export type KeyGate = {
  readonly stream: Transform;
  pass(what: Passing): void;
  /** Lets pass what passes without a question. */
  open(): void;
  close(): void;
};

export type KeyGateDeps = {
  clock: Clock;
  /** Receives the text that did not pass. It is empty for the rest of a word whose first letter answered. */
  onHeld(text: string): void;
  /** What passes while no question is open. `nothing`: Ctrl-D never passes, so that nothing ends the input. */
  otherwise: "everything" | "nothing";
};

const CTRL_D = "\x04";
const CTRL_Z = "\x1a";

export function createKeyGate({ clock, onHeld, otherwise }: KeyGateDeps): KeyGate {
  let passing: Passing = otherwise;
  const rest = createWordRest(clock, (text) => {
    if (passing === "everything" || passing === "line") stream.push(text);
    else onHeld(text);
  });

  function passed(text: string): string {
    if (passing === "everything") return text;
    if (passing === "nothing") return "";
    if (typeof passing === "object") return answered(passing, text);
    const line = /^[^\r\n]*(?:\r\n?|\n)/.exec(text)?.[0];
    if (line !== undefined) passing = "nothing";
    return line ?? text;
  }

  /** A key in a longer piece of input, such as a paste, answers nothing. */
  function answered({ words, onKey }: AnswerWords, text: string): string {
    const key = /^([^\r\n])(?:$|[\r\n])/.exec(text)?.[1]?.toLowerCase();
    const word = words.find((each) => each.charAt(0) === key);
    if (key === undefined || word === undefined) return "";
    passing = "nothing";
    const after = rest.await(word.slice(1), text.slice(1));
    onKey(key);
    return text.slice(0, text.length - after.length);
  }

  function admitted(text: string): string {
    const isKey = typeof passing === "object";
    const through = passed(text);
    if (through.length < text.length) onHeld(text.slice(through.length));
    // The editor suspends the program.
    const suspends = text.includes(CTRL_Z) && !through.includes(CTRL_Z);
    return (isKey ? "" : through) + (suspends ? CTRL_Z : "");
  }

  const stream = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const typed = otherwise === "nothing" ? chunk.toString().replaceAll(CTRL_D, "") : chunk.toString();
      const text = rest.without(typed);
      if (text === "" && typed !== "") onHeld("");
      done(null, admitted(text));
    },
  });
  return {
    stream,
    pass(what) {
      passing = what;
    },
    open() {
      passing = otherwise;
    },
    close: rest.stop,
  };
}

/** Returns whether keys end in the middle of a line: something was typed after the last Enter. */
export function endsMidLine(keys: string): boolean {
  const [last = ""] = keys.split(/[\r\n]/).slice(-1);
  return holdText(last);
}

/** Returns whether keys write something, other than Enter, arrows and the like. */
export function holdText(keys: string): boolean {
  return /\P{Cc}/u.test(stripVTControlCharacters(keys));
}
