/**
 * Keys of the chat that the line editor does not have: Alt-Enter begins a new line of the message, Ctrl-R searches the
 * history, Ctrl-G and Ctrl-X Ctrl-E open the user's editor. Esc, which also begins the sequences of other keys, is one
 * if nothing follows it for a moment.
 */
import { Transform } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import type { Clock } from "../../../clock.ts";
import { LINE_BREAK } from "./paste.ts";

const ESCAPE = "\x1b";
const CTRL_R = "\x12";
const CTRL_X = "\x18";
/** Ctrl-G, and Ctrl-X Ctrl-E as in bash. */
const EDIT = ["\x07", "\x18\x05"];
/** Time within which the rest of a key's sequence arrives, in milliseconds. */
const SEQUENCE_MS = 50;
// biome-ignore lint/suspicious/noControlCharactersInRegex: terminals send Alt-Enter so.
const ALT_ENTER = /\x1b(?:\r\n?|\n)/g;

export type KeyCommandsDeps = {
  clock: Clock;
  /** While a question is shown, every key is for it. */
  isAsking: () => boolean;
  /** Esc may have been pressed. @returns what it does if no other key begins with it */
  onEscape(): () => void;
  onEdit(): void;
  onSearch(): void;
  /** Takes the keys of a search, if there is one. @returns the keys that are for the line editor */
  search(keys: string): string | undefined;
};

/** Transforms keys on their way to the line editor. */
export function createKeyCommands(deps: KeyCommandsDeps): Transform {
  const { clock, isAsking, onEscape } = deps;
  const decoder = new StringDecoder("utf8");
  let held = "";
  let cancel = () => {};

  function hold(): void {
    held = ESCAPE;
    const press = onEscape();
    cancel = clock.after(SEQUENCE_MS, () => {
      held = "";
      press();
    });
  }

  function take(piece: string): string {
    cancel();
    const text = held + piece;
    held = "";
    if (text !== "" && text.replaceAll(ESCAPE, "") === "") {
      hold();
      return "";
    }
    if (isAsking()) return text;
    if (text === CTRL_X) {
      held = text;
      return "";
    }
    const searched = deps.search(text);
    if (searched !== undefined) return searched;
    if (text.startsWith(CTRL_R)) {
      deps.onSearch();
      const rest = text.slice(CTRL_R.length);
      return deps.search(rest) ?? rest;
    }
    if (EDIT.includes(text)) deps.onEdit();
    else return text.replace(ALT_ENTER, LINE_BREAK);
    return "";
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
