/** The real program on its own terminal: a pseudo-terminal of util-linux `script`, keys in, screen out. */
import { spawn, spawnSync } from "node:child_process";
import { stripVTControlCharacters } from "node:util";
import { shellWord } from "../../src/text/shell-word.ts";
import { PROGRAM } from "./end-to-end.ts";

/** Why this machine cannot provide a terminal; undefined if it can. */
export const NO_TERMINAL = /util-linux/.test(spawnSync("script", ["--version"], { encoding: "utf8" }).stdout ?? "")
  ? undefined
  : "no pseudo-terminal: util-linux `script` is missing here";

export type Terminal = {
  /** Sends keys like a keyboard. */
  type(keys: string): void;
  /** All output so far, without control sequences. */
  text(): string;
  /** The same, with control sequences. */
  raw(): string;
  /**
   * Waits for a text on the screen after the previous awaited one.
   * @throws Error with the screen
   */
  see(expected: string | RegExp, withinMs?: number): Promise<void>;
  ended: Promise<number>;
  kill(): void;
};

export type TerminalOptions = {
  cwd: string;
  env: Record<string, string>;
  columns?: number;
  rows?: number;
  /** A file that is standard input, in place of the keyboard. */
  stdin?: string;
  /** More redirections, as a shell writes them: `> answers.txt`. */
  redirected?: string;
};

export function openTerminal(argv: readonly string[], options: TerminalOptions): Terminal {
  return openProgram([PROGRAM, ...argv], options);
}

/** The same with another program, such as a shell. */
export function openProgram(command: readonly string[], options: TerminalOptions): Terminal {
  const { cwd, env, columns = 80, rows = 24, stdin, redirected = "" } = options;
  const words = command.map(shellWord).join(" ");
  const from = stdin === undefined ? redirected : `< '${stdin}' ${redirected}`;
  const child = spawn("script", ["-qefc", `stty cols ${columns} rows ${rows}; exec ${words} ${from}`, "/dev/null"], {
    cwd,
    env: { PATH: process.env.PATH ?? "", TERM: "xterm-256color", SHELL: "/bin/sh", ...env },
  });
  let raw = "";
  let seen = 0;
  let isOver = false;
  let notice = () => {};
  child.stdout.setEncoding("utf8").on("data", (piece: string) => {
    raw += piece;
    notice();
  });
  child.stdin.on("error", () => {}); // it may end before it has read all
  const { promise: ended, resolve } = Promise.withResolvers<number>();
  child.on("close", (code) => {
    isOver = true;
    notice();
    resolve(code ?? -1);
  });
  const text = () => stripVTControlCharacters(raw).replaceAll("\r", "");

  async function see(expected: string | RegExp, withinMs = 40_000): Promise<void> {
    const deadline = AbortSignal.timeout(withinMs);
    for (;;) {
      const screen = text();
      const rest = screen.slice(seen);
      const at = typeof expected === "string" ? rest.indexOf(expected) : rest.search(expected);
      if (at >= 0) {
        seen +=
          at + (typeof expected === "string" ? expected.length : (rest.slice(at).match(expected)?.[0].length ?? 0));
        return;
      }
      if (isOver || deadline.aborted) throw new Error(`Waited in vain for ${expected}. The screen:\n${screen}`);
      await new Promise<void>((wake) => {
        notice = wake;
        deadline.addEventListener("abort", () => wake(), { once: true });
      });
    }
  }

  return {
    type: (keys) => void child.stdin.write(keys),
    text,
    raw: () => raw,
    see,
    ended,
    kill: () => void child.kill("SIGKILL"),
  };
}
