/**
 * A delegation that a child makes: a run like any other, below the child. It shares the child's tools, directory,
 * budgets and approval handlers, ends before the child does, and is found by its id after a crash.
 */

import { stopReason } from "../../child/child.ts";
import type { Event, StoredEvent } from "../../event.ts";
import type { Journal } from "../../journal/journal.ts";
import type { Ready } from "../../plan.ts";
import type { Route } from "../../route.ts";
import type { Bounds } from "../../routing/plan.ts";
import { foldRun, type Run } from "../../run/run.ts";
import { type LoadedRun, loadRun } from "../../run/run-store.ts";
import type { Call } from "../../task.ts";
import { present } from "../../values/present.ts";
import type { ApprovalOptions } from "../control/approvals.ts";
import type { Budget } from "../limits/budget.ts";
import type { Setup } from "../setup/setup.ts";

/** The call of a child, and what its children inherit. */
export type NestedCall = {
  call: Call;
  by: { childId: string; step: number; callId: string };
  planned: Ready;
  /** The child's route, which its children inherit. */
  route: Route;
  /** Depth of the children. */
  depth: number;
  parent: ParentContext;
  /** The setup of the enclosing run: a config that changed since does not loosen its limits. */
  setup: Setup;
  /** Hosts that the user named to the child. */
  hosts: readonly string[];
  /** Receives the run before anything happens in it. */
  onStart(run: Run): void;
};

/** Constraints and callbacks from the child that made a delegation. */
export type ParentContext = {
  /** Every enclosing budget, outermost first. */
  budgets: readonly Budget[];
  /** Aborts with a `StopReason` when the child is stopped. */
  signal: AbortSignal;
  /** Receives every event of the delegation and the runs below it, after it is folded. */
  publish(event: Event): void;
  approvalOptions: ApprovalOptions;
};

/** Runs a child's call to its end. @throws DeputyError `nothing-to-run` if no task can start */
export type RunNested = (order: NestedCall) => Promise<Run>;

/** Bounds that a child's own delegation cannot exceed. */
export function boundsOf({ planned: { toolsets, tools, realPaths, enclosing, copy }, parent }: NestedCall): Bounds {
  const isBudgeted = parent.budgets.some(({ limitUsd }) => limitUsd !== undefined);
  return { toolsets, ...present({ tools, realPaths, enclosing, copy }), isBudgeted };
}

/** Finds the delegation that this call started before a crash. A model may reuse the id of a call. */
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

/** Creates a run from its first events. */
export function newRun([start, ...more]: readonly [StoredEvent, ...StoredEvent[]]): LoadedRun {
  const run = foldRun(undefined, start);
  for (const event of more) foldRun(run, event);
  return { run, past: new Map(), lastSeq: 0 };
}

/** Hint for the model on how to read the rest of a truncated answer. */
export function restOf(childId: string): string {
  return `the user can read it with deputy show ${childId}`;
}

/** Names who stopped a child's delegations when the child itself is stopped. */
export function abortedBy(signal: AbortSignal): string {
  const why = stopReason(signal);
  return why.status === "timeout" ? "parent-timeout" : why.by;
}
