/**
 * A question in the redrawn part of a terminal: the tree stays visible above it. A text too long for that is written
 * above the tree first, whole; its beginning and end stay next to the prompt.
 */

import { allChildren, type Run } from "../../run/run.ts";
import type { Output, Paint } from "../io.ts";
import { inRows } from "./markdown/text-flow.ts";
import type { ScreenRow, Size } from "./screen.ts";
import { displayWidth, fitEnd, oneLine } from "./terminal-text.ts";
import type { ViewQuestion } from "./view.ts";

/** Rows of the tree that stay visible above a question. */
const TREE_ROWS = 6;
/** Rows of a long text that stay next to the prompt: its first ones, then a note, then its last ones. */
const FIRST_ROWS = 2;

/** The rows of the questions that a view is asked to show, one at a time. */
export type QuestionRows = {
  /** Returns no rows without a question. */
  rows(size: Size): ScreenRow[];
  open(): ViewQuestion;
};

export type QuestionRowsDeps = {
  paint: Paint;
  size(): Size;
  /** The run whose children ask. */
  run(): Run | undefined;
  /** Writes a line above the rows. */
  print(line: string): void;
  redraw(): void;
};

export function createQuestionRows({ paint, size, run, print, redraw }: QuestionRowsDeps): QuestionRows {
  let current: LiveQuestion | undefined;
  let typed = () => "";
  const others = () => {
    const now = run();
    const pending = now === undefined ? [] : allChildren(now).flatMap(({ questions }) => questions);
    return Math.max(0, pending.length - 1);
  };
  return {
    rows: (size) => current?.rows(size, typed()) ?? [],
    open() {
      const question = createLiveQuestion(paint, others);
      current = question;
      return {
        output: question.output,
        ask(prompt, answer) {
          typed = answer;
          question.ask(prompt);
          for (const line of question.overflow(size())) print(line);
          redraw();
        },
        close() {
          current = undefined;
          for (const line of question.end()) print(line);
        },
      };
    },
  };
}

export type LiveQuestion = {
  /** Receives the text of the question. */
  readonly output: Output;
  ask(prompt: string): void;
  /** @param typed the answer so far */
  rows(size: Size, typed: string): ScreenRow[];
  /** The lines of the text that the rows do not show whole, each time once. */
  overflow(size: Size): string[];
  /** Ends the question. @returns the lines to keep: the text, unless it is above already, and the answers */
  end(): string[];
};

/** @param waiting number of other questions */
export function createLiveQuestion(paint: Paint, waiting: () => number): LiveQuestion {
  let text = "";
  let prompt = "";
  let above = 0;

  const lines = () => text.replace(/^\n|\n$/g, "").split("\n");
  const promptRows = ({ columns }: Size) => {
    const others = waiting();
    return inRows(`${prompt}${others > 0 ? `(${others} more waiting) ` : ""}`, columns - 1);
  };
  const room = (size: Size) => Math.max(FIRST_ROWS + 2, size.rows - TREE_ROWS - promptRows(size).length - 1);
  const wrapped = ({ columns }: Size) => lines().flatMap((line) => rowsOf(line, columns - 1));

  return {
    output: { write: (piece) => (text += piece) },
    ask(next) {
      prompt = next;
    },
    rows(size, typed) {
      const body = wrapped(size);
      const most = room(size);
      const shown =
        body.length <= most
          ? body
          : [...body.slice(0, FIRST_ROWS), "  … shown whole above", ...body.slice(FIRST_ROWS + 1 - most)];
      const [end = "", ...before] = promptRows(size).reverse();
      const last = end.trimEnd();
      const answer = `${last} ${fitEnd(oneLine(typed), Math.max(1, size.columns - 2 - displayWidth(last)))}`;
      const rows = [...shown.map((row) => (row.startsWith("?") ? `${paint("yellow", "?")}${row.slice(1)}` : row))];
      return ["", ...rows, ...before.reverse().map((row) => paint("bold", row)), paint("bold", answer)].map((row) => ({
        text: row,
        width: 0,
      }));
    },
    overflow(size) {
      const all = lines();
      if (above >= all.length || wrapped(size).length <= room(size)) return [];
      const rest = all.slice(above);
      above = all.length;
      return rest;
    },
    end: () => lines().slice(above),
  };
}

/** A line of the request in rows; those of a command keep their mark. */
function rowsOf(line: string, columns: number): string[] {
  const [, lead = "", rest = ""] = /^( *(?:│ )?)(.*)$/su.exec(line) ?? [];
  const rows = inRows(rest, Math.max(8, columns - displayWidth(lead)));
  return rows.length === 0 ? [lead] : rows.map((row) => lead + row);
}
