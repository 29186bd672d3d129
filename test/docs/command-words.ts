/** Parses shell commands shown on pages into words. Supports only what the pages use. */

const WORD = /#.*|&&|\|\||[|;]|[<>]+ ?\S+|(?:'[^']*'|"[^"]*"|[^\s|;&<>'"])+/g;

/** The commands of a line, each as its words, without redirections, assignments and comments. */
export function commandsIn(line: string): string[][] {
  const commands: string[][] = [[]];
  for (const [word] of line.matchAll(WORD)) {
    if (word.startsWith("#")) break;
    if (/^(&&|\|\||[|;])$/.test(word)) commands.push([]);
    else if (!/^[<>]/.test(word)) commands.at(-1)?.push(word.replaceAll(/'([^']*)'|"([^"]*)"/g, "$1$2"));
  }
  return commands.map(withoutAssignments).filter((words) => words.length > 0);
}

function withoutAssignments(words: string[]): string[] {
  const first = words.findIndex((word) => !/^\w+=/.test(word));
  return first === -1 ? [] : words.slice(first);
}
