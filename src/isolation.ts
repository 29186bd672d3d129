/**
 * The isolation of children: a working copy and a branch of its own for each, planned before anything starts.
 * `worktree/` makes, saves and removes the copies.
 */

/** Where a child works: in a working copy of its own, or in the tree that its workspace is in. */
export const ISOLATIONS = ["worktree", "none"] as const;
export type Isolation = (typeof ISOLATIONS)[number];

/** Whether a copy begins with the uncommitted and untracked files of its repository. */
export const DIRTY_STATES = ["ignore", "carry"] as const;

/** The plan of a child's own working copy. */
export type WorktreePlan = {
  /** Real path of the working tree that it is a copy of. */
  repository: string;
  /** The workspace below the root of the repository; empty for the root itself. */
  subdirectory: string;
  /** The commit that its branch starts from, in full. */
  base: string;
  /** The base as people know it: `HEAD of main`, `v1.2`. */
  baseName: string;
  /** The end of the branch's name, from the goal. */
  slug: string;
  /** Paths that are copied although git does not track them. */
  include?: string[];
  /** The operator's command that runs in the copy before the first request. */
  setup?: string;
  /** Uncommitted and untracked files of the repository come along, as a commit. */
  carry?: true;
};

/** A file that differs between two commits. Paths are relative to the child's workspace. */
export type FileLines = { path: string; added?: number; removed?: number };

/** A new working copy, or one that was made again or found again by a resume. */
export type WorktreeFacts = {
  /** Root of the copy. */
  path: string;
  /** Root of the repository that it is a copy of. */
  repository: string;
  subdirectory: string;
  branch: string;
  base: string;
  baseName: string;
  /** The commit with the carried state, on which the child starts; absent = on its base. */
  carried?: string;
  /** Paths of `isolation_include` that were copied. */
  included?: string[];
  /** The copy was there (`kept`), or was gone and was made again from its branch (`branch`). Absent for a new one. */
  resumed?: "kept" | "branch";
};

/**
 * A child's work as a branch of its repository. `head`: the newest commit of the branch; equal to the start without
 * changes. `unsaved`: why its copy holds more than the repository does, as clauses; it is kept then.
 */
export type SavedWork = {
  branch: string;
  base: string;
  head: string;
  /** Commits since the start. */
  commits: number;
  files: FileLines[];
  unsaved?: string[];
};

/** The branch of a child's work. */
export function branchOf(childId: string, slug: string): string {
  const at = childId.lastIndexOf(".");
  return `deputy/${childId.slice(0, at)}/${childId.slice(at + 1)}${slug === "" ? "" : `-${slug}`}`;
}
