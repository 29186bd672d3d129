/**
 * Keys of the chat that the line editor does not have: Alt-Enter begins a new line of the message, and Esc, which also
 * begins the sequences of other keys, is one if nothing follows it for a moment.
 */
import { Transform } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import type { Clock } from "../../../clock.ts";
import { LINE_BREAK } from "./paste.ts";

const ESCAPE = "\x1b";
/** Time within which the rest of a key's sequence arrives, in milliseconds. */
const SEQUENCE_MS = 50;
// biome-ignore lint/suspicious/noControlCharactersInRegex: terminals send Alt-Enter so.
const ALT_ENTER = /\x1b(?:\r\n?|\n)/g;

export type KeyCommandsDeps = {
  clock: Clock;
  /** While a question is shown, every key is for it. */
  isAsking: () => boolean;
  onEscape(): void;
};

/** Transforms keys on their way to the line editor. */
export function createKeyCommands({ clock, isAsking, onEscape }: KeyCommandsDeps): Transform {
  const decoder = new StringDecoder("utf8");
  let held = "";
  let cancel = () => {};

  function hold(): void {
    held = ESCAPE;
    cancel = clock.after(SEQUENCE_MS, () => {
      held = "";
      if (!isAsking()) onEscape();
    });
  }

  function take(piece: string): string {
    cancel();
    const text = held + piece;
    held = "";
    if (isAsking()) return text;
    const isEscape = text.replaceAll(ESCAPE, "") === "";
    if (isEscape) hold();
    return isEscape ? "" : text.replace(ALT_ENTER, LINE_BREAK);
  }

  return new Transform({
    transform(chunk: Buffer | string, _encoding, done) {
      done(null, take(typeof chunk === "string" ? chunk : decoder.write(chunk)));
    },
    destroy(error, done) {
      cancel();
      done(error);
    },
  });
}
