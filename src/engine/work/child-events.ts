/** Events that the engine records about a child. All others come from the child's own loop. */
import { stopReason } from "../../child/child.ts";
import type { Failure } from "../../errors.ts";
import type { Event, StoredEvent } from "../../event.ts";
import { interruption, parseRunId } from "../../run/run.ts";
import type { WaitStatus } from "../limits/scheduler.ts";

type ChildRef = { delegationId: string; childId: string };

/** The child waits in the queue, or for its provider's rate limiter. */
export function waitEvent(child: ChildRef, provider: string, status: WaitStatus, at: number): Event {
  const { taskIndex = -1 } = parseRunId(child.childId);
  if ("place" in status) return { kind: "queue-move", at, ...child, taskIndex, place: status.place };
  const { limit, forMs } = status;
  return { kind: "gate-wait", at, ...child, provider, limit, ...(Number.isFinite(forMs) && { delayMs: forMs }) };
}

/** The child waits for money that other children have reserved. */
export function budgetWait(child: ChildRef, heldUsd: number, at: number): Event {
  return { kind: "budget-wait", at, ...child, heldUsd };
}

/** Ends a child that was stopped while it waited in the queue. */
export function neverStarted({ delegationId, childId }: ChildRef, signal: AbortSignal, at: number): StoredEvent {
  const why = stopReason(signal);
  return interruption(delegationId, childId, "by" in why ? why.by : why.status, at);
}

export function failedEnd(child: ChildRef, failure: Failure, at: number): StoredEvent {
  const ending = { status: "failed", failure, text: "" } as const;
  return { kind: "child-end", at, ...child, ending, durationMs: 0 };
}

/** Ends a child that could not start, or was stopped meanwhile. */
export function endUnstarted(child: ChildRef, failure: Failure, signal: AbortSignal, at: number): StoredEvent {
  return signal.aborted ? neverStarted(child, signal, at) : failedEnd(child, failure, at);
}
