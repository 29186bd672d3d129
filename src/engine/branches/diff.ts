/** The changes on children's branches: their files, and the patch of one. */
import type { ChildDiff, RunDiff } from "../../applying.ts";
import { DeputyError } from "../../errors.ts";
import { branchOfChild } from "../../run/branches.ts";
import { hasEnded, parseRunId, type Run, type RunChild } from "../../run/run.ts";
import { fileDiffs, patchBetween } from "../../worktree/file-diffs.ts";
import { GitError } from "../../worktree/git.ts";
import type { Repository } from "../../worktree/repository.ts";
import type { Worktrees } from "../../worktree/worktrees.ts";
import type { CurrentRuns } from "../control/current-runs.ts";
import { placeOfBranch, withGitErrors } from "./branch-place.ts";

export type DiffDeps = Pick<CurrentRuns, "find"> & { worktrees: Worktrees };

export type Diffs = {
  /** The changes of each child of a run, or of one, `ID.n`. @throws DeputyError `run-unknown` | `branch-unavailable` */
  diff(id: string): Promise<RunDiff>;
  /**
   * The patch of a child that `diff` has listed; empty if it changed nothing. @param binary for `git apply`, with the
   * content of binary files @throws DeputyError `branch-unavailable`
   */
  patch(child: ChildDiff, binary: boolean): Promise<Buffer>;
};

export function createDiffs({ find, worktrees }: DiffDeps): Diffs {
  async function diff(id: string): Promise<RunDiff> {
    const { run } = await find(id);
    const children = await Promise.all(childrenMeant(run, id).map((child) => childDiff(worktrees, child)));
    return { delegation_id: run.delegationId, children };
  }

  async function patch({ child_id: childId, repository, start, head }: ChildDiff, binary: boolean): Promise<Buffer> {
    if (repository === undefined || start === undefined || head === undefined || start === head) return Buffer.alloc(0);
    const place = await placeOfBranch(worktrees, { childId, repository, start, head }, undefined);
    return withGitErrors(() => patchBetween(reader(worktrees, place), start, head, binary));
  }

  return { diff, patch };
}

/** The children of a run, or the one that an id names. @throws DeputyError `run-unknown` */
export function childrenMeant({ delegationId, children }: Run, id: string): RunChild[] {
  const { taskIndex } = parseRunId(id);
  if (taskIndex === undefined) return children;
  const child = children[taskIndex];
  if (child === undefined)
    throw new DeputyError("run-unknown", `Run ${delegationId} has ${children.length} children; found ${id}.`);
  return [child];
}

async function childDiff(worktrees: Worktrees, child: RunChild): Promise<ChildDiff> {
  const { tally } = child;
  const facts = { child_id: tally.childId, task_index: tally.taskIndex };
  const state = hasEnded(child) ? "saved" : "running";
  const branch = branchOfChild(tally);
  if (branch === undefined)
    return { ...facts, state: tally.worktree === undefined || state === "saved" ? "none" : state, files: [] };
  const { repository, start, head } = branch;
  const commits = tally.worktree?.saved?.commits ?? 0;
  const place = await placeOfBranch(worktrees, branch, undefined);
  const files = await withGitErrors(() => fileDiffs(reader(worktrees, place), start, head));
  return { ...facts, state, repository, branch: branch.branch, start, head, commits, files };
}

function reader({ git }: Worktrees, { place }: Repository) {
  return async (args: readonly string[]): Promise<Buffer> => {
    const { exitCode, stdout, stderr } = await git.run(args, place);
    if (exitCode !== 0) throw new GitError(`git ${args[0]} failed: ${stderr}`);
    return stdout;
  };
}
