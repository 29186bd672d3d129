/** What is to be applied to a working tree or a new branch, and what came of it. */
import type { ApplyTarget, Concern, FileDiff, Obstacle } from "../../applying.ts";
import type { ConflictFiles } from "../merge/conflict-files.ts";
import type { ChildBranch } from "../merge/sibling-conflicts.ts";
import type { Repository } from "../repository.ts";

/** A child's work to apply. `goal`: for the commit that it becomes on a new branch. */
export type BranchToApply = ChildBranch & {
  goal: string;
  /** Set if it was applied before, as a clause. */
  appliedBefore?: string;
};

export type ApplyOrder = {
  /** The repository of the user's whose working tree is changed. */
  repository: Repository;
  /** The directory that the user is in. */
  directory: string;
  target: ApplyTarget;
  /** In the order in which they are applied. */
  branches: readonly BranchToApply[];
  isDryRun: boolean;
  /** Asks the user. It is not called without concerns. */
  confirm(concerns: readonly Concern[]): Promise<boolean>;
};

export type BranchOutcome = { childId: string } & (
  | { status: "applied"; files: FileDiff[] }
  | { status: "contained" | "unchanged" | "not-reached" | "declined" }
  | ({ status: "conflict" } & ConflictFiles)
  | { status: "blocked"; obstacles: Obstacle[] }
);

export type Applied = {
  outcomes: BranchOutcome[];
  concerns: Concern[];
  /** With the target `patch`. */
  patch?: Buffer;
  /** With the target `branch`: the newest commit. */
  commit?: string;
};
