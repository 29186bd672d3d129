/** Some lines of a text, with their numbers, as `read_file` shows them. */
import { z } from "zod";
import type { SeenFile, ToolOutput } from "../../tool.ts";
import { present } from "../../values/present.ts";
import { headOf, tailOf } from "../cut.ts";
import type { Encoding } from "./edits/text-form.ts";
import { createLineSplitter, type Line } from "./line-splitter.ts";

const DEFAULT_LINES = 2_000;
const MAX_LINE_CHARACTERS = 2_000;
const MAX_COLUMN = 5_000_000;
/** The longest character in any encoding. */
const CHARACTER_BYTES = 4;
const MAX_CHARACTERS = 50_000;

/** The lines to read, as fields of a tool's input. */
export const RANGE = {
  offset: z.int().positive().optional().describe("First line to read, counted from 1. Default: 1."),
  limit: z.int().positive().optional().describe(`Maximum number of lines. Default: ${DEFAULT_LINES}.`),
  column: z
    .int()
    .positive()
    .max(MAX_COLUMN)
    .optional()
    .describe("First character to read of the line `offset`, counted from 1, to read on in a long line. Default: 1."),
};

/** Describes such an answer to the model. */
export const RANGE_TEXT =
  `One call returns about ${MAX_CHARACTERS} characters at most; if it is cut, the last line says how to continue. ` +
  `Lines over ${MAX_LINE_CHARACTERS} characters are cut, with the column to read on from.`;

export type Range = { offset?: number | undefined; limit?: number | undefined; column?: number | undefined };

/** Collects the wanted lines from the chunks written to it. */
export function createExcerpt({ offset = 1, limit = DEFAULT_LINES, column = 1 }: Range) {
  const lines: string[] = [];
  const guesses = new Map<string, number>();
  let characters = 0;
  let seen = 0;
  let hasMore = false;
  let firstCut: number | undefined;

  function take(line: Line): boolean {
    hasMore = lines.length === limit || characters >= MAX_CHARACTERS;
    if (hasMore) return false;
    seen += 1;
    if (seen < offset) return true;
    const { text, isCut } = shownLine(line, seen, seen === offset ? column : 1);
    if (isCut) firstCut ??= seen;
    if (line.encoding !== undefined && !guesses.has(line.encoding)) guesses.set(line.encoding, seen);
    lines.push(`${seen}\t${text}`);
    characters += lines.at(-1)?.length ?? 0;
    return true;
  }

  function notes(encoding: Encoding): string[] {
    const found = [...guesses].map(
      ([name, line]) => `[Line ${line} is not UTF-8: shown as ${name}, which is a guess. The file cannot be changed.]`,
    );
    if (encoding !== "UTF-8") found.push(`[The file is ${encoding}; changes keep that.]`);
    return hasMore ? [...found, `[Cut after line ${seen}. Continue with offset ${seen + 1}.]`] : found;
  }

  /** The lines that were shown whole, and stand for what is in the file. */
  function known(): Omit<SeenFile, "path" | "sha256"> | undefined {
    if (column > 1) return undefined;
    if (firstCut !== undefined) return { from: offset, to: firstCut - 1 };
    return present({ from: offset > 1 ? offset : undefined, to: hasMore ? seen : undefined });
  }

  const splitter = createLineSplitter(10, (column - 1 + MAX_LINE_CHARACTERS) * CHARACTER_BYTES, take);
  return {
    write: splitter.write,
    end(shown: string, encoding: Encoding): { output: ToolOutput; seen?: Omit<SeenFile, "path" | "sha256"> } {
      if (!hasMore) splitter.end();
      if (seen === 0) return { output: { ok: true, text: `(${shown} is empty)` }, seen: {} };
      if (seen < offset) {
        return { output: { ok: false, text: `${shown} has ${seen} lines; line ${offset} is past its end.` } };
      }
      const output = { ok: true, text: [...lines, ...notes(encoding)].join("\n") };
      return { output, ...present({ seen: known() }) };
    },
  };
}

/**
 * A line or, if it is long, as much of it as ends between two words: part of a word could be part of a key, which
 * redaction would not recognize. A word that is too long is left out whole.
 */
function shownLine(line: Line, number: number, column: number): { text: string; isCut: boolean } {
  const whole = line.text.endsWith("\r") && line.cutBytes === 0 ? line.text.slice(0, -1) : line.text;
  if (column > 1 && column > whole.length) {
    return { text: `[The line has ${whole.length} characters; column ${column} is past its end.]`, isCut: true };
  }
  // The character before tells whether the first word is whole.
  const rest = column > 1 ? fromWordStart(whole, column - 1) : whole;
  const skipped = whole.length - rest.length;
  const partOfWord =
    column > 1 && skipped >= column ? `[the rest of a word, ${skipped - column + 1} characters, is left out]` : "";
  if (rest.length <= MAX_LINE_CHARACTERS && line.cutBytes === 0) return { text: partOfWord + rest, isCut: false };
  const shown = headOf(rest, MAX_LINE_CHARACTERS);
  const leftOut = shown === "" ? rest.length - tailOf(rest).length : 0;
  const next = skipped + (shown.length || leftOut) + 1;
  const bytes = Buffer.byteLength(rest) - Buffer.byteLength(shown) + line.cutBytes;
  const word = leftOut > 0 ? `[one word of ${leftOut} characters is left out]` : "";
  return {
    text: `${partOfWord}${shown}${word}[… ${bytes} more bytes in this line. Read on with offset ${number} and column ${next}.]`,
    isCut: true,
  };
}

function fromWordStart(text: string, at: number): string {
  const before = headOf(text.slice(at - 1, at), 1);
  return before === "" ? tailOf(text.slice(at)) : text.slice(at);
}
