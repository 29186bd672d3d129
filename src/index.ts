/// <reference types="node" preserve="true" />
/** The public API of `deputize`. */
export type { AppliedChild, ApplyReport, ApplyStatus, ChildDiff, Concern, FileDiff, Obstacle } from "./applying.ts";
export type { ChildConflict, ConflictFile, ConflictHunk } from "./conflict.ts";
export type { Chat, ChatOptions, TurnOptions } from "./engine/chat.ts";
export type { DelegateTool } from "./engine/delegate-tool.ts";
export {
  type ApplyWork,
  type CreateOptions,
  createDeputy,
  type DelegateOptions,
  type Deputy,
} from "./engine/deputy.ts";
export type {
  Answer,
  Answered,
  ApprovalQuestion,
  Asker,
  Delegation,
  Plan,
  Question,
  RunListing,
  SteerReceipt,
} from "./engine/engine.ts";
export {
  DeputyError,
  type DeputyErrorCode,
  FAILURE_KINDS,
  type Failure,
  type FailureKind,
  type Problem,
  type Warning,
} from "./errors.ts";
export type { Event, EventKind } from "./event.ts";
export type { Claim, Entry, EntryFilter, Journal, NewRunId, Owner } from "./journal/journal.ts";
export type { Planned, Ready } from "./plan.ts";
export type { DelegationResult, Result, RouteReport, Status } from "./result.ts";
export { API_MODES, type ApiMode, EFFORTS, type Effort, type Route, type Wish } from "./route.ts";
export type { Candidate, RouteHook } from "./routing/resolve/hook.ts";
export type { OpenQuestion, Run, RunChild, Steer } from "./run/run.ts";
export { type Call, type CallInput, delegateTaskJsonSchema, parseCall, type Task } from "./task.ts";
