/** The engine: submit · watch · stop · resume. Every surface stands on this and nothing below it. */

import type { Warning } from "../errors.ts";
import type { Event } from "../event.ts";
import type { Planned } from "../plan.ts";
import type { DelegationResult } from "../result.ts";
import type { Wish } from "../route.ts";
import type { Call } from "../task.ts";
import type { Run } from "./run.ts";

/** Someone who can answer whether a child may do something. Absent: nobody can, and `ask` is denied at once. */
export type Asker = (question: ApprovalQuestion, signal: AbortSignal) => Promise<{ allowed: boolean; reason: string }>;
export type ApprovalQuestion = { childId: string; goal: string; toolName: string; target: string };

export type SubmitOptions = {
  /** What this surface's caller runs on: flags, or a chat session's route. */
  parent?: Wish;
  /** Who asks: policy binds models, not operators. */
  surface: "cli" | "library" | "mcp" | "demo";
  workspace: string;
  /** Overrides of this one call, from flags; the lower of these and the config wins where it is a limit. */
  concurrency?: number;
  maxCostUsd?: number;
  strict?: boolean;
  /** Extra permission rules, before the config's. */
  allow?: string[];
  asker?: Asker;
};

export type Plan = { planned: Planned[]; warnings: Warning[] };

/** A delegation under way in this process. */
export type Delegation = {
  readonly id: string;
  /** Its events, live ones included, from the first; ends with `delegation-end`. May be iterated once. */
  readonly events: AsyncIterable<Event>;
  /** Settles when every child has ended. Rejects only where the journal broke its promise. */
  readonly result: Promise<DelegationResult>;
  stop(by: string, target?: string): void;
};

export type RunListing = { run: Run; owner: "here" | "elsewhere" | "dead" | "none" };

export interface Engine {
  /** Plans a call and starts nothing. @throws DeputyError `task-invalid` | `config-invalid` */
  plan(call: Call, options: SubmitOptions): Promise<Plan>;
  /** Plans, journals and starts. @throws DeputyError `nothing-to-run` with every problem, where no task can start */
  submit(call: Call, options: SubmitOptions): Promise<Delegation>;
  /** Goes on with a run whose owner died. @throws DeputyError `run-unknown` | `run-owned` */
  resume(delegationId: string, options: Pick<SubmitOptions, "asker">): Promise<Delegation>;
  /** Asks a run (or one child, `ID.n`) to stop, whoever owns it. Resolves when the request is durable. */
  stop(id: string, by: string): Promise<void>;
  /** Every run of the journal, newest first. */
  runs(): RunListing[];
  /** One run by id, unique id prefix, or child id. @throws DeputyError `run-unknown` */
  run(id: string): RunListing;
  /** Stored events of a run from the first, then new ones, from any process, until it ends. */
  watch(id: string, signal: AbortSignal): AsyncIterable<Event>;
  close(): Promise<void>;
}
