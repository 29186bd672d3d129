/**
 * `write_file` and `edit_file`. A change is read, made and written in one synchronous turn: two children that change
 * the same file cannot undo each other's work, and nobody ever sees a partial file.
 */
import { isUtf8 } from "node:buffer";
import { closeSync, readFileSync } from "node:fs";
import { z } from "zod";
import type { Tool, ToolContext, ToolOutput } from "../../tool.ts";
import { ToolError } from "../tool-error.ts";
import { fileSubject, isThere } from "./file-subject.ts";
import { locate, openToRead, type ResolvedPath, replaceFile, statsOf, type Workspace } from "./workspace.ts";

const MAX_EDIT_BYTES = 20_000_000;

const writeInput = z.strictObject({
  path: z.string().min(1).describe("The file, relative to the workspace. Missing directories are created."),
  content: z.string().describe("The whole new content."),
});

export function createWriteFile(workspace: Workspace): Tool<z.infer<typeof writeInput>> {
  return {
    name: "write_file",
    description:
      "Creates a text file in the workspace, or replaces its whole content. To change a part of a file, use edit_file.",
    effect: "write",
    input: writeInput,
    subject: ({ path }) => fileSubject(workspace, path, isThere(workspace, path) ? "replace" : "create"),
    run: async ({ path, content }, context) => {
      const place = locate(workspace, path);
      const deed = statsOf(place) ? "Changed" : "Created";
      replaceFile(workspace, place, Buffer.from(content), temporaryName(context));
      return changed(place, `${deed} ${place.shown} (${Buffer.byteLength(content)} bytes).`);
    },
  };
}

const editInput = z.strictObject({
  path: z.string().min(1).describe("The file, relative to the workspace."),
  old_string: z
    .string()
    .min(1)
    .describe("The text to replace, exactly as in the file, without line numbers. It must occur once."),
  new_string: z.string().describe("The replacement; empty removes the text."),
  replace_all: z.boolean().optional().describe("Replace every occurrence. Default: false."),
});
type Edit = z.infer<typeof editInput>;

export function createEditFile(workspace: Workspace): Tool<Edit> {
  return {
    name: "edit_file",
    description:
      "Replaces an exact piece of text in a file of the workspace. old_string must occur exactly once, unless " +
      "replace_all is true: include enough of the surrounding lines. If it does not occur, nothing is changed.",
    effect: "write",
    input: editInput,
    // It tells whether a text is in the file, so the rules for reading apply.
    subject: ({ path }) => fileSubject(workspace, path, "read"),
    run: async (edit, context) => {
      const place = locate(workspace, edit.path);
      const { content, count } = applyEdit(place, readText(workspace, place), edit);
      replaceFile(workspace, place, Buffer.from(content), temporaryName(context));
      return changed(place, `Replaced ${count === 1 ? "1 occurrence" : `${count} occurrences`} in ${place.shown}.`);
    },
  };
}

function readText(workspace: Workspace, place: ResolvedPath): string {
  const { descriptor, stats } = openToRead(workspace, place);
  try {
    if (stats.size > MAX_EDIT_BYTES) {
      throw new ToolError(`${place.shown} has ${stats.size} bytes; edit_file changes files up to ${MAX_EDIT_BYTES}.`);
    }
    const bytes = readFileSync(descriptor);
    if (!isUtf8(bytes)) throw new ToolError(`${place.shown} is not UTF-8 text; an edit would damage it.`);
    return bytes.toString();
  } finally {
    closeSync(descriptor);
  }
}

function applyEdit({ shown }: ResolvedPath, before: string, edit: Edit): { content: string; count: number } {
  const { old_string: from, new_string: to } = inLineEndingsOf(before, edit);
  const count = before.split(from).length - 1;
  if (from === to) throw new ToolError("old_string and new_string are the same: nothing to change.");
  if (count === 0) {
    throw new ToolError(
      `old_string does not occur in ${shown}. It must match exactly, blanks and indentation included: read the file again.`,
    );
  }
  if (count > 1 && !edit.replace_all) {
    throw new ToolError(
      `old_string occurs ${count} times in ${shown}. Include more of the surrounding lines, or set replace_all.`,
    );
  }
  const length = before.length + count * (to.length - from.length);
  if (length > MAX_EDIT_BYTES) {
    throw new ToolError(`${shown} would have ${length} characters; edit_file makes files up to ${MAX_EDIT_BYTES}.`);
  }
  return { content: before.replaceAll(from, () => to), count };
}

/** A model writes line feeds; a file with CR LF line endings keeps them. */
function inLineEndingsOf(before: string, edit: Edit): Pick<Edit, "old_string" | "new_string"> {
  if (before.includes(edit.old_string) || !before.includes("\r\n")) return edit;
  const [old_string, new_string] = [edit.old_string, edit.new_string].map((text) => text.replaceAll(/\r?\n/g, "\r\n"));
  return { old_string: old_string ?? "", new_string: new_string ?? "" };
}

function changed(place: ResolvedPath, text: string): ToolOutput {
  return { ok: true, text, filesChanged: [place.shown] };
}

/** Unique, because a child changes one file at a time. */
function temporaryName({ childId }: ToolContext): string {
  return `.deputy-${childId.replaceAll(/[^\w.-]/g, "_")}.tmp`;
}
