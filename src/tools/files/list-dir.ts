/** `list_dir`: lists one directory of the workspace. */
import { type Dirent, lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { Tool } from "../../tool.ts";
import { ToolError } from "../tool-error.ts";
import { nameInLine } from "./name-in-line.ts";
import { fileSubject } from "./paths/file-subject.ts";
import { inDirectory, locate, missing, statsOf, type Workspace } from "./paths/workspace.ts";
import { createSelection } from "./selection.ts";

const MAX_ENTRIES = 500;

const input = z.strictObject({
  path: z.string().min(1).optional().describe("The directory, relative to the workspace. Default: the workspace."),
});

export function createListDir(workspace: Workspace): Tool<z.infer<typeof input>> {
  return {
    name: "list_dir",
    description:
      "Lists one directory of the workspace, including ignored and hidden files: directories end in /, links in @, files " +
      `show their size in bytes. At most ${MAX_ENTRIES} entries are shown. To find files further down, use glob.`,
    effect: "read",
    input,
    subject: ({ path = "." }) => fileSubject(workspace, path, "list"),
    run: async ({ path = "." }, context) => {
      const place = locate(workspace, path);
      const stats = statsOf(place);
      if (stats === undefined) throw missing(workspace, place);
      if (!stats.isDirectory()) throw new ToolError(`${place.shown} is not a directory. read_file shows a file.`);
      const found = createSelection(workspace, path, "list", context);
      const { lines, total } = inDirectory(workspace, place.real, (directory, own, real) =>
        listed(directory, ({ name }) => !own.isOwn(join(real, name)) && found.includes(name)),
      );
      const leftOut = found.leftOut();
      if (total === 0 && leftOut.length === 0) return { ok: true, text: `(${place.shown} is empty)` };
      const cut =
        total > lines.length ? [`[Cut: ${lines.length} of ${total} entries shown. glob finds the others.]`] : [];
      return { ok: true, text: [...lines, ...cut, ...leftOut].join("\n") };
    },
  };
}

function listed(directory: string, isShown: (entry: Dirent) => boolean): { lines: string[]; total: number } {
  const entries = readdirSync(directory, { withFileTypes: true }).filter(isShown);
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  return { lines: entries.slice(0, MAX_ENTRIES).map((entry) => shownEntry(directory, entry)), total: entries.length };
}

function shownEntry(directory: string, entry: Dirent): string {
  const name = nameInLine(entry.name);
  if (entry.isDirectory()) return `${name}/`;
  if (entry.isSymbolicLink()) return `${name}@`;
  if (!entry.isFile()) return `${name} (device, pipe or socket)`;
  const stats = lstatSync(join(directory, entry.name), { throwIfNoEntry: false });
  if (stats === undefined && entry.name.includes("\ufffd")) return `${name} (its name is not UTF-8)`;
  return `${name} (${stats?.size ?? 0} bytes)`;
}
