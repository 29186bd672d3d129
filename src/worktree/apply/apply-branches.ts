/**
 * Applies the work of children, one after the other, to a tree: each as a three-way merge of what the child changed since
 * its start. All merges are made beside the repository; only then the result is written, as a whole. The first child
 * that does not fit ends it, and nothing of that child is applied.
 */
import type { Concern, FileDiff, Obstacle } from "../../applying.ts";
import { fileDiffs, patchBetween } from "../file-diffs.ts";
import type { Git } from "../git.ts";
import { type ConflictFiles, conflictFiles } from "../merge/conflict-files.ts";
import { mergeTrees } from "../merge/merge-trees.ts";
import { followAttributes, type Scratch, withScratch } from "../merge/scratch.ts";
import { type BranchTrees, branchTrees } from "../merge/sibling-conflicts.ts";
import { treeChanges } from "../merge/tree-changes.ts";
import type { Applied, ApplyOrder, BranchOutcome, BranchToApply } from "./apply-order.ts";
import { commitResult, startOfBranch } from "./commit-result.ts";
import { concernsOf, hooksFolder } from "./concerns.ts";
import { findObstacles, unsafePaths } from "./obstacles.ts";
import { type TreeState, treeState } from "./tree-state.ts";
import { writeResult } from "./write-result.ts";

/** @throws GitError if commits are missing, or the branch cannot be made */
export function applyBranches(git: Git, order: ApplyOrder, signal?: AbortSignal): Promise<Applied> {
  return withScratch(git, order.repository, (scratch) => applyIn(scratch, order), signal);
}

async function applyIn(scratch: Scratch, order: ApplyOrder): Promise<Applied> {
  const { target, isDryRun, confirm } = order;
  const branches = await branchTrees(scratch, order.branches);
  const start = await startOf(scratch, order, branches);
  await followAttributes(scratch, start.tree);
  const merged = await mergeInOrder(scratch, order, branches, start);
  const [result] = merged.results.slice(-1);
  const [changes] = await treeChanges(scratch, [{ before: start.tree, after: result?.tree ?? start.tree }]);
  const concerns = [
    ...merged.results.flatMap(({ branch }) => concernAgain(branch)),
    ...(await concernsOf(scratch, changes?.changes ?? [], await hooksFolder(scratch))),
  ];
  const applied: Applied = { outcomes: merged.outcomes, concerns };
  if (target.kind === "patch") {
    const patch = await patchBetween(scratch.run, start.tree, result?.tree ?? start.tree, true);
    return { ...applied, patch };
  }
  if (isDryRun || result === undefined) return applied;
  if (concerns.length > 0 && !(await confirm(concerns))) return withoutApplied(applied, { status: "declined" });
  if (target.kind === "branch" && start.head !== undefined)
    return { ...applied, commit: await commitResult(scratch, target.name, start.head, merged.results) };
  if (start.state === undefined) throw new Error("a working tree without a state");
  const { state } = start;
  const written = { state, changes: changes?.changes ?? [], after: result.tree, keep: order.directory };
  const obstacles = await writeResult(scratch, written);
  return obstacles.length === 0 ? applied : withoutApplied(applied, { status: "blocked", obstacles });
}

function concernAgain({ childId, appliedBefore }: BranchToApply): Concern[] {
  return appliedBefore === undefined ? [] : [{ path: childId, kind: "again", reason: appliedBefore }];
}

/** Nothing was written: what would have been applied has this outcome instead. */
function withoutApplied(
  applied: Applied,
  instead: { status: "declined" } | { status: "blocked"; obstacles: Obstacle[] },
): Applied {
  const outcomes = applied.outcomes.map(
    (outcome): BranchOutcome => (outcome.status === "applied" ? { childId: outcome.childId, ...instead } : outcome),
  );
  return { ...applied, outcomes };
}

/** The tree that the work is applied to: of the user's working tree (`state`), or of the commit HEAD (`head`). */
type StartTree = { tree: string } & ({ state: TreeState; head?: never } | { head: string; state?: never });

async function startOf(scratch: Scratch, { target }: ApplyOrder, branches: readonly BranchTrees[]): Promise<StartTree> {
  if (target.kind === "branch") return startOfBranch(scratch, target.name);
  const pairs = branches.map(({ startTree, headTree }) => ({ before: startTree, after: headTree }));
  const changes = await treeChanges(scratch, pairs);
  const touched = new Set(changes.flatMap((each) => each.changes.map(({ path }) => path)));
  const state = await treeState(scratch, touched);
  return { tree: state.tree, state };
}

type MergeSequence = { outcomes: BranchOutcome[]; results: { branch: BranchToApply; tree: string }[] };

async function mergeInOrder(
  scratch: Scratch,
  { branches }: ApplyOrder,
  trees: readonly BranchTrees[],
  start: StartTree,
): Promise<MergeSequence> {
  const merged: MergeSequence = { outcomes: [], results: [] };
  let current = start.tree;
  let isStopped = false;
  for (const [index, branch] of branches.entries()) {
    const { childId } = branch;
    const { startTree: base = "", headTree: theirs = "" } = trees[index] ?? {};
    const outcome = isStopped
      ? ({ status: "not-reached" } as const)
      : base === theirs
        ? ({ status: "unchanged" } as const)
        : await mergeOne(scratch, { base, ours: current, theirs }, start);
    if ("tree" in outcome) {
      const { tree, ...rest } = outcome;
      merged.results.push({ branch, tree });
      merged.outcomes.push({ childId, ...rest });
      current = tree;
    } else merged.outcomes.push({ childId, ...outcome });
    if (outcome.status === "conflict" || outcome.status === "blocked") isStopped = true;
  }
  return merged;
}

async function mergeOne(
  scratch: Scratch,
  merge: { base: string; ours: string; theirs: string },
  start: StartTree,
): Promise<
  | { status: "applied"; tree: string; files: FileDiff[] }
  | { status: "contained" }
  | ({ status: "conflict" } & ConflictFiles)
  | { status: "blocked"; obstacles: Obstacle[] }
> {
  const [result] = await mergeTrees(scratch, [merge]);
  if (result === undefined) throw new Error("a merge has no result");
  const { tree, conflicts } = result;
  const [files] = await conflictFiles(scratch, [conflicts]);
  if (files !== undefined) return { status: "conflict", ...files };
  if (tree === merge.ours) return { status: "contained" };
  const obstacles = await obstaclesTo(scratch, start, tree);
  if (obstacles.length > 0) return { status: "blocked", obstacles };
  return { status: "applied", tree, files: await fileDiffs(scratch.run, merge.ours, tree) };
}

async function obstaclesTo(scratch: Scratch, { tree: before, state }: StartTree, after: string): Promise<Obstacle[]> {
  const [found] = await treeChanges(scratch, [{ before, after }]);
  const changes = found?.changes ?? [];
  const unsafe = unsafePaths(changes);
  if (unsafe.length > 0 || state === undefined) return unsafe;
  return findObstacles(scratch, state, changes, after);
}
