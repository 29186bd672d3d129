/**
 * A gate between the keyboard and its readers. While a question is shown, keys are held back until the user can have
 * read it; then one line passes. Neither what was typed ahead nor the rest of a paste answers anything.
 */
import { Transform } from "node:stream";
import { stripVTControlCharacters } from "node:util";

/** One key of these answers: alone, or with Enter. */
export type AnswerKeys = { keys: string; onKey(key: string): void };
/** `line`: up to the end of one line, then nothing. */
type Passing = "everything" | "line" | "nothing" | AnswerKeys;

export type KeyGate = {
  readonly stream: Transform;
  pass(what: Passing): void;
  /** Lets pass what passes without a question. */
  open(): void;
};

const CTRL_D = "\x04";
const CTRL_Z = "\x1a";

/**
 * @param onHeld receives the text that did not pass
 * @param otherwise what passes while no question is open. `nothing`: Ctrl-D never passes, so that nothing ends the input
 */
export function createKeyGate(onHeld: (text: string) => void, otherwise: "everything" | "nothing"): KeyGate {
  let passing: Passing = otherwise;

  function passed(text: string): string {
    if (passing === "everything") return text;
    if (passing === "nothing") return "";
    if (typeof passing === "object") return answered(passing, text);
    const line = /^[^\r\n]*(?:\r\n?|\n)/.exec(text)?.[0];
    if (line !== undefined) passing = "nothing";
    return line ?? text;
  }

  /** A key in a longer piece of input, such as a paste, answers nothing. */
  function answered({ keys, onKey }: AnswerKeys, text: string): string {
    const key = /^([^\r\n])(?:$|[\r\n])/.exec(text)?.[1]?.toLowerCase();
    if (key === undefined || !keys.includes(key)) return "";
    passing = "nothing";
    onKey(key);
    return text.slice(0, 1);
  }

  const stream = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const text = otherwise === "nothing" ? chunk.toString().replaceAll(CTRL_D, "") : chunk.toString();
      const isKey = typeof passing === "object";
      const through = passed(text);
      if (through.length < text.length) onHeld(text.slice(through.length));
      // The editor suspends the program.
      const suspends = text.includes(CTRL_Z) && !through.includes(CTRL_Z);
      done(null, (isKey ? "" : through) + (suspends ? CTRL_Z : ""));
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
