/**
 * Cuts text that is too long to read. A cut never leaves a partial word: redaction recognizes only whole keys, and half
 * of one would pass. A word is anything a key could be made of, and is left out whole, however long it is. Nor does it
 * leave half of a character.
 */

const PART_OF_A_WORD = /[\w.~+/=:-]/;

/** The start of `text`, at most `most` characters, without the word that ends or is cut there. */
export function headOf(text: string, most: number): string {
  let end = Math.min(most, text.length);
  while (end > 0 && PART_OF_A_WORD.test(text.charAt(end - 1))) end -= 1;
  return text.slice(0, end).replace(/[\ud800-\udbff]$/, "");
}

/** The end of `text` without the word that starts or is cut at its beginning. */
export function tailOf(text: string): string {
  let start = 0;
  while (start < text.length && PART_OF_A_WORD.test(text.charAt(start))) start += 1;
  return text.slice(start).replace(/^[\udc00-\udfff]/, "");
}
