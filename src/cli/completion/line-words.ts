/** The words of a shell's line up to the cursor, read as bash and sh read them, as far as completion needs it. */

const WORD = /(?:[^\s"'\\]|\\.|"(?:[^"\\]|\\.)*"?|'[^']*'?)+\\?/gs;

/** The line's words without quotes; the last one is being typed and may be empty. */
export function lineWords(line: string): string[] {
  const words = line.match(WORD) ?? [];
  return [...words.map(unquoted), ...(/(?<!\\)\s$/.test(line) || words.length === 0 ? [""] : [])];
}

function unquoted(word: string): string {
  return word.replaceAll(/'([^']*)'?|"((?:[^"\\]|\\.)*)"?|\\(.?)/gs, (_, single, double, escaped) =>
    double === undefined ? (single ?? escaped) : double.replaceAll(/\\(.)/gs, "$1"),
  );
}
