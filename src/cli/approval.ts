/**
 * The question in the terminal: may this child run exactly this? Asked of the person at the keyboard, one at a time,
 * with everything that could hide spelled out. Where nobody sits there is no asker, and the engine denies by itself.
 */
import { createInterface } from "node:readline";
import type { ApprovalQuestion, Asker } from "../engine/engine.ts";
import type { Input, Output, Paint } from "./io.ts";
import { oneLine, spelledLines } from "./terminal-text.ts";

const ALWAYS = "allowed in the terminal for this run";

type Answer = { allowed: boolean; reason: string };

/** The line that a person answers a prompt with; undefined where the input ends or the question is withdrawn first. */
export type ReadAnswer = (prompt: string, signal: AbortSignal) => Promise<string | undefined>;

export type AskerDeps = {
  readAnswer: ReadAnswer;
  output: Output;
  paint: Paint;
  /** Where the child runs, for the person to see: `glm-4.7 @ zai`. */
  routeOf: (childId: string) => string;
  /** Called around each question: the live view gives way to it. */
  onAsk: () => void;
  onAnswered: () => void;
};

export function createAsker(deps: AskerDeps): Asker {
  const always = new Set<string>();
  let turn: Promise<unknown> = Promise.resolve();
  return (question, signal) => {
    const exactly = JSON.stringify([question.toolName, question.target]);
    const answer = turn.then(async (): Promise<Answer> => {
      if (always.has(exactly)) return { allowed: true, reason: ALWAYS };
      if (signal.aborted) return { allowed: false, reason: "no longer asked" };
      deps.onAsk();
      try {
        const { remember, ...given } = await askUntilClear(question, deps, signal);
        if (remember) always.add(exactly);
        return given;
      } finally {
        deps.onAnswered();
      }
    });
    turn = answer.catch(() => {});
    return answer;
  };
}

type Reply = Answer & { remember?: true };

async function askUntilClear(question: ApprovalQuestion, deps: AskerDeps, signal: AbortSignal): Promise<Reply> {
  deps.output.write(questionText(question, deps));
  for (;;) {
    const prompt = `${deps.paint("bold", "Allow?")} [y]es, once · [n]o, and why · [a]lways for this run: `;
    const line = await deps.readAnswer(prompt, signal);
    if (line === undefined) {
      deps.output.write("\n");
      return { allowed: false, reason: signal.aborted ? "no longer asked" : "nobody answered: the input has ended" };
    }
    const reply = read(line);
    if (reply !== undefined) return reply;
  }
}

function questionText(question: ApprovalQuestion, { paint, routeOf }: AskerDeps): string {
  const head = `${question.childId} (${routeOf(question.childId)}) ${oneLine(question.goal).slice(0, 200)}`;
  const target = spelledLines(question.target).map((line) => `  ${paint("yellow", "│")} ${line}\n`);
  const tool = paint("bold", oneLine(question.toolName));
  return `\n${paint("yellow", "?")} ${head}\n  asks to run ${tool}:\n${target.join("")}`;
}

/** `y`, `a`, or `n` with what the child should hear. Anything else is asked again. */
function read(line: string): Reply | undefined {
  const [, word = "", rest = ""] = /^\s*(\S*)\s*(.*?)\s*$/.exec(line) ?? [];
  const answer = word.toLowerCase();
  if (answer === "n" || answer === "no") {
    return { allowed: false, reason: rest === "" ? "denied in the terminal" : `denied in the terminal: ${rest}` };
  }
  if (rest !== "") return undefined;
  if (answer === "y" || answer === "yes") return { allowed: true, reason: "allowed in the terminal" };
  if (answer === "a" || answer === "always") return { allowed: true, reason: ALWAYS, remember: true };
  return undefined;
}

/** Answers from a keyboard that nobody else reads. The terminal does the editing. */
export function answersFrom(input: Input, output: Output): ReadAnswer {
  return (prompt, signal) => {
    output.write(prompt);
    return readLine(input, signal);
  };
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
