/**
 * Approval prompt in the terminal, one request at a time, with hidden characters escaped. Without a user at the
 * terminal there is no approval handler, and the engine denies by itself.
 */
import { once } from "node:events";
import type { ApprovalQuestion, Asker } from "../../engine/engine.ts";
import { DeputyError } from "../../errors.ts";
import { longCommandEnds, spelledLines, spelledPath } from "../../text/spelled-text.ts";
import { wantedCall } from "../../text/wanted-call.ts";
import { type AnswerForm, ESCAPE } from "../chat/keyboard/question-line.ts";
import type { Output, Paint } from "../io.ts";
import { GOAL_COLUMNS } from "../terminal/final-answers.ts";
import { fit, oneLine } from "../terminal/terminal-text.ts";
import { wrapFor } from "../terminal/word-wrap.ts";
import type { ReadAnswer } from "./question.ts";
import type { RulePlace, RuleSaver } from "./save-rule.ts";
import { userOf } from "./user.ts";

const ALWAYS = "allowed in the terminal for this run";

type PromptAnswer = { allowed: boolean; reason: string };

const NOT_ASKED: PromptAnswer = { allowed: false, reason: "no longer asked" };

/** Where a request is shown and answered until it is closed. */
export type OpenPrompt = { output: Output; paint: Paint; readAnswer: ReadAnswer; close(): void };

export type ApprovalPromptDeps = {
  /** Makes room for the request of a child. Returns undefined if whatever asks is being stopped. */
  open(childId: string): OpenPrompt | undefined;
  /** Single keys answer, without Enter. */
  byKey: boolean;
  /** Stops the turn that asks, after Esc has denied a request. Without it, Esc only denies. */
  stopTurn?(): void;
  /** Saves rules in configs, where single keys answer. */
  saver?: RuleSaver;
  /** Route of a child, for display: `glm-4.7 @ zai`. */
  routeOf: (childId: string) => string | Promise<string>;
};

export function createApprovalPrompt(deps: ApprovalPromptDeps): Asker {
  const always = new Set<string>();
  const by = userOf("terminal");
  let turn: Promise<unknown> = Promise.resolve();
  return (question, signal) => {
    const exactly = JSON.stringify([question.toolName, question.target, question.directory, question.reason]);
    const answer = turn.then(async (): Promise<PromptAnswer> => {
      if (always.has(exactly)) return { allowed: true, reason: ALWAYS };
      if (signal.aborted) return NOT_ASKED;
      const prompt = deps.open(question.childId);
      if (prompt === undefined) return once(signal, "abort").then(() => NOT_ASKED);
      const { then, ...given } = await askUntilClear(question, deps, prompt, signal).finally(prompt.close);
      if (then === "remember") always.add(exactly);
      if (then === "stop") deps.stopTurn?.();
      return given;
    });
    turn = answer.catch(() => {});
    return answer.then((given) => ({ ...given, by }));
  };
}

type PromptReply = PromptAnswer & { then?: "remember" | "stop" };

async function askUntilClear(
  question: ApprovalQuestion,
  deps: ApprovalPromptDeps,
  prompt: OpenPrompt,
  signal: AbortSignal,
): Promise<PromptReply> {
  const { byKey, saver, routeOf } = deps;
  const { output, paint, readAnswer } = prompt;
  const saved = byKey ? saver : undefined;
  output.write(await requestText(question, paint, routeOf));
  for (;;) {
    const line = await readAnswer(`${paint("bold", "Allow?")} ${choicesOf(deps)}: `, signal, ANSWERS);
    if (line === undefined) {
      output.write("\n");
      return signal.aborted ? NOT_ASKED : { allowed: false, reason: "nobody answered before the input ended" };
    }
    const reply = byKey && line === ESCAPE ? ESCAPED : read(line);
    if (reply === undefined) continue;
    if (reply === ESCAPED || !byKey) return reply;
    if (!reply.allowed) return reasoned(await readAnswer("Why? (Enter: no reason) ", signal, "free"));
    if (reply.then === "remember" && saved !== undefined && !(await rememberedAs(question, saved, prompt, signal)))
      continue;
    return reply;
  }
}

const ANSWERS: AnswerForm = { words: ["yes", "no", "always"] };
const ESCAPED: PromptReply = { ...denial("the user pressed Esc"), then: "stop" };

function choicesOf({ byKey, saver, stopTurn }: ApprovalPromptDeps): string {
  const always = byKey && saver !== undefined ? "[a]lways" : "[a]lways for this run";
  const onEscape = stopTurn === undefined ? "Esc denies" : "Esc denies and stops";
  return ["[y]es, once", "[n]o, and why", always, ...(byKey ? [onEscape] : [])].join(" · ");
}

/** @param why undefined if the input ended or the request was withdrawn */
function reasoned(why: string | undefined): PromptReply {
  return why === ESCAPE ? ESCAPED : denial(why ?? "");
}

const DURATIONS: AnswerForm = { words: ["run", "my", "project", "back"] };
const PLACES: Record<string, RulePlace> = { m: "user", p: "project" };

/** Asks how long "always" is, after showing the rule that would be saved. Returns false if the user goes back. */
async function rememberedAs(
  question: ApprovalQuestion,
  saver: RuleSaver,
  { output, readAnswer }: OpenPrompt,
  signal: AbortSignal,
): Promise<boolean> {
  output.write(`  Rule: ${saver.shown(question)}\n`);
  for (;;) {
    const choices = "Always: for this [r]un · save the rule in [m]y config · in the [p]roject's config · [b]ack: ";
    const key = await readAnswer(choices, signal, DURATIONS);
    if (key === undefined || key === "b" || key === ESCAPE) return false;
    const place = PLACES[key];
    if (place === undefined) return true;
    try {
      output.write(`  Saved in ${oneLine(saver.save(question, place))}\n`);
      return true;
    } catch (error) {
      if (!(error instanceof DeputyError)) throw error;
      output.write(`  ! ${oneLine(error.message)}\n`);
    }
  }
}

async function requestText(
  question: ApprovalQuestion,
  paint: Paint,
  routeOf: ApprovalPromptDeps["routeOf"],
): Promise<string> {
  const route = await routeOf(question.childId);
  const head = `${question.childId} (${route}) ${fit(oneLine(question.goal), GOAL_COLUMNS)}`;
  return `\n${paint("yellow", "?")} ${head}\n${requestLines(question, paint).join("\n")}\n`;
}

/** Describes a request: the tool, its full target, and the directory, with hidden characters escaped. */
export function requestLines(
  question: Pick<ApprovalQuestion, "toolName" | "target" | "directory" | "reason" | "sandboxed" | "onlyUser">,
  paint: Paint,
): string[] {
  const { toolName, target, directory, reason } = question;
  const lines = targetLines(target, paint);
  const why = reason === undefined ? [] : [`  ${paint("yellow", `asked whatever the rules say: ${oneLine(reason)}`)}`];
  return [
    `  asks to ${wantedCall(oneLine(toolName), question, (name) => paint("bold", name))}:`,
    ...lines,
    `  in ${spelledPath(directory)}`,
    ...why,
  ];
}

/** Breaks the text of a request at words, on a terminal. Further rows of a command keep its mark. */
export function wrapRequest(output: Output, text: string, paint: Paint): string {
  const mark = commandMark(paint);
  const wrapped = text.split("\n").map((line) => wrapFor(output, line, line.startsWith(mark) ? mark : "  "));
  return wrapped.join("\n");
}

function commandMark(paint: Paint): string {
  return `  ${paint("yellow", "│")} `;
}

/** The whole text. If it may exceed the screen, its size and both ends follow. */
export function targetLines(target: string, paint: Paint): string[] {
  const whole = spelledLines(target).map((line) => commandMark(paint) + line);
  const long = longCommandEnds(target);
  return long === undefined ? whole : [...whole, `  ${paint("bold", long.size)} ${long.ends}`];
}

/** Parses `y`, `a`, or `n` with a reason for the child. Anything else is asked again. */
function read(line: string): PromptReply | undefined {
  const [, word = "", rest = ""] = /^\s*(\S*)\s*(.*?)\s*$/.exec(line) ?? [];
  const answer = word.toLowerCase();
  if (answer === "n" || answer === "no") return denial(rest);
  if (rest !== "") return undefined;
  if (answer === "y" || answer === "yes") return { allowed: true, reason: "allowed in the terminal" };
  if (answer === "a" || answer === "always") return { allowed: true, reason: ALWAYS, then: "remember" };
  return undefined;
}

/** @param why for the child; empty without a reason */
function denial(why: string): PromptReply {
  const reason = why.trim();
  return { allowed: false, reason: reason === "" ? "denied in the terminal" : `denied in the terminal: ${reason}` };
}
