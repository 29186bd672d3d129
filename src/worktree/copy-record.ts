/**
 * A working copy on disk: where its parts are, and what Deputy knows of it. The folder of a copy is `<run>/<number>`
 * below one directory for all copies. It contains the copy, named like its repository, and `.deputy` with what the
 * child does not see: this record, and the git directory through which Deputy reads the copy.
 */
import { mkdirSync, readdirSync } from "node:fs";
import { basename, join, relative, sep } from "node:path";
import { z } from "zod";
import { readPrivateFile, writePrivateFile } from "../system/private-file.ts";
import { parseJson } from "../text/parse-json.ts";
import { isWithin } from "../values/path-within.ts";

const recordSchema = z.object({
  childId: z.string(),
  /** The repository that it is a copy of: its root, and where its objects are written and what else they need. */
  repository: z.string(),
  objects: z.string(),
  beyond: z.array(z.string()).default([]),
  subdirectory: z.string(),
  branch: z.string(),
  base: z.string(),
  /** The commit that the child started on: the base, or the carried state on top of it. */
  start: z.string(),
  /** Heads that Deputy has saved on the branch, oldest first. */
  heads: z.array(z.string()).default([]),
  /** `isolation_setup` has run. */
  isSetUp: z.boolean().default(false),
  identity: z.object({ name: z.string(), email: z.string() }),
  /** The process that made or last used it. */
  pid: z.number(),
});
export type CopyRecord = z.infer<typeof recordSchema>;

/** A copy and its parts. */
export type WorkCopy = CopyRecord & {
  /** The folder with all of its parts. */
  folder: string;
  /** Root of the working copy. */
  tree: string;
  /** The git directory through which Deputy reads it. */
  view: string;
};

const OWN = ".deputy";

/** The copy that contains a path; undefined for a path of the user's. @param directory of all copies */
export function copyAround(directory: string, path: string): WorkCopy | undefined {
  if (!isWithin(directory, path)) return undefined;
  const [run, number] = relative(directory, path).split(sep);
  return run === undefined || number === undefined ? undefined : readCopy(join(directory, run, number));
}

/** The text of a copy's `objects/info/alternates`. */
export function alternatesText({ objects, beyond }: Pick<CopyRecord, "objects" | "beyond">): string {
  return [objects, ...beyond, ""].join("\n");
}

/** The folder of a child's copy. @param directory of all copies */
export function folderOf(directory: string, childId: string): string {
  const at = childId.lastIndexOf(".");
  return join(directory, childId.slice(0, at), childId.slice(at + 1));
}

export function copyIn(folder: string, record: CopyRecord): WorkCopy {
  return { ...record, folder, tree: join(folder, basename(record.repository)), view: join(folder, OWN, "git") };
}

/** The copy in a folder; undefined if there is none, or none that is whole. */
export function readCopy(folder: string): WorkCopy | undefined {
  const text = readPrivateFile(recordPath(folder), "the record of a working copy");
  const read = recordSchema.safeParse(text === undefined ? undefined : parseJson(text));
  return read.success ? copyIn(folder, read.data) : undefined;
}

/** Writes what is known of a copy. */
export function writeRecord({ folder, tree: _, view: __, ...record }: WorkCopy): void {
  writePrivateFile(recordPath(folder), `${JSON.stringify(record, null, 2)}\n`);
}

function recordPath(folder: string): string {
  return join(folder, OWN, "copy.json");
}

/** Creates the folders of a copy's own parts; only their owner can read them. */
export function makeFolders(folder: string): void {
  mkdirSync(join(folder, OWN, "git"), { recursive: true, mode: 0o700 });
}

/** All folders of copies, also of those that are not whole. */
export function copyFolders(directory: string): string[] {
  return namesIn(directory).flatMap((run) => namesIn(join(directory, run)).map((name) => join(directory, run, name)));
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory).sort();
  } catch {
    return [];
  }
}
