/** Conflicts between the branches of siblings: found from their trees, in a git directory of its own. */
import type { SiblingConflict } from "../../conflict.ts";
import { getOrMake } from "../../values/get-or-make.ts";
import type { Git } from "../git.ts";
import type { Repository } from "../repository.ts";
import { footprintOf, mayCollide } from "./collisions.ts";
import { conflictFiles } from "./conflict-files.ts";
import { mergeTrees } from "./merge-trees.ts";
import { followAttributes, type Scratch, withScratch } from "./scratch.ts";
import { type TreeChanges, type TreePair, treeChanges } from "./tree-changes.ts";

/** A child's work: the commit it started from, and the newest of its branch. */
export type ChildBranch = { childId: string; start: string; head: string };

/**
 * Finds the pairs of branches that do not merge, in order.
 * @param repository has all of them @throws GitError if commits are missing
 */
export async function siblingConflicts(
  git: Git,
  repository: Repository,
  branches: readonly ChildBranch[],
  signal?: AbortSignal,
): Promise<SiblingConflict[]> {
  const [first] = branches;
  if (first === undefined || branches.length < 2) return [];
  return withScratch(
    git,
    repository,
    async (scratch) => {
      const pairs = await collidingPairs(scratch, branches);
      const [pair] = pairs;
      if (pair === undefined) return [];
      await followAttributes(scratch, pair.base);
      const merges = pairs.map(({ base, one, other }) => ({ base, ours: one.headTree, theirs: other.headTree }));
      const merged = await mergeTrees(scratch, merges);
      const files = await conflictFiles(
        scratch,
        merged.map(({ conflicts }) => conflicts),
      );
      return pairs.flatMap(({ one, other }, index) => {
        const found = files[index];
        return found === undefined ? [] : [{ children: [one.childId, other.childId], ...found }];
      });
    },
    signal,
  );
}

/** A branch by its commits and their trees. */
export type BranchTrees = ChildBranch & { startTree: string; headTree: string };

type BranchPair = { base: string; one: BranchTrees; other: BranchTrees };

/** The pairs whose changes since their common base may collide. */
async function collidingPairs(scratch: Scratch, branches: readonly ChildBranch[]): Promise<BranchPair[]> {
  const trees = await branchTrees(scratch, branches);
  const changed = trees.filter(({ startTree, headTree }) => startTree !== headTree);
  const commonBase = createBases(scratch);
  const pairs: BranchPair[] = [];
  for (const [index, one] of changed.entries())
    for (const other of changed.slice(index + 1)) {
      const base = one.headTree === other.headTree ? undefined : await commonBase(one, other);
      if (base !== undefined) pairs.push({ base, one, other });
    }
  const sidesOf = ({ base, one, other }: BranchPair): TreePair[] =>
    [one, other].map(({ headTree }) => ({ before: base, after: headTree }));
  const sides = [...new Map(pairs.flatMap(sidesOf).map((side) => [keyOf(side), side])).values()];
  const changes = await treeChanges(scratch, sides);
  const footprints = new Map(sides.map((side, index) => [keyOf(side), footprintOf(changes[index] ?? NOTHING)]));
  return pairs.filter((pair) => {
    const [mine, theirs] = sidesOf(pair).map((side) => footprints.get(keyOf(side)));
    return mine !== undefined && theirs !== undefined && mayCollide(mine, theirs);
  });
}

function keyOf({ before, after }: TreePair): string {
  return `${before} ${after}`;
}

const NOTHING: TreeChanges = { changes: [], renames: [] };

/** @throws GitError if commits are missing */
export async function branchTrees({ run }: Scratch, branches: readonly ChildBranch[]): Promise<BranchTrees[]> {
  const names = branches.flatMap(({ start, head }) => [`${start}^{tree}`, `${head}^{tree}`]);
  const said = (await run(["rev-parse", "--end-of-options", ...names])).toString("latin1");
  const ids = said.split("\n").filter((line) => /^[0-9a-f]+$/.test(line));
  return branches.map((branch, index) => ({
    ...branch,
    startTree: ids[2 * index] ?? "",
    headTree: ids[2 * index + 1] ?? "",
  }));
}

/**
 * Finds the tree that two branches have in common: that of their start, if it is the same. It is the empty tree if their
 * histories are unrelated, and undefined if one of them started from the other, and has all of it.
 */
function createBases({ git, repository, run, signal }: Scratch) {
  const known = new Map<string, Promise<string>>();
  const contained = new Map<string, Promise<boolean>>();
  const contains = (start: string, head: string) =>
    getOrMake(contained, `${head} ${start}`, async () => {
      const args = ["merge-base", "--is-ancestor", head, start];
      return (await git.run(args, repository.place, signal)).exitCode === 0;
    });

  async function treeBelow(one: string, other: string): Promise<string> {
    const { stdout } = await git.run(["merge-base", one, other], repository.place, signal);
    const commit = stdout.toString("utf8").trim();
    const tree = commit === "" ? ["mktree"] : ["rev-parse", `${commit}^{tree}`];
    return (await run(tree, { input: "" })).toString("latin1").trim();
  }

  return async (one: BranchTrees, other: BranchTrees): Promise<string | undefined> => {
    if (one.startTree === other.startTree) return one.startTree;
    if ((await contains(other.start, one.head)) || (await contains(one.start, other.head))) return undefined;
    return getOrMake(known, `${one.start} ${other.start}`, () => treeBelow(one.start, other.start));
  };
}
