/**
 * A shell command line as permission rules see it: its commands, one by one. This reads a small part of the shell's
 * language, which bash and sh read alike; a line with anything else is not plain, and its commands are guessed
 * generously, so that a rule that denies one of them can match it.
 */

export type Command = {
  /** As written, with one space between words. Redirections without effect (`2>&1`, `>/dev/null`) are left out. */
  written: string;
  /** The same without quotes. */
  unquoted: string;
  /** Words, and parts of words, that may be paths: `HEAD:a`, `--file=a` and `<a` name `a`. */
  paths: string[];
};

/** `plain`: exactly these commands will run. Otherwise these are possible commands. */
export type CommandLine = { plain: boolean; commands: Command[] };

/** Tokens of a plain line. Each alternative starts with different characters, so reading takes linear time. */
const TOKEN = new RegExp(
  [
    /(?<joint>\\\n)/,
    /(?<blank>[ \t]+)/,
    /(?<end>[;&|\n]+)/,
    // A redirection that cannot affect what the command may touch.
    /(?<redirection>(?:(?<![^\s;&|])\d+)?(?:>&[12]|[<>] ?\/dev\/null)(?=[\s;&|]|$))/,
    // Part of a word: quoted, escaped, a plain variable, or bare. `#` starts a comment only at the beginning of a word.
    /(?<piece>'[^']*'|"(?:[^"\\$`]|\\.|\$(?=["\s\w])|\$\{\w+\})*"|\\[^\n]|\$(?=\w)|\$\{\w+\}|(?<=[^\s;&|])#|[^\s;&|()<>`$\\'"#]+)/,
  ]
    .map(({ source }) => source)
    .join("|"),
  "ys",
);

/** Words that the shell interprets instead of running a program of that name. */
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

/** The words of each command; undefined if the line contains anything else than these tokens. */
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

/** Returns whether the first word is literally a program's name: no assignment, expansion, pattern or shell word. */
function isPlain([name = ""]: string[]): boolean {
  return !/[$*?[{}=!]/.test(name) && !SHELL_WORDS.has(unquote(name));
}

function toCommand(words: string[]): Command {
  const unquoted = words.map(unquote).join(" ");
  return { written: words.join(" "), unquoted, paths: pathsIn(unquoted) };
}

function unquote(word: string): string {
  return word.replaceAll(/'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)/gs, (_, single, double, escaped) =>
    double === undefined ? (single ?? escaped) : double.replaceAll(/\\(.)/gs, "$1"),
  );
}

/** Everything between operators, brackets and quotes of any kind, with variables treated as blanks. */
function guessCommands(line: string): Command[] {
  return line
    .replaceAll(/\\\n|["'\\]/g, "")
    .split(/\$\(|[;&|()<>`\n]+/)
    .map((piece) => piece.replaceAll(/\$\{\w+\}|\$\w+|\s+/g, " ").trim())
    .filter((piece) => piece !== "")
    .map((piece) => ({ written: piece, unquoted: piece, paths: pathsIn(piece) }));
}

/** Longer than any path. */
const TOO_LONG = 4_096;

/** A variable may be anything: `$HOME/.env` names some `.env`. Quotes inside of quotes are other programs' syntax. */
function pathsIn(text: string): string[] {
  const words = text.replaceAll(/\$\{\w+\}|\$\w+/g, "*").split(/[\s;&|()<>`'"]+/);
  const parts = words.flatMap(withBracesExpanded).flatMap((word) => word.split(/[={},:@\\]+/));
  return [...new Set(parts)].filter((part) => part !== "" && part.length < TOO_LONG).map(plainPath);
}

/** More than anybody writes in one word. */
const MOST_WORDS = 64;
const MOST_BRACES = 8;

/** The word and what the shell makes of its braces: `a{b,}.c` is `ab.c` and `a.c`. A range or too much is anything. */
function withBracesExpanded(word: string): string[] {
  let words = word.length < TOO_LONG ? [word] : [];
  for (let braces = 0; braces < MOST_BRACES && words.length <= MOST_WORDS; braces++)
    words = words.flatMap((each) => {
      const [whole = "", inner = ""] = /\{([^{}]*)\}/.exec(each) ?? [];
      if (whole === "") return [each];
      const choices = inner.split(",");
      const known = inner.includes("..") || choices.length > MOST_WORDS ? ["*"] : choices;
      return known.map((choice) => each.replace(whole, () => choice));
    });
  if (words.length <= MOST_WORDS) return [word, ...words];
  return [word, `${word.slice(0, word.indexOf("{"))}*${word.slice(word.lastIndexOf("}") + 1)}`];
}

function plainPath(path: string): string {
  return path.replaceAll(/\/(?:\.?\/)+/g, "/").replace(/^(?:\.\/)+/, "");
}
