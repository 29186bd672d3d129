/** The branches with the saved work of a run's children. */
import type { ChildStats } from "../result.ts";
import type { Run } from "./run.ts";

/** Saved work of a child, from the commit that it started on to the newest of its branch. */
export type RunBranch = {
  childId: string;
  taskIndex: number;
  /** Root of the working tree that the child's copy was made of. */
  repository: string;
  branch: string;
  start: string;
  head: string;
};

/** The branch of a child; undefined if it has none, or nothing was saved yet. */
export function branchOfChild({ childId, taskIndex, worktree }: ChildStats): RunBranch | undefined {
  if (worktree?.saved === undefined) return undefined;
  const { repository, branch, start, saved } = worktree;
  return { childId, taskIndex, repository, branch, start, head: saved.head };
}

/** The branches of the children that have changed something, in task order. */
export function branchesIn({ children }: Run): RunBranch[] {
  return children.flatMap(({ tally }) => {
    const branch = branchOfChild(tally);
    return branch === undefined || branch.head === branch.start ? [] : [branch];
  });
}
