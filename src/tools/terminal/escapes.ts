/** Reads the control characters and escape sequences of terminals (ECMA-48, and what xterm adds). */

/** `control`: a control character, `ESC` with its final character, or `[` and `[?` with that of a control sequence. */
export type Escape = {
  length: number;
  control?: string;
  numbers?: number[];
  /** A text for the terminal itself follows: a title, a link, an image. */
  opensText?: true;
};

const CONTROL = /[^\P{Cc}\n\t]/u;
const CONTROL_SEQUENCE = /[[\u{9b}]([0-?]{0,64})([ -/]{0,8})([@-~])/uy;
const INCOMPLETE_SEQUENCE = /[[\u{9b}][ -?]{0,72}$/uy;
const OTHER_SEQUENCE = /([ -/]{0,8})([0-~])/y;
const INCOMPLETE_OTHER = /[ -/]{0,8}$/y;
const TEXT_OPENERS = ["P", "X", "]", "^", "_"];
const TEXT_OPENERS_C1 = ["\u0090", "\u0098", "\u009d", "\u009e", "\u009f"];
/** A text also ends at a line feed, so that one without an end hides no more than a line. */
const TEXT_ENDS = "\n\u0007\u0018\u001a\u001b\u009c";
const TEXT_END = new RegExp(`[${TEXT_ENDS}]`);

/** Control characters that take no place on the screen. NUL is not one: programs print it between names. */
const SILENT = "\u0007\u000e\u000f\u0018\u001a\u009c";

/** Position of the next control character other than line feed and tab; the end if there is none. */
export function plainEnd(text: string, from: number): number {
  const found = text.slice(from).search(CONTROL);
  return found < 0 ? text.length : from + found;
}

/** Position of the end of a text for the terminal; undefined if it is not in `text`. A line feed is left to be read. */
export function textEnd(text: string, from: number): number | undefined {
  const found = text.slice(from).search(TEXT_END);
  if (found < 0) return undefined;
  const at = from + found;
  return text[at] === "\n" || text[at] === "\u001b" ? at : at + 1;
}

/** Reads the control character at `at`. Undefined if it begins a sequence that is not complete. */
export function readEscape(text: string, at: number): Escape | undefined {
  const sign = text.charAt(at);
  if (sign === "\u001b") return readSequence(text, at);
  if (sign === "\u009b") return readControlSequence(text, at, 0);
  if (TEXT_OPENERS_C1.includes(sign)) return { length: 1, opensText: true };
  return SILENT.includes(sign) ? { length: 1 } : { length: 1, control: sign };
}

function readSequence(text: string, at: number): Escape | undefined {
  const next = text.charAt(at + 1);
  if (next === "") return undefined;
  if (next === "[") return readControlSequence(text, at + 1, 1);
  if (TEXT_OPENERS.includes(next)) return { length: 2, opensText: true };
  const found = matchAt(OTHER_SEQUENCE, text, at + 1);
  if (found !== null) return { length: 1 + found[0].length, ...(found[1] === "" && { control: `\u001b${found[2]}` }) };
  return matchAt(INCOMPLETE_OTHER, text, at + 1) === null ? { length: 1 } : undefined;
}

/** @param before length of what comes before the bracket */
function readControlSequence(text: string, bracketAt: number, before: number): Escape | undefined {
  const found = matchAt(CONTROL_SEQUENCE, text, bracketAt);
  if (found === null)
    return matchAt(INCOMPLETE_SEQUENCE, text, bracketAt) === null ? { length: before + 1 } : undefined;
  const [all, given = "", between, final = ""] = found;
  const [, kind = "", list = ""] = /^([<-?]?)(.*)$/.exec(given) ?? [];
  const numbers = list === "" ? [] : list.split(/[;:]/).map((number) => Number(number) || 0);
  const length = before + all.length;
  // Sequences with something in between (`ESC [ 1 SP q`) do not edit.
  return between === "" ? { length, control: `[${kind}${final}`, numbers } : { length };
}

function matchAt(expression: RegExp, text: string, at: number): RegExpExecArray | null {
  expression.lastIndex = at;
  return expression.exec(text);
}
