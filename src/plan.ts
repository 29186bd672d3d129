/** The plan of each task before anything has started: ready to run, or a problem. */

import type { Problem } from "./errors.ts";
import type { FileRef } from "./given-file.ts";
import type { ImageRef } from "./image.ts";
import type { Isolation, WorktreePlan } from "./isolation.ts";
import type { Route } from "./route.ts";
import type { Task } from "./task.ts";

/** Real paths of directories at one time, links resolved, by absolute path. */
export type BoundPaths = Readonly<Record<string, string>>;

/** Limits of one child, with request and config already combined: the lower value wins. */
export type Limits = {
  /**
   * Maximum model requests with tools; a child that still wants tools then gets one more request, without tools, for a
   * final answer.
   */
  maxIterations: number;
  /** Wall time from the child's start; 0 = no limit. */
  timeoutMs: number;
  /** Longest silence of a stream before the request counts as stalled; 0 = no limit. */
  stallMs: number;
  /** USD for this child; absent = no limit for it alone. */
  maxCostUsd?: number;
};

/** When and how a child's conversation is compacted. */
export type CompactionPlan = {
  /** Share of the context window, less the room for an answer, at which it is. */
  at: number;
  /** Share of the context window for the newest steps, which a summary leaves as they are. */
  keep: number;
  /** Who summarizes; absent = the child's own model. */
  route?: Route;
};

/** A task that can start. */
export type Ready = {
  task: Task;
  route: Route;
  limits: Limits;
  toolsets: string[];
  /** Limits the toolsets to these tools, by name; absent = all of their tools. */
  tools?: string[];
  workspace: string;
  /** Real paths of the workspace and the operator's extra directories; absent in older journals. */
  realPaths?: BoundPaths;
  /** Directories of the callers that contain the workspace: rules for paths start there too. Absent = none. */
  enclosing?: string[];
  /** The name of its agent definition, as written there. */
  agent?: string;
  /** The task's images, in order; absent = none. */
  images?: ImageRef[];
  /** The files whose text its child gets with the task, in order; absent = none. */
  files?: FileRef[];
  /** Hosts that the user's own words in the task name: their pages need no approval. Absent = none. */
  hosts?: string[];
  /** Absent in older journals and where it is off: the child ends when its conversation is too long. */
  compaction?: CompactionPlan;
  /** The child may delegate. */
  role?: "orchestrator";
  /** What its agent definition says about a copy of its own; absent = nothing. */
  isolation?: Isolation;
  /** The plan of its own working copy; absent = it works in its workspace. */
  worktree?: WorktreePlan;
  /**
   * Root of the working copy that contains its workspace: its own, or that of a child above it. Absent = the user's own
   * tree. Outside of it, such a child changes nothing.
   */
  copy?: string;
};
/** The plan of a task; every task of a call has one before anything starts. */
export type Planned = Ready | { task: Task; problem: Problem };

/** Fewest answer tokens that are worth a request: a task whose budget cannot pay for them does not start. */
export const SHORTEST_ANSWER_TOKENS = 256;
