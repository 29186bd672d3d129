/**
 * A delegation that a child makes: a run of its own, as any other, that stands under the child. It gets the child's
 * tools, directory, money and people, ends before the child does, and is found again by its id after a crash.
 */

import type { StopReason } from "../../child/child.ts";
import type { Event, StoredEvent } from "../../event.ts";
import type { Journal } from "../../journal/journal.ts";
import type { Ready } from "../../plan.ts";
import { present } from "../../present.ts";
import type { Route } from "../../route.ts";
import type { Bounds } from "../../routing/plan.ts";
import { canGoOn, foldRun, type Run } from "../../run/run.ts";
import { type LoadedRun, loadRun } from "../../run/run-store.ts";
import type { Call } from "../../task.ts";
import type { ApprovalOptions } from "../control/approvals.ts";
import type { Budget } from "../limits/budget.ts";
import type { Setup } from "../setup/setup.ts";

/** What a child asks for, and what it hands down. */
export type NestedCall = {
  call: Call;
  by: { childId: string; step: number; callId: string };
  planned: Ready;
  /** The route it runs on: its children inherit it. */
  route: Route;
  /** Of its children. */
  depth: number;
  parent: ParentContext;
  /** What the run around it works by: a config that changed since does not loosen what it began with. */
  setup: Setup;
  /** Is told the run before anything happens in it. */
  onStart(run: Run): void;
};

/** What holds for a delegation because of the child that made it. */
export type ParentContext = {
  /** Every limit it stands under, from the top. */
  budgets: readonly Budget[];
  /** Aborts, with a `StopReason`, when the child is stopped. */
  signal: AbortSignal;
  /** Sees every event of the delegation and of those below it, once it is folded. */
  publish(event: Event): void;
  approvalOptions: ApprovalOptions;
};

/** Runs what a child asks for to its end. @throws DeputyError `nothing-to-run` where no task can start */
export type RunNested = (order: NestedCall) => Promise<Run>;

/** What a child's own delegation may not leave. */
export function boundsOf({ planned: { toolsets, tools, realPaths }, parent }: NestedCall): Bounds {
  const isBudgeted = parent.budgets.some(({ limitUsd }) => limitUsd !== undefined);
  return { toolsets, ...present({ tools, realPaths }), isBudgeted };
}

/** The delegation that this very call has begun before a crash. A model may use the id of a call again. */
export async function nestedRunOf(
  journal: Journal,
  { childId, step, callId }: NestedCall["by"],
): Promise<LoadedRun | undefined> {
  let begun: string | undefined;
  for await (const { event } of journal.read({ within: childId, kinds: ["delegation-start"] })) {
    if (event.kind !== "delegation-start") continue;
    const { parent, delegationId } = event;
    if (parent?.childId === childId && parent.step === step && parent.callId === callId) begun = delegationId;
  }
  return begun === undefined ? undefined : loadRun(journal, begun);
}

export function isOver(run: Run): boolean {
  return run.endedAt !== undefined && !run.children.some(canGoOn);
}

/** A new run under a child. */
export function newRun(start: StoredEvent): LoadedRun {
  return { run: foldRun(undefined, start), past: new Map(), lastSeq: 0 };
}

/** Where the rest of an answer is that was cut for a model. */
export function restOf(childId: string): string {
  return `the user can read it with deputy show ${childId}`;
}

/** Who is said to have stopped what a child delegated, when the child itself is stopped. */
export function abortedBy({ reason }: AbortSignal): string {
  const why = reason as StopReason;
  return why.status === "timeout" ? "parent-timeout" : why.by;
}
