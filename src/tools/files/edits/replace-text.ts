/**
 * Replaces an exact passage of a text. A model writes line feeds: they match whatever line ends the text has there, even
 * several kinds. Everything else must match exactly.
 */
import { ToolError } from "../../tool-error.ts";
import { asWritten, type Splice, withLineFeeds } from "./line-ends.ts";
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
  edit: Replacement,
  mostCharacters: number,
): { content: string; count: number } {
  const namesReturns = edit.new_string.includes("\r") && lineEndOf(before) !== "\r";
  const form = namesReturns && before.includes(edit.old_string) ? asWritten(before) : withLineFeeds(before);
  const { text } = form;
  const [from, to] = [form.read(edit.old_string), form.read(edit.new_string)];
  if (from === to) throw new ToolError("old_string and new_string are the same: nothing to change.");
  const splices = splicesOf(text, from, to);
  const count = splices.length;
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
  return { content: form.spliced(splices), count };
}

function splicesOf(text: string, from: string, to: string): Splice[] {
  const splices: Splice[] = [];
  for (let at = text.indexOf(from); at >= 0; at = text.indexOf(from, at + from.length))
    splices.push({ at, length: from.length, text: to });
  return splices;
}
