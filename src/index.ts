/** The public API of `deputize`. */
export { type CreateOptions, createDeputy, type DelegateOptions, type Deputy } from "./engine/deputy.ts";
export type { ApprovalQuestion, Asker, Delegation, Plan, RunListing } from "./engine/engine.ts";
export type { Run, RunChild } from "./engine/run.ts";
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
export type { Entry, EntryFilter, Journal } from "./journal/journal.ts";
export type { Planned, Ready } from "./plan.ts";
export type { DelegationResult, Result, RouteReport, Status } from "./result.ts";
export { API_MODES, type ApiMode, EFFORTS, type Effort, type Route, type Wish } from "./route.ts";
export type { Candidate, RouteHook } from "./routing/hook.ts";
export { type Call, type CallInput, delegateTaskJsonSchema, parseCall, type Task } from "./task.ts";
