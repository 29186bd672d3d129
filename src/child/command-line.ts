/**
 * A shell command line as permission rules see it: the commands in it, one by one. What is read here is a small part of
 * the shell's language, the part that bash and sh read alike; a line with anything else in it is not plain, and the
 * commands in it are then only guessed at, generously, so that a rule that forbids one of them has a chance to see it.
 */

export type Command = {
  /** As it was written, words separated by one space. Redirections to nowhere (`2>&1`, `>/dev/null`) are left out. */
  written: string;
  /** The same without quotes. */
  unquoted: string;
};

/** `plain`: these are the commands that will run, all of them. Otherwise what commands there may be. */
export type CommandLine = { plain: boolean; commands: Command[] };

/** What a plain line is made of. Each alternative starts with characters of its own, so reading takes linear time. */
const TOKEN = new RegExp(
  [
    /(?<joint>\\\n)/,
    /(?<blank>[ \t]+)/,
    /(?<end>[;&|\n]+)/,
    // Sends output nowhere new, or takes no input: does not change what the command may touch.
    /(?<redirection>(?:(?<![^\s;&|])\d+)?(?:>&[12]|[<>] ?\/dev\/null)(?=[\s;&|]|$))/,
    // Part of a word: quoted, escaped, a plain variable, or bare. `#` begins a comment only where a word would begin.
    /(?<piece>'[^']*'|"(?:[^"\\$`]|\\.|\$(?=["\s\w])|\$\{\w+\})*"|\\[^\n]|\$(?=\w)|\$\{\w+\}|(?<=[^\s;&|])#|[^\s;&|()<>`$\\'"#]+)/,
  ]
    .map(({ source }) => source)
    .join("|"),
  "ys",
);

/** Words that make the shell do something else than run the program of that name. */
const SHELL_WORDS = new Set(
  (
    "if then elif else fi for while until do done case esac in function select time coproc " +
    "eval exec command builtin alias source . trap"
  ).split(" "),
);

export function readCommandLine(line: string): CommandLine {
  const commands = splitPlain(line);
  return commands?.every(isPlain)
    ? { plain: true, commands: commands.map(toCommand) }
    : { plain: false, commands: guessCommands(line) };
}

/** The words of each command; undefined where the line holds something that is not in the table. */
function splitPlain(line: string): string[][] | undefined {
  const commands: string[][] = [];
  let words: string[] = [];
  let word = "";
  const endWord = () => {
    if (word !== "") words.push(word);
    word = "";
  };
  const endCommand = () => {
    endWord();
    if (words.length > 0) commands.push(words);
    words = [];
  };
  for (let at = 0; at < line.length; ) {
    TOKEN.lastIndex = at;
    const groups = TOKEN.exec(line)?.groups;
    if (groups === undefined) return undefined;
    if (groups.piece !== undefined) word += groups.piece;
    else if (groups.end !== undefined) endCommand();
    else if (groups.joint === undefined) endWord();
    at = TOKEN.lastIndex;
  }
  endCommand();
  return commands;
}

/** Whether the first word is a program's name as it stands: no assignment, expansion, pattern or word of the shell. */
function isPlain([name = ""]: string[]): boolean {
  return !/[$*?[{}=!]/.test(name) && !SHELL_WORDS.has(unquote(name));
}

function toCommand(words: string[]): Command {
  return { written: words.join(" "), unquoted: words.map(unquote).join(" ") };
}

function unquote(word: string): string {
  return word.replaceAll(/'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)/gs, (_, single, double, escaped) =>
    double === undefined ? (single ?? escaped) : double.replaceAll(/\\(.)/gs, "$1"),
  );
}

/** Everything between operators, brackets and quotes of any kind, with variables taken for blanks. */
function guessCommands(line: string): Command[] {
  return line
    .replaceAll(/\\\n|["'\\]/g, "")
    .split(/\$\(|[;&|()<>`\n]+/)
    .map((piece) => piece.replaceAll(/\$\{\w+\}|\$\w+|\s+/g, " ").trim())
    .filter((piece) => piece !== "")
    .map((piece) => ({ written: piece, unquoted: piece }));
}
