/**
 * Cutting text short where it is too long to read. A cut never leaves a part of a word: half a key would pass the
 * redaction that knows only whole ones.
 */

/** Longer than any key: within this reach a cut looks for the blank before the word it would split. */
const LONGEST_WORD = 1_024;

/** At most `most` characters of the start of `text`, ending before a blank or, in a long run without one, well short. */
export function headOf(text: string, most: number): string {
  if (text.length <= most) return text;
  const reach = Math.max(0, most - LONGEST_WORD);
  const blank = text.slice(reach, most).search(/\s\S*$/);
  return text.slice(0, blank < 0 ? reach : reach + blank);
}

/** At most `most` characters of the end of `text`, beginning after a blank. */
export function tailOf(text: string, most: number): string {
  if (text.length <= most) return text;
  const start = text.length - most;
  const blank = text.slice(start, start + LONGEST_WORD).search(/\s/);
  return text.slice(start + (blank < 0 ? Math.min(LONGEST_WORD, most) : blank + 1));
}
