/** The files that differ between two commits or trees, with their lines, and the difference as a patch. */
import type { FileDiff } from "../applying.ts";
import { type GitPath, gitPaths, textOf } from "./git-path.ts";

/** Runs git where both are. @returns what it prints */
export type GitReader = (args: readonly string[]) => Promise<Buffer>;

/** Nothing that the repository's config names takes part. */
const PLAIN = ["-r", "-M", "--no-color", "--no-ext-diff", "--no-textconv"];

/** @returns the files in the order of their names */
export async function fileDiffs(read: GitReader, before: string, after: string): Promise<FileDiff[]> {
  const fields = gitPaths(await read(["diff-tree", ...PLAIN, "-z", "--raw", "--numstat", before, after]));
  const found = new Map<GitPath, FileDiff>();
  let at = 0;
  const next = () => fields[at++] ?? "";
  while (at < fields.length) {
    const field = next();
    const [, letter] = /^:\d+ \d+ \S+ \S+ ([A-Z])/.exec(field) ?? [];
    if (letter !== undefined) {
      const path = next();
      const name = letter === "R" ? next() : path;
      const from = letter === "R" ? { from: textOf(path) } : {};
      found.set(name, { path: textOf(name), status: STATUSES[letter] ?? "modified", ...from });
      continue;
    }
    const [, added, removed, path = ""] = /^(\d+|-)\t(\d+|-)\t(.*)$/s.exec(field) ?? [];
    if (path === "") next(); // A rename, with both names in fields of their own.
    const file = found.get(path === "" ? next() : path);
    if (file !== undefined && added !== "-") Object.assign(file, { added: Number(added), removed: Number(removed) });
  }
  return [...found.values()];
}

const STATUSES: Record<string, FileDiff["status"]> = {
  A: "added",
  D: "deleted",
  M: "modified",
  R: "renamed",
  T: "retyped",
};

/** A patch for `git apply`. @param binary whether it has the content of binary files, too */
export function patchBetween(read: GitReader, before: string, after: string, binary: boolean): Promise<Buffer> {
  const forms = binary ? ["--binary", "--full-index"] : [];
  return read(["diff-tree", ...PLAIN, "-p", ...forms, "--src-prefix=a/", "--dst-prefix=b/", before, after]);
}
