/** The final output of a run: each answer with its task, route, time and cost, and a summary of the run. */

import type { DelegationResult, Result } from "../../result.ts";
import type { Run } from "../../run/run.ts";
import { createPaint, type Io, type Output, type Paint } from "../io.ts";
import { goalIn, taskPosition } from "./event-lines.ts";
import { formatOutcome, formatReason } from "./format.ts";
import { type AnswerText, answerTextOn } from "./markdown/answer-text.ts";
import { formatSummary } from "./run-summary.ts";
import { fit, oneLine } from "./terminal-text.ts";
import { columnsOf, wrapFor } from "./word-wrap.ts";

/** How results look on an output. */
export type ResultStyle = {
  paint: Paint;
  answerText: AnswerText;
  /** Breaks the lines around the answers at words, on a terminal. */
  wrap(text: string, indent?: string): string;
  /** Width of the terminal; a pipe has no limit. */
  columns: number;
};

export function resultStyleOn(output: Output, env: Io["env"]): ResultStyle {
  const wrap = (text: string, indent = "") => wrapFor(output, text, indent);
  return { paint: createPaint(output, env), answerText: answerTextOn(output, env), wrap, columns: columnsOf(output) };
}

/** Width of a goal above its answer. */
export const GOAL_COLUMNS = 200;

/** @param ephemeral the run cannot be shown later */
export function formatAnswers(run: Run, result: DelegationResult, style: ResultStyle, ephemeral?: true): string {
  const answers = result.results.map((child) => `${formatAnswer(run, child, style)}\n`);
  const summary = formatSummary(run, result, style.paint, { ephemeral, columns: style.columns });
  return `\n${answers.join("\n")}\n${style.wrap(summary)}`;
}

/** Nothing but the answers: the text alone of a single task, else each below its goal. A task without one is left out. */
export function formatAnswersAlone(run: Run, { results }: DelegationResult, { answerText }: ResultStyle): string {
  const answers = results.flatMap((child) => {
    const text = answerText(child.summary.trim());
    if (text === "") return [];
    if (run.children.length === 1) return [`${text}\n`];
    return [`${taskPosition(child.task_index, run)} ${goalIn(run, child.task_index, GOAL_COLUMNS)}\n\n${text}\n`];
  });
  return answers.join("\n");
}

/** One child's full answer or, if there is none, the reason. */
export function formatAnswer(run: Run, child: Result, { paint, answerText, wrap }: ResultStyle): string {
  const goal = oneLine(run.call.tasks[child.task_index]?.goal ?? "");
  const head = `${paint("bold", `${taskPosition(child.task_index, run)} ${fit(goal, GOAL_COLUMNS)}`)}\n`;
  const outcome = paint("dim", oneLine(formatOutcome(child)));
  const reason = child.status === "completed" ? [] : [paint("red", oneLine(formatReason(child)))];
  const summary = answerText(child.summary.trim());
  const above = wrap([head + outcome, ...reason].join("\n"));
  return [above, ...(summary === "" ? [] : [`\n${summary}`])].join("\n");
}
