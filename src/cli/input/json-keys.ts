/** A key written twice in JSON: `JSON.parse` would keep the last and say nothing of the first. */

/** The first key that stands twice in one object of a text that is valid JSON, and the line it stands in the second time. */
export function repeatedKey(text: string): { key: string; line: number } | undefined {
  /** Keys of the objects around the place that is read; a list has none. */
  const open: (Set<string> | undefined)[] = [];
  let keyExpected = false;
  let line = 1;
  for (const { 0: token } of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\],\n]/g)) {
    if (token === "\n") line += 1;
    else if (token === "{" || token === "[") open.push(token === "{" ? new Set() : undefined);
    else if (token === "}" || token === "]") open.pop();
    const keys = open.at(-1);
    if (token.startsWith('"') && keyExpected && keys !== undefined) {
      const key: string = JSON.parse(token);
      if (keys.has(key)) return { key, line };
      keys.add(key);
    }
    if (token !== "\n") keyExpected = token === "{" || (token === "," && keys !== undefined);
  }
  return undefined;
}
