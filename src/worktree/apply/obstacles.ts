/** What keeps a change from being written into the user's working tree, although it merges. */
import { lstatSync, readdirSync, type Stats } from "node:fs";
import type { Obstacle } from "../../applying.ts";
import { errorCode } from "../../errors.ts";
import { directoriesOf, type GitPath, gitPaths, isSafePath, pathIn, textOf } from "../git-path.ts";
import { pathInput, type Scratch } from "../merge/scratch.ts";
import { SUBMODULE, type TreeChange } from "../merge/tree-changes.ts";
import { configuredFilters } from "../repository.ts";
import type { TreeState } from "./tree-state.ts";

/** A path that leads out of the tree, or into a git directory; no tree may have one, but anybody can write it. */
export function unsafePaths(changes: readonly TreeChange[]): Obstacle[] {
  const unsafe = changes.filter(({ path, after }) => after !== undefined && !isSafePath(path));
  return unsafe.map(({ path }) => ({ path: textOf(path), reason: "it is no name for a file of a repository" }));
}

/** @param after tree of the result */
export async function findObstacles(
  scratch: Scratch,
  { unmerged }: Pick<TreeState, "unmerged">,
  changes: readonly TreeChange[],
  after: string,
): Promise<Obstacle[]> {
  const { root } = scratch.repository;
  const deleted = new Set(changes.filter(({ after: entry }) => entry === undefined).map(({ path }) => path));
  const filters = await filteredPaths(scratch, changes, after);
  return changes.flatMap((change) => {
    const reason = reasonAgainst(change, { root, unmerged, deleted, filters });
    return reason === undefined ? [] : [{ path: textOf(change.path), reason }];
  });
}

type TreeFacts = {
  root: string;
  unmerged: ReadonlySet<GitPath>;
  deleted: ReadonlySet<GitPath>;
  filters: ReadonlyMap<GitPath, string>;
};

function reasonAgainst(change: TreeChange, { root, unmerged, deleted, filters }: TreeFacts): string | undefined {
  const { path, before, after } = change;
  if (before?.mode === SUBMODULE || after?.mode === SUBMODULE) return "it is a submodule";
  if (unmerged.has(path)) return "it is in the middle of a merge";
  const filter = filters.get(path);
  if (filter !== undefined) return `git passes it through the filter ${filter}, which Deputy does not run`;
  for (const directory of directoriesOf(path)) {
    const found = lookAt(root, directory);
    if (found !== undefined && !found.isDirectory() && !deleted.has(directory))
      return `${textOf(directory)} is no directory here`;
  }
  const found = lookAt(root, path);
  if (before !== undefined) return found === undefined ? "it is not checked out" : undefined;
  if (found?.isDirectory()) return hasOthers(root, path, deleted) ? "a directory with other files is there" : undefined;
  return found === undefined ? undefined : "a file that git does not track is there";
}

/** Returns whether a directory has files that would not be deleted. */
function hasOthers(root: string, directory: GitPath, deleted: ReadonlySet<GitPath>): boolean {
  const entries = readdirSync(pathIn(root, directory), { withFileTypes: true, encoding: "latin1" });
  return entries.some((entry) => {
    const path = `${directory}/${entry.name}`;
    return entry.isDirectory() ? hasOthers(root, path, deleted) : !deleted.has(path);
  });
}

function lookAt(root: string, path: GitPath): Stats | undefined {
  try {
    return lstatSync(pathIn(root, path), { throwIfNoEntry: false });
  } catch (error) {
    if (errorCode(error) === "ENOTDIR") return undefined;
    throw error;
  }
}

/** Paths that a checkout would pass through a filter of the user's, such as Git LFS: now, or with the attributes of the result. */
async function filteredPaths(
  { repository, run, runInTree }: Scratch,
  changes: readonly TreeChange[],
  after: string,
): Promise<Map<GitPath, string>> {
  const configured = new Set(configuredFilters(repository));
  const found = new Map<GitPath, string>();
  if (configured.size === 0) return found;
  await run(["read-tree", after]);
  const asked = pathInput(changes.map(({ path }) => path));
  for (const source of [[], ["--cached"]]) {
    const fields = gitPaths(await runInTree(["check-attr", ...source, "-z", "--stdin", "filter"], asked));
    for (let at = 0; at + 2 < fields.length; at += 3) {
      const [path = "", , filter = ""] = fields.slice(at, at + 3);
      if (configured.has(filter)) found.set(path, filter);
    }
  }
  return found;
}
