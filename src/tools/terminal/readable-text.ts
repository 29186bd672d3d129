/** Makes output fit for a model: binary data is named instead of shown, and control characters are spelled out. */

const BINARY = "[binary data, not shown]";
const CONTROLS = /[^\P{Cc}\n\t]/gu;
/** Stands in decoded text for bytes that are not UTF-8. */
const UNDECODED = "\u{fffd}";
/** A line with fewer such characters is text, perhaps of another encoding. */
const MIN_UNREADABLE = 4;
/** A line is binary if at least one in so many characters is unreadable. */
const CHARACTERS_PER_UNREADABLE = 4;
/** A line next to a binary one can be part of the data if it is not longer. */
const MAX_BETWEEN = 16;

export function readableText(text: string): string {
  const unspelled = text.toWellFormed();
  if (unspelled.search(CONTROLS) < 0 && !unspelled.includes(UNDECODED)) return unspelled;
  const lines = unspelled.split("\n");
  const binary = lines.map(isBinary);
  const hidden = lines.map((line, at) => binary[at] || (line.length <= MAX_BETWEEN && isPart(line, at)));
  /** A short line belongs to the data around it, or before or after it if it does not look like text. */
  function isPart(line: string, at: number): boolean | undefined {
    const [before, after] = [binary[at - 1], binary[at + 1]];
    return unreadableIn(line) > 0 ? before || after : before && after;
  }
  return lines
    .flatMap((line, at) => (!hidden[at] ? [line.replace(CONTROLS, spelled)] : hidden[at - 1] ? [] : [BINARY]))
    .join("\n");
}

/** NUL alone does not make data: programs print it between names. */
function isBinary(line: string): boolean {
  const unreadable = unreadableIn(line);
  const count = unreadable + (line.match(/\0/g)?.length ?? 0);
  return unreadable >= MIN_UNREADABLE && count * CHARACTERS_PER_UNREADABLE >= line.length;
}

function unreadableIn(line: string): number {
  return line.match(/[^\P{Cc}\0\t]|\u{fffd}/gu)?.length ?? 0;
}

/** `\0`, `\x1f` */
function spelled(control: string): string {
  return control === "\0" ? "\\0" : `\\x${control.charCodeAt(0).toString(16).padStart(2, "0")}`;
}
