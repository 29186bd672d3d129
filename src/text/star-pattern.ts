/**
 * The one matcher for patterns in which `*` is any number of any characters. It takes each literal at its first
 * occurrence, so the text is searched once whatever the pattern. (`.*` in a regular expression tries every place.)
 */
export function matchesStars(pattern: string, text: string): boolean {
  return compileStars(pattern)(text);
}

/** The same for a pattern that is matched with many texts. */
export function compileStars(pattern: string): (text: string) => boolean {
  const [head = "", ...rest] = pattern.split("*");
  const tail = rest.pop();
  if (tail === undefined) return (text) => text === pattern;
  return (text) => matchesParts(head, rest, tail, text);
}

function matchesParts(head: string, rest: readonly string[], tail: string, text: string): boolean {
  if (text.length < head.length + tail.length || !text.startsWith(head) || !text.endsWith(tail)) return false;
  let at = head.length;
  for (const literal of rest) {
    const found = text.indexOf(literal, at);
    if (found < 0) return false;
    at = found + literal.length;
  }
  return at + tail.length <= text.length;
}
