/**
 * Cutting text that is too long to read. A cut never leaves a part of a word: redaction knows whole keys only, and half
 * of one would pass it. A word is what a key could be made of; a run of it, however long, is left out whole.
 */

const PART_OF_A_WORD = /[\w.~+/=:-]/;

/** The start of `text`, at most `most` characters, without the word that ends or is cut there. */
export function headOf(text: string, most: number): string {
  let end = Math.min(most, text.length);
  while (end > 0 && PART_OF_A_WORD.test(text.charAt(end - 1))) end -= 1;
  return text.slice(0, end);
}

/** The end of `text` without the word that begins or is cut where it begins. */
export function tailOf(text: string): string {
  let start = 0;
  while (start < text.length && PART_OF_A_WORD.test(text.charAt(start))) start += 1;
  return text.slice(start);
}
