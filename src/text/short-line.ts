/** Shortens a text to one line of at most `most` characters, enough to recognize it. */
export function shortLine(text = "", most = 60): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length <= most ? line : `${line.slice(0, most - 1)}…`;
}

/** A text in front of what is said about it, without its own period: `Write a haiku.` becomes `Write a haiku:`. */
export function asLabel(text: string): string {
  return `${text.replace(/(?<!\.)[.:;]$/, "")}:`;
}
