/**
 * Makes pasted lines one message. A terminal in bracketed-paste mode marks where a paste begins and ends; line breaks
 * between the marks become `⏎`, which the user can see and delete, and which `unfolded` turns back into line breaks.
 * Without marks, text after a line break in the same piece of input was not typed either.
 */
import { Transform } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import { holdText } from "./key-gate.ts";

export const PASTE_MODE = { on: "\x1b[?2004h", off: "\x1b[?2004l" };
const BEGIN = "\x1b[200~";
const END = "\x1b[201~";
/** A line break in a message that is being typed. */
export const LINE_BREAK = "⏎";
const BREAK = /\r\n|\r|\n/g;

/** Restores the line breaks of a pasted text. */
export function unfolded(line: string): string {
  return line.replaceAll(LINE_BREAK, "\n");
}

/** Folds a message to one line, for a line editor. */
export function folded(message: string): string {
  return message.replaceAll("\n", LINE_BREAK);
}

/**
 * Transforms keys on their way to the line editor.
 * @param isAsking while a question is shown, the key gate decides about pasted lines that have no marks
 */
export function createPasteFolding(isAsking: () => boolean): Transform {
  const decoder = new StringDecoder("utf8");
  let pasting = false;
  let left = "";

  function take(text: string): string {
    let out = "";
    let rest = left + text;
    left = "";
    for (;;) {
      const mark = pasting ? END : BEGIN;
      const at = rest.indexOf(mark);
      if (at >= 0) {
        out += shownAs(rest.slice(0, at));
        rest = rest.slice(at + mark.length);
        pasting = !pasting;
        continue;
      }
      // A mark may arrive in two pieces. A lone escape is a key and passes at once.
      const held = pasting || rest !== "\x1b" ? heldBack(rest, mark) : 0;
      left = held === 0 ? "" : rest.slice(-held);
      return out + shownAs(held === 0 ? rest : rest.slice(0, -held));
    }
  }

  function shownAs(text: string): string {
    if (pasting) return text.replace(BREAK, LINE_BREAK).replaceAll("\x1b", "");
    return isAsking() ? text : foldedBlock(text);
  }

  return new Transform({
    transform(chunk: Buffer | string, _encoding, done) {
      done(null, take(typeof chunk === "string" ? chunk : decoder.write(chunk)));
    },
  });
}

/** Folds the lines of one piece of input up to its last text. */
function foldedBlock(text: string): string {
  const lines = text.split(BREAK);
  const last = lines.findLastIndex(holdText);
  if (last < 1) return text;
  return [lines.slice(0, last + 1).join(LINE_BREAK), ...lines.slice(last + 1)].join("\r");
}

/** Length of the longest suffix of `text` that is a prefix of `mark`. */
function heldBack(text: string, mark: string): number {
  for (let length = Math.min(mark.length - 1, text.length); length > 0; length--) {
    if (text.endsWith(mark.slice(0, length))) return length;
  }
  return 0;
}
