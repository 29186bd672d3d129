/**
 * Finds where the hunks of a patch belong in a text, as changes of it. Context lines only say where: the file keeps its
 * own. A hunk that fits in several places is rejected, unless `@@` lines that occur once lead to the first of them.
 */
import { ToolError } from "../../../tool-error.ts";
import type { Splice } from "../line-ends.ts";
import { explainMiss } from "../nearest-passage.ts";
import { createLineIndex, type FoundPassage, type LineIndex } from "./line-index.ts";
import type { Hunk, HunkLine } from "./parse-patch.ts";

/** `notes`: what the text and the patch did not agree on, for the model. */
export type PlacedHunks = { splices: Splice[]; notes: string[] };

/** A hunk's lines and where they start. */
type Placed = { lines: readonly HunkLine[]; at: number; ignored?: string | undefined };

/** The text in which a hunk is looked for, from a line on. `name` is the hunk's and `shown` the file's, for errors. */
type Search = { index: LineIndex; from: number; name: string; shown: string };

/**
 * @param text with line feeds
 * @param shown the name of the file, for errors
 * @throws ToolError if a hunk does not occur, or occurs in several places
 */
export function placeHunks(shown: string, text: string, hunks: readonly Hunk[]): PlacedHunks {
  const index = createLineIndex(text);
  const splices: Splice[] = [];
  const notes: string[] = [];
  let from = 0;
  for (const [order, hunk] of hunks.entries()) {
    const name = hunks.length === 1 ? `The hunk of ${shown}` : `Hunk ${order + 1} of ${hunks.length} of ${shown}`;
    const placed = place(hunk, { index, from, name, shown });
    splices.push(...splicesOf(index, placed));
    from = placed.at + placed.lines.filter(isOld).length;
    if (placed.ignored !== undefined)
      notes.push(`${name} fits line ${placed.at + 1} only without regard to ${placed.ignored}.`);
  }
  return { splices, notes };
}

function isOld({ sign }: HunkLine): boolean {
  return sign !== "+";
}

function oldLines(lines: readonly HunkLine[]): string[] {
  return lines.filter(isOld).map(({ text }) => text);
}

function place(hunk: Hunk, search: Search): Placed {
  const { index, name } = search;
  const { lines, contexts, isEndOfFile } = hunk;
  if (!lines.some(isOld)) return { lines, at: placeOfAddition(hunk, search) };
  const { from, isUnique } = followContexts(contexts, search);
  for (const part of [lines, withoutBlankEnd(lines)]) {
    const passage = oldLines(part);
    if (passage.length === 0) continue;
    const found = isEndOfFile ? index.findAtEnd(passage) : index.find(passage, from);
    if (found === undefined) continue;
    const [at, ...others] = found.places;
    if (others.length > 0 && !(contexts.length > 0 && isUnique)) throw ambiguous(found, name);
    return { lines: part, at, ignored: found.ignored };
  }
  throw missed(oldLines(lines), isEndOfFile, { ...search, from });
}

/** Only added lines go to the end of the file, as in the original program. After a line of context, that is a guess. */
function placeOfAddition({ contexts, isEndOfFile }: Hunk, { index, name }: Search): number {
  if (contexts.length === 0 || isEndOfFile) return index.count;
  throw unchanged(
    `${name} adds lines and does not say where: give the line before them too, as one that starts with a blank.`,
  );
}

/** The line that the `@@` lines lead to, each below the one before; a hunk may repeat it. */
function followContexts(contexts: readonly string[], search: Search): { from: number; isUnique: boolean } {
  const { index, shown } = search;
  let from = search.from;
  let isUnique = true;
  for (const [order, context] of contexts.entries()) {
    const start = order === 0 ? from : from + 1;
    const found = index.find([context], start);
    if (found === undefined)
      throw missed([context], false, { ...search, from: start, name: `The line "@@ ${context}" of ${shown}` });
    isUnique &&= found.places.length === 1;
    [from] = found.places;
  }
  return { from, isUnique };
}

/** Models leave an empty line between hunks, which is no line of the file. */
function withoutBlankEnd(lines: readonly HunkLine[]): HunkLine[] {
  const last = lines.findLastIndex(({ sign, text }) => sign !== " " || text !== "");
  return lines.slice(0, last + 1);
}

function ambiguous({ places }: FoundPassage, name: string): ToolError {
  const lines = places.map((at) => at + 1).join(", ");
  return unchanged(
    `${name} fits in several places, such as lines ${lines}. Give more lines around the change, or "@@ " with a line above it that occurs once.`,
  );
}

function missed(passage: readonly string[], isEndOfFile: boolean, { index, from, name }: Search): ToolError {
  const elsewhere = index.find(passage, 0);
  if (elsewhere === undefined)
    return unchanged(`${name} does not occur. ${explainMiss(index.text, passage.join("\n"), "the patch")}`);
  const line = elsewhere.places[0] + 1;
  if (isEndOfFile) return unchanged(`${name} is not at the end of the file, but at line ${line}.`);
  return unchanged(
    `${name} occurs at line ${line}, above line ${from + 1}, where the one before leads: give hunks in the order of the file.`,
  );
}

function unchanged(text: string): ToolError {
  return new ToolError(`${text} Nothing was changed.`);
}

/** The removed and added lines between context lines, each as one change. */
function splicesOf(index: LineIndex, { lines, at }: Placed): Splice[] {
  const splices: Splice[] = [];
  let next = at;
  let run: { from: number; added: string[] } | undefined;
  const endRun = () => {
    if (run !== undefined) splices.push(lineSplice(index, run.from, next, run.added));
    run = undefined;
  };
  for (const { sign, text } of lines) {
    if (sign === " ") endRun();
    else run ??= { from: next, added: [] };
    if (sign === "+") run?.added.push(text);
    else next += 1;
  }
  endRun();
  return splices;
}

/** Lines in place of those from `from` to before `to`. A text whose last line has no line feed still has none. */
function lineSplice({ text, count, startOf }: LineIndex, from: number, to: number, added: readonly string[]): Splice {
  const isOpenEnd = to === count && text !== "" && !text.endsWith("\n");
  const written = added.map((line) => `${line}\n`).join("");
  if (!isOpenEnd) return { at: startOf(from), length: startOf(to) - startOf(from), text: written };
  // The line feed before stands for the missing one.
  const at = Math.max(0, from === count ? text.length : startOf(from) - 1);
  return { at, length: text.length - at, text: from === 0 ? written.slice(0, -1) : `\n${written}`.slice(0, -1) };
}
