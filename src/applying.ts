/** Applying children's work to the user's tree or to a new branch: what is asked for, and what comes of it. */
import type { ConflictFile } from "./conflict.ts";
import type { FileLines } from "./isolation.ts";

/** Where the result goes: into the working tree, to a new branch, or into a patch. */
export type ApplyTarget = { kind: "tree" } | { kind: "branch"; name: string } | { kind: "patch" };

/** Reasons to ask before a change is applied, by what the change touches. `again`: it was applied before. */
export type ConcernKind =
  | "hook"
  | "ci"
  | "script"
  | "attributes"
  | "submodule"
  | "agent"
  | "editor"
  | "environment"
  | "executable"
  | "link"
  | "again";

/** A path, or for `again` a child, that the user is asked about. */
export type Concern = { path: string; kind: ConcernKind; reason: string };

/** A path that cannot be written. `reason`: a clause. */
export type Obstacle = { path: string; reason: string };

/** A file in a diff. `from`: its earlier name. Without `added` and `removed`, its lines were not compared. */
export type FileDiff = FileLines & {
  status: "added" | "deleted" | "modified" | "renamed" | "retyped";
  from?: string;
};

/**
 * `applied`: it is applied, or with `dry_run` would be. `contained`: everything in it is there already. `unchanged`: the
 * child changed nothing. `conflict`: it does not merge. `blocked`: a file is in its way. `skipped`: it did not complete,
 * or has no branch. `not-reached`: an earlier one stopped the run. `declined`: the user did not agree.
 */
export type ApplyStatus =
  | "applied"
  | "contained"
  | "unchanged"
  | "conflict"
  | "blocked"
  | "skipped"
  | "not-reached"
  | "declined";

/** What came of the work of one child. */
export type AppliedChild = {
  child_id: string;
  /** Index of the task in its call, from 0. */
  task_index: number;
  status: ApplyStatus;
  /** Why it was skipped, as a clause. */
  reason?: string;
  /** The branch with its work. */
  branch?: string;
  /** `applied`: what it changes. */
  files?: FileDiff[];
  /** `conflict`: what does not merge. Lines of the child's are `their_*`, those of the tree it is applied to the others. */
  conflicts?: ConflictFile[];
  /** Conflicts that are not listed. */
  more_conflicts?: number;
  /** `blocked`: what is in its way. */
  obstacles?: Obstacle[];
};

/** What came of applying a run or a child. */
export type ApplyReport = {
  delegation_id: string;
  target: ApplyTarget["kind"];
  /** The new branch. */
  branch?: string;
  /** Nothing was written: the rest says what would come of it. */
  dry_run: boolean;
  /** Whether the work of every child that was asked for is there now. */
  complete: boolean;
  /** Roots of the working trees. */
  directories: string[];
  /** In task order. */
  children: AppliedChild[];
  /** What the change touches that takes effect by itself. */
  concerns: Concern[];
  /** What the user should know. */
  notes: string[];
};

/**
 * The changes on a child's branch. `running`: what was saved so far, which may be nothing. `none`: it has no branch,
 * because it worked in the user's own tree or did not start.
 */
export type ChildDiff = {
  child_id: string;
  task_index: number;
  state: "saved" | "running" | "none";
  /** Root of the working tree that it worked in a copy of. */
  repository?: string;
  branch?: string;
  /** The commit that the child started on, and the newest of its branch. */
  start?: string;
  head?: string;
  commits?: number;
  files: FileDiff[];
};

export type RunDiff = { delegation_id: string; children: ChildDiff[] };
