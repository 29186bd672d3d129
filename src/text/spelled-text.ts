/**
 * Texts that a user is asked to judge, spelled out: in a command, no character outside printable ASCII can hide, reorder
 * its neighbors or pass for another one.
 */

/** Every character of a command that is not shown as it is. */
const NOT_ASCII = /[^\x20-\x7e]/gu;
/** Letters that may stay beside their code: `é\u{e9}`. Others join, are blank, or are written from right to left. */
const SHOWN_LETTER =
  /^(?![\p{Default_Ignorable_Code_Point}\u1100-\u11ff\ua960-\ua97f\ud7b0-\ud7ff\uff9e\uff9f])(?=\p{L})[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]$/u;
/** In a path: what is not shown as such, including joiners, variation selectors, fillers and odd blanks. */
const HIDDEN = /[\p{C}\p{Zl}\p{Zp}\p{Variation_Selector}\p{Default_Ignorable_Code_Point}\u2800]|(?! )\p{Zs}/gu;

/** A text within both limits fits on a small screen, in lines and in characters. */
const SHORT_LINES = 8;
const SHORT_LENGTH = 500;
/** Length of each end of a longer text that is repeated, in characters. */
const END_LENGTH = 80;

/** The lines of a command, with the code of every character that is not printable ASCII. */
export function spelledLines(text: string): string[] {
  return text.split("\n").map((line) => {
    const shown = line.replace(NOT_ASCII, (found) => (SHOWN_LETTER.test(found) ? found : "") + spelled(found));
    return shown.trimEnd().padEnd(shown.length, "·");
  });
}

/** A directory in one line: names in any script stay readable. */
export function spelledPath(path: string): string {
  return path.replace(HIDDEN, spelled);
}

/** Size and both ends of a command that may exceed the screen; undefined for a short one. */
export function longCommandEnds(text: string): { size: string; ends: string } | undefined {
  const lines = text.split("\n").length;
  const [words = ""] = spelledLines(text.replace(/\s+/gu, " ").trim());
  if (lines <= SHORT_LINES && text.length <= SHORT_LENGTH && words.length <= 2 * SHORT_LENGTH) return undefined;
  return {
    size: `${grouped(text.length, "character")} on ${grouped(lines, "line")}.`,
    ends: `It begins with “${words.slice(0, END_LENGTH)}” and ends with “${words.slice(-END_LENGTH)}”.`,
  };
}

/** A command in one line: whole if it is short, else its size and both ends. */
export function commandInLine(text: string): string {
  const long = longCommandEnds(text);
  return long === undefined ? spelledLines(text).join("\\n") : `${long.size} ${long.ends}`;
}

function grouped(count: number, word: string): string {
  return `${count.toLocaleString("en-US")} ${word}${count === 1 ? "" : "s"}`;
}

const SHORT: Record<string, string> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** A visible escape: `\x1b`, `\u{202e}`. */
export function spelled(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  const hex = code.toString(16);
  return SHORT[character] ?? (code < 0x100 ? `\\x${hex.padStart(2, "0")}` : `\\u{${hex}}`);
}

/** Controls, and the invisible characters that can reorder or hide text (bidi marks, zero-width, tags). */
const UNSAFE =
  /[\p{Cc}\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}\p{Cs}]/gu;

/** Replaces every unsafe character with a visible escape (`\x1b`, `\u{202e}`). Line feeds and tabs stay. */
export function harmless(text: string): string {
  return text.replace(UNSAFE, (found) => (found === "\n" || found === "\t" ? found : spelled(found)));
}
