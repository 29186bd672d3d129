/** "Did you mean": the known words nearest to an unknown one. */

/** Up to `most` of `known`, nearest to `word` first. Only words within a typo, or containing the word, qualify. */
export function suggest(word: string, known: Iterable<string>, most = 3): string[] {
  const wanted = word.toLowerCase().slice(0, LONGEST);
  // In a very short word, every letter could be a typo: nothing is near it.
  const reach = Math.min(Math.max(1, wanted.length - 2), Math.max(2, Math.floor(wanted.length / 3)));
  return [...new Set(known)]
    .map((name) => ({ name, distance: distanceTo(wanted, name.toLowerCase()) }))
    .filter(({ distance }) => distance <= reach)
    .sort((a, b) => a.distance - b.distance || a.name.localeCompare(b.name))
    .slice(0, most)
    .map(({ name }) => name);
}

/** Describes an unknown field and suggests the intended one. */
export function unknownField(written: string, known: readonly string[]): string {
  const [close] = suggest(written, known, 1);
  const hint = close === undefined ? `Known fields: ${known.join(", ")}.` : `Did you mean \`${close}\`?`;
  return `Unknown field \`${written}\`. ${hint}`;
}

/** Longer words are compared by their first characters. */
const LONGEST = 100;

function distanceTo(wanted: string, name: string): number {
  if (wanted.length >= 3 && name.includes(wanted)) return 1;
  return editDistance(wanted, name.slice(0, LONGEST));
}

/** Edit distance in which a transposition counts as one edit (optimal string alignment), row by row. */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitute = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? (before[j - 2] ?? 0) + 1 : Infinity;
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, substitute, swapped));
    }
    before = row;
    row = next;
  }
  return row[b.length] ?? 0;
}
