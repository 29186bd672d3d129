/**
 * Runs ripgrep for as long as its lines are wanted. Its arguments are a list, never a shell command, and its
 * environment is empty. Uses `node:child_process` instead of execa: lines are read as they arrive and the process is
 * ended early.
 */
import { once } from "node:events";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { startProcess } from "../../system/start-process.ts";
import { present } from "../../values/present.ts";
import { createLineSplitter, type Line } from "./line-splitter.ts";

const TIMEOUT_MS = 30_000;
const MAX_LINE_BYTES = 16_384;
const MAX_PROBLEM_CHARACTERS = 1_000;

/** `problem`: ripgrep's own error message. */
export type SearchEnd = { timedOut: boolean; problem?: string };

/**
 * @param args options and, last, the path to search
 * @param separator the byte between lines of the output
 * @param onLine receives each line; false ends the search
 * @throws AbortError when the signal aborts, or an error of the system if no process can be started
 */
export async function ripgrep(
  args: string[],
  cwd: string,
  separator: number,
  onLine: (line: Line) => boolean,
  signal: AbortSignal,
): Promise<SearchEnd> {
  const { rgPath } = await import("@vscode/ripgrep");
  const search = await startProcess(rgPath, [...alwaysArgs(cwd), ...args], {
    cwd,
    env: {},
    stdio: ["ignore", "pipe", "pipe"],
    signal,
    timeout: TIMEOUT_MS,
    killSignal: "SIGKILL",
  });
  const splitter = createLineSplitter(separator, MAX_LINE_BYTES, onLine);
  let enough = false;
  let problem = "";
  search.stdout?.on("data", (chunk: Buffer) => {
    if (enough || splitter.write(chunk)) return;
    enough = true;
    search.kill("SIGKILL");
  });
  search.stderr?.on("data", (chunk: Buffer) => {
    if (problem.length < MAX_PROBLEM_CHARACTERS) problem += chunk;
  });
  const [, killedBy] = await once(search, "close");
  signal.throwIfAborted();
  const words = inToolsWords(problem.replace(/^rg: /, "").slice(0, MAX_PROBLEM_CHARACTERS).trim());
  return { timedOut: killedBy !== null && !enough, ...present({ problem: words || undefined }) };
}

/** Advice to replace ripgrep's own, which names options that a model cannot give. */
const ADVICE: [problem: RegExp, advice: string][] = [
  [
    /literal .* is not allowed|multiline/i,
    "A search looks at one line at a time: search for one of the lines, and read_file shows those around it.",
  ],
  [
    /look-around|backreference|pcre2/i,
    "Look-around and backreferences are not supported: search for a simpler pattern, and choose among the lines found.",
  ],
  [/size limit|too big/i, "Use a shorter pattern, with smaller counts in braces."],
];

/** ripgrep's error message, without its advice about options of its command line. */
function inToolsWords(problem: string): string {
  const advice = ADVICE.find(([pattern]) => pattern.test(problem))?.[1];
  const own = problem
    .split("\n\n")
    .filter((paragraph, index) => index === 0 || !/(^|\s)--?[a-zA-Z]/.test(paragraph))
    .join("\n\n");
  return [own, advice].filter(Boolean).join("\n");
}

/**
 * Ignores the user's own configuration of ripgrep. Hidden files are searched, ignored ones are not: in a git repository
 * by git's rules, elsewhere by its .gitignore files.
 */
function alwaysArgs(cwd: string): string[] {
  const common = ["--no-config", "--no-messages", "--color=never", "--sort=path", "--hidden", "--glob=!.git"];
  return isInRepository(cwd) ? common : [...common, "--no-require-git"];
}

function isInRepository(directory: string): boolean {
  if (existsSync(join(directory, ".git"))) return true;
  return dirname(directory) !== directory && isInRepository(dirname(directory));
}
