/** What planning says of each task, before anything has started: it is ready to run, or here is the problem. */

import type { Problem } from "./errors.ts";
import type { ImageRef } from "./image.ts";
import type { Route } from "./route.ts";
import type { Task } from "./task.ts";

/** Where directories really were at one time: real paths by absolute path, links resolved. */
export type BoundPaths = Readonly<Record<string, string>>;

/** What bounds one child. The lower of request and config has won already. */
export type Limits = {
  /** Most model requests with tools; a child that still wants tools then is asked once more, without, for what it has. */
  maxIterations: number;
  /** Wall time from the child's start; 0 = none. */
  timeoutMs: number;
  /** Longest silence of a stream before the request counts as stalled; 0 = none. */
  stallMs: number;
  /** USD for this child; absent = none of its own. */
  maxCostUsd?: number;
};

/** A task that can start. */
export type Ready = {
  task: Task;
  route: Route;
  limits: Limits;
  toolsets: string[];
  /** Of the toolsets' tools only these, by name; absent = all of them. */
  tools?: string[];
  workspace: string;
  /** Where the workspace and the operator's extra directories really were, by path; absent in older journals. */
  realPaths?: BoundPaths;
  /** The name of the agent definition it works by, as it is written there. */
  agent?: string;
  /** What the task shows, in its order; absent = nothing. */
  images?: ImageRef[];
  /** It may delegate in its turn. */
  role?: "orchestrator";
};
/** Every task of a call gets one or the other, before anything starts. */
export type Planned = Ready | { task: Task; problem: Problem };

/** Fewest tokens of an answer that are worth a request: a budget that cannot pay for them starts nothing. */
export const SHORTEST_ANSWER_TOKENS = 256;
