/**
 * JSON for a terminal, a pipe or a file that somebody opens. Controls and invisible characters, which could act on the
 * terminal or hide and reorder text, are written as escapes (`\u009b`): the value stays the same.
 */

/**
 * Controls, formats (bidi, zero-width, tags), separators, fillers and blanks that look like nothing. The line feed only
 * occurs between values; the variation selector after an emoji stays.
 */
const UNSAFE =
  /(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\u2800]|(?!(?<=\p{Emoji})\ufe0f)[\p{Variation_Selector}\p{Default_Ignorable_Code_Point}]/gu;

/** `value` as an indented document. */
export function jsonDocument(value: unknown): string {
  return printed(JSON.stringify(value, null, 2));
}

/** `value` as one line. */
export function jsonLine(value: unknown): string {
  return printed(JSON.stringify(value));
}

/** Outside of its texts and names, JSON consists of ASCII: a character found here is part of one. */
function printed(json: string): string {
  return `${json.replace(UNSAFE, escaped)}\n`;
}

/** Characters beyond U+FFFF need two escapes. */
function escaped(character: string): string {
  return character
    .split("")
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
    .join("");
}
