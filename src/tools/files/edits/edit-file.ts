/**
 * `edit_file`: exact text for exact text, in one file. Several edits are made in order, all or none, and the file is
 * written once. As with `write_file`, this takes one synchronous turn.
 */
import { z } from "zod";
import type { Tool } from "../../../tool.ts";
import { ToolError } from "../../tool-error.ts";
import { fileSubject } from "../paths/file-subject.ts";
import { locate, replaceFile, type Workspace } from "../paths/workspace.ts";
import { MAX_TEXT_BYTES, readTextFile } from "../text-file.ts";
import { afterEdit, changeReport, foreignChange, otherNames, temporaryName, WHOLE_CHARACTERS } from "./changed-file.ts";
import { type Replacement, replaceText } from "./replace-text.ts";
import { encode } from "./text-form.ts";

const MAX_EDITS = 200;

const oldString = z
  .string()
  .refine(...WHOLE_CHARACTERS)
  .describe("The text to replace, exactly as in the file, without line numbers. It must occur once.");
const newString = z
  .string()
  .refine(...WHOLE_CHARACTERS)
  .describe("The replacement; empty removes the text.");
const replaceAll = z.boolean().optional().describe("Replace every occurrence. Default: false.");

const input = z
  .strictObject({
    path: z.string().min(1).describe("The file, relative to the workspace."),
    old_string: oldString.optional(),
    new_string: newString.optional(),
    replace_all: replaceAll,
    edits: z
      .array(z.strictObject({ old_string: oldString.min(1), new_string: newString, replace_all: replaceAll }))
      .min(1)
      .max(MAX_EDITS)
      .optional()
      .describe("Several edits, instead of old_string and new_string. Each applies to the result of the one before."),
  })
  .refine(
    ({ old_string = "", new_string, edits }) =>
      edits === undefined ? old_string !== "" && new_string !== undefined : old_string === "" && !new_string,
    "Give old_string and new_string, or edits.",
  );

export function createEditFile(workspace: Workspace): Tool<z.infer<typeof input>> {
  return {
    name: "edit_file",
    description:
      "Replaces exact text in a file of the workspace. old_string must occur exactly once, unless replace_all is true: " +
      "include enough of the surrounding lines. Make several changes in a file with one call, in edits. If one of them " +
      "does not match, nothing is changed.",
    effect: "write",
    input,
    // A miss reveals whether a text is in the file, so the rules for reading apply.
    subject: ({ path }) => fileSubject(workspace, path, "read"),
    run: async ({ path, old_string = "", new_string = "", replace_all, edits }, context) => {
      const place = locate(workspace, path);
      const before = readTextFile(workspace, place);
      const since = foreignChange(place, before.sha256, context);
      const wanted = edits ?? [{ old_string, new_string, replace_all }];
      const { content, count } = madeIn(before.text, wanted, place.shown, since);
      const bytes = encode(content, before);
      const { names } = replaceFile(workspace, place, bytes, temporaryName(context));
      const told = [`Replaced ${plainCount(count)} in ${place.shown}.`, ...since, ...otherNames(names)];
      const seen = afterEdit(context.seen?.get(place.shown), before.sha256, bytes);
      return changeReport([{ place, before: before.text, after: content, told, seen }]);
    },
  };
}

function plainCount(count: number): string {
  return count === 1 ? "1 occurrence" : `${count} occurrences`;
}

/** @throws ToolError for the first edit that does not fit; `since` then explains it */
function madeIn(
  text: string,
  edits: readonly Replacement[],
  shown: string,
  since: readonly string[],
): { content: string; count: number } {
  let content = text;
  let count = 0;
  for (const [index, edit] of edits.entries()) {
    try {
      const made = replaceText(shown, content, edit, MAX_TEXT_BYTES);
      content = made.content;
      count += made.count;
    } catch (error) {
      if (!(error instanceof ToolError)) throw error;
      const which = edits.length === 1 ? "" : `Edit ${index + 1} of ${edits.length}, nothing was changed: `;
      throw new ToolError([`${which}${error.message}`, ...since].join("\n"));
    }
  }
  return { content, count };
}
