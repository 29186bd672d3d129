/** Stops the children of a run: one, or all of them, including those that start later. */
import type { StopReason } from "../../child/child.ts";
import { abortedBy } from "../start/nested-call.ts";

export type Interrupts = {
  /** Aborts a child, or every child if none is named; a child that is still queued never starts. */
  stop(by: string, target?: string): void;
  /** Returns the controller of a new child. It is already aborted if the whole run was stopped. */
  add(childId: string): AbortController;
  remove(childId: string): void;
};

export function createInterrupts(): Interrupts {
  const controllers = new Map<string, AbortController>();
  /** Set once the whole run was stopped. */
  let stopped: StopReason | undefined;

  function stop(by: string, target?: string): void {
    const reason: StopReason = { status: "interrupted", by };
    if (target === undefined) stopped ??= reason;
    for (const [childId, controller] of controllers) {
      if (target === undefined || target === childId) controller.abort(reason);
    }
  }

  function add(childId: string): AbortController {
    const controller = new AbortController();
    controllers.set(childId, controller);
    if (stopped !== undefined) controller.abort(stopped);
    return controller;
  }

  return { stop, add, remove: (childId) => void controllers.delete(childId) };
}

/** Stops everything when the parent child is stopped. @returns a function that stops listening to it */
export function stopWithParent({ stop }: Interrupts, parentSignal: AbortSignal): () => void {
  const onAbort = () => stop(abortedBy(parentSignal));
  if (parentSignal.aborted) onAbort();
  parentSignal.addEventListener("abort", onAbort, { once: true });
  return () => parentSignal.removeEventListener("abort", onAbort);
}
