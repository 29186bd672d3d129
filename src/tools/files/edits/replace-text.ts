/**
 * Replaces an exact passage of a text. A model writes line feeds: they stand for whatever line ends the text has there,
 * even for several kinds, and each replaced line keeps its own. Everything else must match exactly.
 */
import { ToolError } from "../../tool-error.ts";
import { explainMiss } from "./nearest-passage.ts";
import { lineEndOf } from "./text-form.ts";

export type Replacement = { old_string: string; new_string: string; replace_all?: boolean | undefined };

/**
 * @param shown the name of the file, for errors
 * @throws ToolError if the passage does not occur, occurs several times, or the result would be too long
 */
export function replaceText(
  shown: string,
  before: string,
  given: Replacement,
  mostCharacters: number,
): { content: string; count: number } {
  const edit = lineEndOf(before) === "\r" ? withReturns(given) : given;
  const isLiteral = before.includes(edit.old_string) && (edit.new_string.includes("\r") || !before.includes("\r\n"));
  const [text, from, to] = isLiteral
    ? [before, edit.old_string, edit.new_string]
    : [feeds(before), feeds(edit.old_string), feeds(edit.new_string)];
  if (from === to) throw new ToolError("old_string and new_string are the same: nothing to change.");
  const count = text.split(from).length - 1;
  if (count === 0) throw new ToolError(`old_string does not occur in ${shown}. ${explainMiss(text, from)}`);
  if (count > 1 && !edit.replace_all) {
    throw new ToolError(
      `old_string occurs ${count} times in ${shown}. Include more of the surrounding lines, or set replace_all.`,
    );
  }
  const length = before.length + count * (to.length - from.length);
  if (length > mostCharacters) {
    throw new ToolError(`${shown} would have ${length} characters; edit_file makes files up to ${mostCharacters}.`);
  }
  const content = isLiteral ? before.replaceAll(from, () => to) : replacedWithLineEnds(before, text, from, to);
  return { content, count };
}

/** For a text whose lines end with CR alone. */
function withReturns(edit: Replacement): Replacement {
  const returns = (text: string) => text.replaceAll(/\r?\n/g, "\r");
  return { ...edit, old_string: returns(edit.old_string), new_string: returns(edit.new_string) };
}

function feeds(text: string): string {
  return text.replaceAll("\r\n", "\n");
}

/** @param text `before` with line feeds, in which `from` occurs */
function replacedWithLineEnds(before: string, text: string, from: string, to: string): string {
  const originalPlace = createPlaceMap(before);
  const lineEndAfter = createLineEndFinder(before);
  const pieces: string[] = [];
  let done = 0;
  for (let at = text.indexOf(from); at >= 0; at = text.indexOf(from, at + from.length)) {
    const start = originalPlace(at);
    const end = originalPlace(at + from.length);
    const lineEnds = before.slice(start, end).match(/\r?\n/g) ?? [];
    let line = 0;
    pieces.push(
      before.slice(done, start),
      to.replaceAll("\n", () => lineEnds[line++] ?? lineEnds.at(-1) ?? lineEndAfter(end)),
    );
    done = end;
  }
  return pieces.join("") + before.slice(done);
}

/** Converts places in a text with line feeds to places in the original. Places are asked for in ascending order. */
function createPlaceMap(original: string): (place: number) => number {
  let returns = 0;
  let next = original.indexOf("\r\n");
  return (place) => {
    while (next >= 0 && next - returns < place) {
      returns += 1;
      next = original.indexOf("\r\n", next + 2);
    }
    return place + returns;
  };
}

/** The line end of the line at a place, or else of the last line. Places are asked for in ascending order. */
function createLineEndFinder(text: string): (place: number) => string {
  let feed = -1;
  return (place) => {
    if (feed < place) feed = text.indexOf("\n", place);
    if (feed < 0) feed = text.lastIndexOf("\n");
    return text[feed - 1] === "\r" ? "\r\n" : "\n";
  };
}
