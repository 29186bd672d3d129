/**
 * `write_file`: the whole content of a file. A change is read, made and written in one synchronous turn: two children
 * that change the same file cannot undo each other's work, and nobody ever sees a partial file. Encoding, byte order
 * mark and line ends stay as they are.
 */
import { z } from "zod";
import { sha256Of } from "../../../image.ts";
import type { Tool, ToolContext, ToolOutput } from "../../../tool.ts";
import { fileSubject, isThere } from "../paths/file-subject.ts";
import { locate, type ResolvedPath, replaceFile, statsOf, type Workspace } from "../paths/workspace.ts";
import { checkSeen, readTextFile } from "../text-file.ts";
import { changeReport, inFormOf, otherNames, temporaryName, WHOLE_CHARACTERS } from "./changed-file.ts";
import { encode } from "./text-form.ts";

const input = z.strictObject({
  path: z.string().min(1).describe("The file, relative to the workspace. Missing directories are created."),
  content: z
    .string()
    .refine(...WHOLE_CHARACTERS)
    .describe("The whole new content."),
});

export function createWriteFile(workspace: Workspace): Tool<z.infer<typeof input>> {
  return {
    name: "write_file",
    description:
      "Creates a text file in the workspace, or replaces its whole content. Read an existing file whole before " +
      "you replace it. Its encoding and line ends are kept. To change a part of a file, edit it.",
    effect: "write",
    input,
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
      return changeReport([{ place, before: before.text, after: text, told, seen }]);
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
  return changeReport([{ place, before: "", after: content, told, seen }]);
}
