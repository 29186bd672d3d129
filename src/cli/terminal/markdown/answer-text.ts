/**
 * A model's whole answer on an output: Markdown formatted where there are colors, as it is written in a pipe, and
 * wrapped between words on any other terminal.
 */

import { harmless } from "../../../text/spelled-text.ts";
import { createPaint, type Io, isRichTerminal, type Output } from "../../io.ts";
import { sizeOf } from "../screen.ts";
import { markdownRows } from "./markdown.ts";
import { painted } from "./spans.ts";
import { inRows } from "./text-flow.ts";

export type AnswerText = (answer: string) => string;

/** Returns whether Markdown is formatted on an output. */
export function formatsMarkdown(output: Output, env: Io["env"]): boolean {
  return isRichTerminal(output, env) && !env.NO_COLOR && env.FORCE_COLOR !== "0";
}

export function answerTextOn(output: Output, env: Io["env"]): AnswerText {
  if (output.isTTY !== true) return (answer) => harmless(answer).trim();
  const columns = () => sizeOf(output).columns - 1;
  if (!formatsMarkdown(output, env)) return (answer) => inRows(answer.trim(), columns()).join("\n");
  const paint = createPaint(output, env);
  return (answer) =>
    markdownRows(answer, columns())
      .map((row) => painted(row, paint).text)
      .join("\n");
}
