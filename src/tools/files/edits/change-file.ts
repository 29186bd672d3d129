/**
 * `write_file` and `edit_file`. A change is read, made and written in one synchronous turn: two children that change
 * the same file cannot undo each other's work, and nobody ever sees a partial file. Encoding, byte order mark and line
 * ends stay as they are.
 */
import { z } from "zod";
import { sha256Of } from "../../../image.ts";
import { isSeenWhole } from "../../../seen-file.ts";
import type { LinesChanged, SeenFile, Tool, ToolContext, ToolOutput } from "../../../tool.ts";
import { fileSubject, isThere } from "../paths/file-subject.ts";
import { locate, type ResolvedPath, replaceFile, statsOf, type Workspace } from "../paths/workspace.ts";
import { checkSeen, MAX_TEXT_BYTES, readTextFile } from "../text-file.ts";
import { changedLines } from "./changed-lines.ts";
import { replaceText } from "./replace-text.ts";
import { type Decoded, encode, lineEndOf } from "./text-form.ts";

/** Half of a character cannot be stored: it would become U+FFFD, and so would the other half if it alone is replaced. */
const WHOLE_CHARACTERS = [
  (text: string) => text.isWellFormed(),
  "Expected whole characters; found half of one (a lone surrogate). Nothing was changed.",
] as const;

const writeInput = z.strictObject({
  path: z.string().min(1).describe("The file, relative to the workspace. Missing directories are created."),
  content: z
    .string()
    .refine(...WHOLE_CHARACTERS)
    .describe("The whole new content."),
});

export function createWriteFile(workspace: Workspace): Tool<z.infer<typeof writeInput>> {
  return {
    name: "write_file",
    description:
      "Creates a text file in the workspace, or replaces its whole content. A file that exists must have been read " +
      "whole, and be unchanged since. Its encoding and line ends are kept. To change a part of a file, use edit_file.",
    effect: "write",
    input: writeInput,
    subject: ({ path }) => fileSubject(workspace, path, isThere(workspace, path) ? "replace" : "create"),
    run: async ({ path, content }, context) => {
      const place = locate(workspace, path);
      const stats = statsOf(place);
      if (!stats?.isFile() || stats.size === 0) return create(workspace, place, content, context, stats !== undefined);
      const before = readTextFile(workspace, place);
      const { text, kept } = inFormOf(before, content);
      const bytes = encode(text, before);
      const seen = { path: place.shown, sha256: sha256Of(bytes) };
      if (seen.sha256 === before.sha256 && context.seen?.has(place.shown))
        return { ok: true, text: `${place.shown} has this content already.`, seen: [seen] };
      checkSeen(place, before.sha256, context);
      const { names } = replaceFile(workspace, place, bytes, temporaryName(context));
      const told = [`Changed ${place.shown} (${bytes.length} bytes).`, ...kept, ...otherNames(names)];
      return changed(place, told.join(" "), seen, changedLines(before.text, text));
    },
  };
}

/** A new file is UTF-8, with the line ends that the model wrote. */
function create(
  workspace: Workspace,
  place: ResolvedPath,
  content: string,
  context: ToolContext,
  exists: boolean,
): ToolOutput {
  const bytes = Buffer.from(content);
  replaceFile(workspace, place, bytes, temporaryName(context));
  const told = [`${exists ? "Changed" : "Created"} ${place.shown} (${bytes.length} bytes).`];
  if (!exists && context.seen?.has(place.shown)) {
    told.push("It existed when you last read or wrote it, and had been deleted or moved since.");
  }
  const seen = { path: place.shown, sha256: sha256Of(bytes) };
  return changed(place, told.join(" "), seen, changedLines("", content));
}

/** The new content with the former line ends, and what the model should know of that. */
function inFormOf(before: Decoded, content: string): { text: string; kept: string[] } {
  const kept: string[] = [];
  const lineEnd = lineEndOf(before.text);
  const text = lineEnd === undefined || lineEnd === "\n" ? content : content.replaceAll(/\r?\n/g, lineEnd);
  if (text !== content) kept.push(`It still has ${lineEnd === "\r" ? "CR" : "CR LF"} line ends.`);
  if (lineEnd === undefined && before.text.includes("\r\n"))
    kept.push("Its line ends were mixed; they are as you wrote them.");
  if (before.hasMark) kept.push("It still starts with a byte order mark.");
  if (before.encoding !== "UTF-8") kept.push(`It is still ${before.encoding}.`);
  if (/[\r\n]$/.test(before.text) && !/[\r\n]$/.test(text)) kept.push("Its last line no longer ends with a line feed.");
  return { text, kept };
}

const editInput = z.strictObject({
  path: z.string().min(1).describe("The file, relative to the workspace."),
  old_string: z
    .string()
    .min(1)
    .refine(...WHOLE_CHARACTERS)
    .describe("The text to replace, exactly as in the file, without line numbers. It must occur once."),
  new_string: z
    .string()
    .refine(...WHOLE_CHARACTERS)
    .describe("The replacement; empty removes the text."),
  replace_all: z.boolean().optional().describe("Replace every occurrence. Default: false."),
});

export function createEditFile(workspace: Workspace): Tool<z.infer<typeof editInput>> {
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
      const before = readTextFile(workspace, place);
      const { content, count } = replaceText(place.shown, before.text, edit, MAX_TEXT_BYTES);
      const bytes = encode(content, before);
      const { names } = replaceFile(workspace, place, bytes, temporaryName(context));
      const told = [
        `Replaced ${count === 1 ? "1 occurrence" : `${count} occurrences`} in ${place.shown}.`,
        ...otherNames(names),
      ];
      const seen = afterEdit(context.seen?.get(place.shown), before.sha256, bytes);
      return changed(place, told.join(" "), seen, changedLines(before.text, content));
    },
  };
}

/** An edit shows nothing: the child knows the file after it if it knew it before. Parts have lost their line numbers. */
function afterEdit(known: SeenFile | undefined, sha256: string, bytes: Buffer): SeenFile | undefined {
  if (known?.sha256 !== sha256) return undefined;
  const { path } = known;
  return { path, sha256: sha256Of(bytes), ...(isSeenWhole(known) ? {} : { to: 0 }) };
}

function otherNames(names: number): string[] {
  return names > 1 ? [`The file has ${names} names (hard links): it has changed under each.`] : [];
}

/** @param lines undefined if the contents are too long to compare */
function changed(
  { shown }: ResolvedPath,
  text: string,
  seen: SeenFile | undefined,
  lines: LinesChanged[string] | undefined,
): ToolOutput {
  return {
    ok: true,
    text,
    filesChanged: [shown],
    ...(seen && { seen: [seen] }),
    ...(lines && { linesChanged: { [shown]: lines } }),
  };
}

/** Unique, because a child changes one file at a time. */
function temporaryName({ childId }: ToolContext): string {
  return `.deputy-${childId.replaceAll(/[^\w.-]/g, "_")}.tmp`;
}
