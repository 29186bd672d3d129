/**
 * A gate between the keyboard and its readers. While a question is shown, keys are held back until the user can have
 * read it; then one line passes. Neither what was typed ahead nor the rest of a paste answers anything.
 */
import { Transform } from "node:stream";
import { stripVTControlCharacters } from "node:util";

/** `line`: up to the end of one line, then nothing. */
type Passing = "everything" | "line" | "nothing";

export type KeyGate = {
  readonly stream: Transform;
  pass(what: Passing): void;
};

/** @param onHeld receives the text that did not pass */
export function createKeyGate(onHeld: (text: string) => void): KeyGate {
  let passing: Passing = "everything";

  function passed(text: string): string {
    if (passing === "everything") return text;
    if (passing === "nothing") return "";
    const line = /^[^\r\n]*(?:\r\n?|\n)/.exec(text)?.[0];
    if (line !== undefined) passing = "nothing";
    return line ?? text;
  }

  const stream = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const text = chunk.toString();
      const through = passed(text);
      if (through.length < text.length) onHeld(text.slice(through.length));
      done(null, through);
    },
  });
  return {
    stream,
    pass(what) {
      passing = what;
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
