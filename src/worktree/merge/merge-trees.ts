/** Merges of trees with `git merge-tree`, many in one process. They touch no index, no ref and no working tree. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ConflictKind } from "../../conflict.ts";
import { type GitPath, gitPaths } from "../git-path.ts";
import type { Scratch } from "./scratch.ts";
import type { FileEntry } from "./tree-changes.ts";

/** A merge to make. All three are trees. */
export type TreeMerge = { base: string; ours: string; theirs: string };

/** A path that does not merge, with the content of the base and of each side, as far as they have it. */
export type MergeConflict = {
  path: GitPath;
  kind: ConflictKind;
  base?: FileEntry;
  ours?: FileEntry;
  theirs?: FileEntry;
};

/** `tree` is the result if there are no conflicts. */
export type MergedTree = { tree: string; conflicts: MergeConflict[] };

/** Makes each merge. @returns their results, in order. @throws GitError | Error if objects are missing */
export async function mergeTrees(scratch: Scratch, merges: readonly TreeMerge[]): Promise<MergedTree[]> {
  if (merges.length === 0) return [];
  const bases = await commitsOf(scratch, unique(merges.map(({ base }) => ({ tree: base }))));
  const parentOf = ({ base }: TreeMerge) => bases.get(keyOf({ tree: base })) ?? "";
  const sidesOf = (merge: TreeMerge) =>
    [merge.ours, merge.theirs].map((tree): TreeCommit => ({ tree, parent: parentOf(merge) }));
  const sides = await commitsOf(scratch, unique(merges.flatMap(sidesOf)));
  const lines = merges.map((merge) =>
    sidesOf(merge)
      .map((side) => sides.get(keyOf(side)))
      .join(" "),
  );
  const args = ["merge-tree", "--write-tree", "--stdin", "--messages", "-z"];
  return parsed(gitPaths(await scratch.run(args, { input: `${lines.join("\n")}\n` })));
}

type TreeCommit = { tree: string; parent?: string };

function keyOf({ tree, parent = "" }: TreeCommit): string {
  return `${tree} ${parent}`;
}

function unique(commits: readonly TreeCommit[]): TreeCommit[] {
  return [...new Map(commits.map((commit) => [keyOf(commit), commit])).values()];
}

const NOBODY = "Deputy <deputy> 0 +0000";

/** Commits whose only purpose is to name the base of a merge, in one process. */
async function commitsOf({ directory, run }: Scratch, commits: readonly TreeCommit[]): Promise<Map<string, string>> {
  await mkdir(join(directory, "commits"), { recursive: true });
  const paths = await Promise.all(
    commits.map(async ({ tree, parent }, index) => {
      const path = join(directory, "commits", String(index));
      const parents = parent === undefined ? "" : `parent ${parent}\n`;
      await writeFile(path, `tree ${tree}\n${parents}author ${NOBODY}\ncommitter ${NOBODY}\n\n`);
      return path;
    }),
  );
  const args = ["hash-object", "-t", "commit", "-w", "--no-filters", "--stdin-paths"];
  const ids = (await run(args, { input: `${paths.join("\n")}\n` })).toString("latin1").split("\n");
  return new Map(commits.map((commit, index) => [keyOf(commit), ids[index] ?? ""]));
}

const STAGES = { 1: "base", 2: "ours", 3: "theirs" } as const;
const STAGE_ENTRY = /^(\d{6}) ([0-9a-f]+) ([123])\t(.*)$/s;

/**
 * For each merge `1` or `0`, its tree, the paths in conflict with their stages, an empty field, the messages (number of
 * paths, paths, type, text), and an empty field.
 */
function parsed(fields: readonly string[]): MergedTree[] {
  const results: MergedTree[] = [];
  let at = 0;
  const next = () => fields[at++] ?? "";
  while (at < fields.length) {
    const isClean = next() === "1";
    const tree = next();
    const stages = new Map<GitPath, Omit<MergeConflict, "path" | "kind">>();
    for (let entry = next(); entry !== ""; entry = next()) {
      const [, mode = "", id = "", stage = "", written = ""] = STAGE_ENTRY.exec(entry) ?? [];
      const path = ownName(written);
      const name = stage === "1" || stage === "2" || stage === "3" ? STAGES[stage] : undefined;
      if (name !== undefined) stages.set(path, { ...stages.get(path), [name]: { mode, id } });
    }
    const kinds = new Map<GitPath, ConflictKind>();
    for (let count = next(); count !== ""; count = next()) {
      const paths = Array.from({ length: Number(count) }, next);
      const type = next();
      next();
      const path = ownName(paths[0] ?? "");
      if (type.startsWith("CONFLICT") && !kinds.has(path)) kinds.set(path, kindOf(type));
    }
    results.push({ tree, conflicts: isClean ? [] : conflictsIn(stages, kinds) });
  }
  return results;
}

/** Without the commit that git appends to the name of a file that is in the place of a directory, or of another file. */
function ownName(path: GitPath): GitPath {
  return path.replace(/~([0-9a-f]{64}|[0-9a-f]{40})(_\d+)?$/, "");
}

/** What git says is about a path; a path that it says nothing about is another name of one of those. */
function conflictsIn(
  stages: ReadonlyMap<GitPath, Omit<MergeConflict, "path" | "kind">>,
  kinds: ReadonlyMap<GitPath, ConflictKind>,
): MergeConflict[] {
  const paths = new Set([...kinds.keys(), ...stages.keys()]);
  const named = [...kinds.values()];
  return [...paths].map((path) => {
    const found = stages.get(path) ?? {};
    const said = kinds.get(path) ?? named.find((kind) => kind !== "content") ?? "other";
    const kind = said === "content" && found.base === undefined ? "added" : said;
    return { path, kind, ...found };
  });
}

/** Git's short names, which are stable, from the more special to the more general. */
const KINDS: readonly (readonly [RegExp, ConflictKind])[] = [
  [/submodule/, "submodule"],
  [/contents/, "content"],
  [/binary/, "binary"],
  [/distinct modes/, "mode"],
  [/directory rename|implicit dir rename/, "moved"],
  [/file\/directory/, "place"],
  [/delete/, "deleted"],
  [/rename/, "renamed"],
];

function kindOf(type: string): ConflictKind {
  return KINDS.find(([name]) => name.test(type))?.[1] ?? "other";
}
