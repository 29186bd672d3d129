/** Counts the lines that a change of a text adds and removes. A line that only moves counts as neither. */

/** Longer texts are not compared, in characters: counting must not slow a tool down. */
const MAX_LENGTH = 2_000_000;

/** @param before `""` for a new file @returns undefined if the texts are too long to compare */
export function changedLines(before: string, after: string): { added: number; removed: number } | undefined {
  if (before.length > MAX_LENGTH || after.length > MAX_LENGTH) return undefined;
  const left = new Map<string, number>();
  for (const line of linesIn(before)) left.set(line, (left.get(line) ?? 0) + 1);
  let added = 0;
  for (const line of linesIn(after)) {
    const count = left.get(line) ?? 0;
    if (count === 0) added += 1;
    else left.set(line, count - 1);
  }
  return { added, removed: left.values().reduce((sum, count) => sum + count, 0) };
}

/** A line feed ends a line; it does not begin an empty one. */
function linesIn(text: string): string[] {
  if (text === "") return [];
  return (text.endsWith("\n") ? text.slice(0, -1) : text).split("\n");
}
