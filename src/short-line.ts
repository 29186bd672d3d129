/** A text on one line, at most `most` characters of it: as far as it takes to recognize it. */
export function shortLine(text = "", most = 60): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length <= most ? line : `${line.slice(0, most - 1)}…`;
}
