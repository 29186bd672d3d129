/** Quotes a text as one word of a command line, for bash, sh, zsh and fish. */
export function shellWord(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
