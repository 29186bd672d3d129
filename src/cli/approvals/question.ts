/**
 * Reads a line that answers a prompt while nothing else reads the keyboard. At a terminal, what was typed ahead does
 * not count (`chat/keyboard/keyboard.ts`); from a pipe, every line does.
 */
import { createInterface } from "node:readline";
import { createKeyboard } from "../chat/keyboard/keyboard.ts";
import { PASTE_MODE } from "../chat/keyboard/paste.ts";
import type { AnswerForm } from "../chat/keyboard/question-line.ts";
import { type Input, type Io, isRichTerminal, type Output } from "../io.ts";

/**
 * Reads the user's answer to a prompt; undefined if the input ends or the signal aborts first. Where single keys cannot
 * be read, the answer is a line whatever the form.
 */
export type ReadAnswer = (prompt: string, signal: AbortSignal, form?: AnswerForm) => Promise<string | undefined>;

const NEVER = new AbortController().signal;

export type QuestionIo = Pick<Io, "stdin" | "env" | "clock" | "interrupt">;

export function answersFrom(io: QuestionIo, output: Output): ReadAnswer {
  const { stdin } = io;
  return (prompt, signal, form) => {
    if (stdin.readableEnded) return Promise.resolve(undefined);
    if (stdin.isTTY === true) return askAtTerminal(io, output, { prompt, form }, signal);
    output.write(prompt);
    return readLine(stdin, signal);
  };
}

/** Returns whether a user agrees: only an explicit yes counts. */
export async function agreed(io: QuestionIo, output: Output, prompt: string): Promise<boolean> {
  const line = await answersFrom(io, output)(`${prompt} [y/N]: `, NEVER);
  return /^y(es)?$/i.test((line ?? "").trim());
}

async function askAtTerminal(
  { stdin: input, env, clock, interrupt }: QuestionIo,
  output: Output,
  { prompt, form }: { prompt: string; form: AnswerForm | undefined },
  signal: AbortSignal,
): Promise<string | undefined> {
  const rich = isRichTerminal(output, env);
  const keyboard = createKeyboard({ input, output, rich, history: [], complete: async (line) => [[], line], clock });
  const onInterrupt = () => {
    if (rich) output.write(PASTE_MODE.off); // The process may exit with it.
    interrupt?.();
  };
  keyboard.listen({ onLine() {}, onInterrupt, onEnd() {} });
  try {
    return await keyboard.ask(prompt, signal, rich ? form : "line");
  } finally {
    keyboard.close();
  }
}

function readLine(input: Input, signal: AbortSignal): Promise<string | undefined> {
  return new Promise((resolve) => {
    const lines = createInterface({ input, terminal: false, signal });
    lines.once("line", (line) => {
      resolve(line);
      lines.close();
    });
    lines.once("close", () => resolve(undefined));
  });
}
