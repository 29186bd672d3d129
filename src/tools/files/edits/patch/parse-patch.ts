/**
 * The patch language that GPT models are trained on, as a list of what to do with which file. As lenient as the original
 * parser: blanks around markers, a heredoc or a code fence around the patch, a first hunk without `@@`. A patch without
 * its last line is rejected: it may have been cut.
 *
 * Source: openai/codex, codex-rs/apply-patch (`parser.rs` has the grammar, `seek_sequence.rs` the search).
 */
import { ToolError } from "../../../tool-error.ts";

export type HunkLine = { sign: " " | "+" | "-"; text: string };

export type Hunk = {
  /** The texts after `@@`: lines above the hunk, from the outer to the inner. */
  contexts: string[];
  lines: HunkLine[];
  /** The hunk is at the end of the file. */
  isEndOfFile: boolean;
};

/** `isEnded`: a blank line has followed the content. */
export type FilePatch =
  | { kind: "add"; path: string; content: string; isEnded: boolean }
  | { kind: "delete"; path: string }
  | { kind: "update"; path: string; moveTo?: string; hunks: Hunk[] };

export type SectionOf<Kind extends FilePatch["kind"]> = Extract<FilePatch, { kind: Kind }>;

const BEGIN = "*** Begin Patch";
const END = "*** End Patch";
const HEADER = /^\*\*\* (?<action>Add|Delete|Update) File:\s*(?<path>.+)$/;
const MOVE_TO = /^\*\*\* Move to:\s*(?<path>.+)$/;
const END_OF_FILE = "*** End of File";
/** Line numbers of other patch languages: a model counts badly, so they are ignored. */
const LINE_NUMBERS = /^-\d+(?:,\d+)? \+\d+(?:,\d+)? @@ ?/;
/** Lines that models put around a patch: a shell's heredoc, with or without its command, or a code fence. */
const OPENINGS = /^(?:(?:apply_patch\s+)?<<-?\s*["']?EOF["']?|```\w*)$/;
const CLOSINGS = /^(?:EOF|```)$/;

const SHAPE = `A patch starts with "${BEGIN}", ends with "${END}", and has sections that start with "*** Add File: PATH", "*** Update File: PATH" or "*** Delete File: PATH" in between.`;

/** @throws ToolError that names the line which is not understood */
export function parsePatch(written: string): FilePatch[] {
  const { lines, first } = unwrapped(written);
  const files: FilePatch[] = [];
  for (const [index, line] of lines.entries()) {
    const number = first + index;
    const file = files.at(-1);
    const header = HEADER.exec(mayBeContext(file) ? line.trimEnd() : line.trim())?.groups;
    if (header !== undefined) {
      files.push(newSection(header.action ?? "", (header.path ?? "").trim()));
      continue;
    }
    if (file === undefined) {
      if (line.trim() === "") continue;
      throw misplaced(number, line, 'expected a section, such as "*** Update File: PATH"');
    }
    if (file.kind === "update") readUpdateLine(file, line, number);
    else readLine(file, line, number);
  }
  if (files.length === 0) throw new ToolError(`The patch is empty. ${SHAPE}`);
  for (const file of files) checkComplete(file);
  return files;
}

/** Like `parsePatch`, but empty for a text that is not a patch. */
export function readPatch(written: string): FilePatch[] {
  try {
    return parsePatch(written);
  } catch (error) {
    if (error instanceof ToolError) return [];
    throw error;
  }
}

/** A line that starts with a blank is a line of the file, whatever it says. */
function mayBeContext(file: FilePatch | undefined): boolean {
  return file?.kind === "update" && file.hunks.length > 0;
}

/** The lines between the markers, and the number of the first of them. */
function unwrapped(written: string): { lines: string[]; first: number } {
  const lines = written.split("\n").map((line) => line.replace(/\r$/, ""));
  let from = lines.findIndex((line) => line.trim() !== "");
  if (from >= 0 && OPENINGS.test(lines[from]?.trim() ?? "")) from += 1;
  if (lines[from]?.trim() !== BEGIN) {
    throw new ToolError(`Expected "${BEGIN}" as the first line of the patch; found ${found(lines[from])}. ${SHAPE}`);
  }
  let to = lines.findLastIndex((line) => line.trim() !== "");
  if (CLOSINGS.test(lines[to]?.trim() ?? "")) to -= 1;
  if (lines[to]?.trim() !== END) {
    throw new ToolError(
      `Expected "${END}" as the last line of the patch; found ${found(lines[to])}. The patch may have been cut: nothing was changed. Send it whole.`,
    );
  }
  return { lines: lines.slice(from + 1, to), first: from + 2 };
}

function newSection(action: string, path: string): FilePatch {
  if (action === "Add") return { kind: "add", path, content: "", isEnded: false };
  return action === "Delete" ? { kind: "delete", path } : { kind: "update", path, hunks: [] };
}

function readLine(file: SectionOf<"add" | "delete">, line: string, number: number): void {
  const isAdded = file.kind === "add" && line.startsWith("+");
  if (isAdded && !file.isEnded) file.content += `${line.slice(1)}\n`;
  else if (isAdded)
    throw misplaced(number, line, 'an empty line of a new file is written "+"; one without it came before');
  else if (line.trim() !== "") {
    const expected = file.kind === "add" ? 'each line of a new file starts with "+"' : "nothing follows a deletion";
    throw misplaced(number, line, expected);
  } else if (file.kind === "add") file.isEnded = true;
}

/** @throws ToolError for a section that changes nothing */
function checkComplete(file: FilePatch): void {
  if (file.kind !== "update") return;
  if (file.hunks.length === 0 && file.moveTo === undefined)
    throw new ToolError(`${file.path}: the section has no lines to change. Nothing was changed.`);
  const empty = file.hunks.findIndex(({ lines }) => lines.length === 0);
  if (empty >= 0) throw new ToolError(`${file.path}: hunk ${empty + 1} has no lines. Nothing was changed.`);
}

function readUpdateLine(file: SectionOf<"update">, line: string, number: number): void {
  const trimmed = line.trim();
  const target = MOVE_TO.exec(trimmed)?.groups?.path;
  if (target !== undefined && file.hunks.length === 0 && file.moveTo === undefined) {
    file.moveTo = target.trim();
    return;
  }
  const last = file.hunks.at(-1);
  if (line.startsWith("@@")) {
    const context = line.slice(2).replace(/^ /, "").replace(LINE_NUMBERS, "");
    const isFurther = last !== undefined && last.lines.length === 0;
    const hunk = isFurther ? last : newHunk(file);
    if (context.trim() !== "") hunk.contexts.push(context);
    return;
  }
  if (line.trimEnd() === END_OF_FILE && last !== undefined && last.lines.length > 0) {
    last.isEndOfFile = true;
    return;
  }
  if (trimmed === "" && (last === undefined || last.isEndOfFile)) return;
  if (last?.isEndOfFile) throw misplaced(number, line, `a hunk after "${END_OF_FILE}" starts with "@@"`);
  (last ?? newHunk(file)).lines.push(hunkLine(line, number));
}

function newHunk({ hunks }: { hunks: Hunk[] }): Hunk {
  const hunk: Hunk = { contexts: [], lines: [], isEndOfFile: false };
  hunks.push(hunk);
  return hunk;
}

function hunkLine(line: string, number: number): HunkLine {
  const sign = line.charAt(0);
  if (sign === "") return { sign: " ", text: "" };
  if (sign === " " || sign === "+" || sign === "-") return { sign, text: line.slice(1) };
  throw misplaced(number, line, 'each line of a hunk starts with " " (context), "-" (removed) or "+" (added)');
}

function misplaced(number: number, line: string, expected: string): ToolError {
  return new ToolError(`Line ${number} of the patch: ${expected}; found ${found(line)}. Nothing was changed.`);
}

function found(line: string | undefined): string {
  return line === undefined ? "nothing" : JSON.stringify(line.slice(0, 80));
}
