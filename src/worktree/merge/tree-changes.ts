/** The files that differ between two trees. */
import type { GitPath } from "../git-path.ts";
import type { Scratch } from "./scratch.ts";

/** Content of a path: its mode (`100644`, `100755`, `120000` a link, `160000` a submodule) and its object. */
export type FileEntry = { mode: string; id: string };

export const LINK = "120000";
export const SUBMODULE = "160000";
export const EXECUTABLE = "100755";

/** A path in two trees: absent in the first if it was added, in the second if it was deleted. */
export type TreeChange = { path: GitPath; before?: FileEntry; after?: FileEntry };

/** The changes between two trees, and which of the added paths are renames of deleted ones. */
export type TreeChanges = { changes: TreeChange[]; renames: { from: GitPath; to: GitPath }[] };

export type TreePair = { before: string; after: string };

/** As many renames as merges look for. */
const RENAME_LIMIT = 7000;

/** @returns the changes of each pair of trees, in order */
export async function treeChanges({ run }: Scratch, pairs: readonly TreePair[]): Promise<TreeChanges[]> {
  const names = pairs.map(({ before, after }) => `${before} ${after}`);
  const differing = [...new Set(names.filter((_, index) => pairs[index]?.before !== pairs[index]?.after))];
  if (differing.length === 0) return pairs.map(() => ({ changes: [], renames: [] }));
  const args = ["diff-tree", "--stdin", "-r", "-z", "--raw", "--no-abbrev", "-M", `-l${RENAME_LIMIT}`];
  const input = `${differing.join("\n")}\n`;
  const found = parsed((await run(args, { input })).toString("latin1"));
  return names.map((name) => found.get(name) ?? { changes: [], renames: [] });
}

const ENTRY = /^:(\d{6}) (\d{6}) ([0-9a-f]+) ([0-9a-f]+) ([A-Z])\d*$/;

/** A line with both trees, then for each path its modes, objects and status, and one or two paths that end with NUL. */
function parsed(output: string): Map<string, TreeChanges> {
  const found = new Map<string, TreeChanges>();
  let current: TreeChanges = { changes: [], renames: [] };
  let at = 0;
  const until = (end: string): string => {
    const stop = output.indexOf(end, at);
    const text = output.slice(at, stop === -1 ? output.length : stop);
    at = stop === -1 ? output.length : stop + 1;
    return text;
  };
  while (at < output.length) {
    if (output[at] !== ":") {
      current = { changes: [], renames: [] };
      found.set(until("\n"), current);
      continue;
    }
    const [, oldMode = "", newMode = "", oldId = "", newId = "", status = ""] = ENTRY.exec(until("\0")) ?? [];
    const before = { mode: oldMode, id: oldId };
    const after = { mode: newMode, id: newId };
    const path = until("\0");
    if (status === "R") {
      const to = until("\0");
      current.renames.push({ from: path, to });
      current.changes.push({ path, before }, { path: to, after });
    } else {
      current.changes.push({ path, ...(status !== "A" && { before }), ...(status !== "D" && { after }) });
    }
  }
  return found;
}
