/**
 * The valid orders of a run's events, including crashes at any point, for verifying a journal. Pure: a fold over one
 * run's events that returns what is wrong.
 */
import { type ChildEvent, isRequest, type StoredEvent } from "../event.ts";

type ChildInvariants = {
  started: boolean;
  /** It has a working copy, in which a command may already ask for a host. */
  placed: boolean;
  ended: boolean;
  asking?: number | undefined;
  asked: Set<string>;
  begun: Set<string>;
};

export type RunInvariants = { begun: boolean; ended: boolean; readonly children: Map<string, ChildInvariants> };

export function createRunInvariants(): RunInvariants {
  return { begun: false, ended: false, children: new Map() };
}

/** Adds a run's next event, and returns what is wrong with it; undefined if nothing is. */
export function invariantError(run: RunInvariants, event: StoredEvent): string | undefined {
  if (event.kind === "delegation-start") {
    const again = run.begun;
    run.begun = true;
    return again ? "the run begins twice" : undefined;
  }
  if (!run.begun) {
    run.begun = true; // Report it once.
    return `${event.kind} comes before delegation-start`;
  }
  // Also after the end: `deputy clean` saves what was left in a copy.
  if (isRequest(event) || event.kind === "worktree-save") return undefined;
  if (event.kind === "delegation-resume") return applyResume(run);
  if (run.ended) return `${event.kind} comes after the run's end, without a resume`;
  if (event.kind === "delegation-end") {
    run.ended = true;
    return undefined;
  }
  return "childId" in event ? childInvariantError(childIn(run, event.childId), event) : undefined;
}

function applyResume(run: RunInvariants): undefined {
  run.ended = false;
  for (const child of run.children.values()) {
    child.ended = false;
    child.asking = undefined;
  }
}

function childIn({ children }: RunInvariants, childId: string): ChildInvariants {
  const known = children.get(childId) ?? {
    started: false,
    placed: false,
    ended: false,
    asked: new Set(),
    begun: new Set(),
  };
  children.set(childId, known);
  return known;
}

function childInvariantError(child: ChildInvariants, event: ChildEvent): string | undefined {
  if (child.ended) return `${event.kind} comes after the end of ${event.childId}, without a resume`;
  switch (event.kind) {
    case "child-start": {
      const again = child.started;
      child.started = true;
      return again ? `${event.childId} begins twice` : undefined;
    }
    case "child-end":
      child.ended = true;
      return undefined;
    case "worktree-add":
      child.placed = true; // The copy is there before the child starts, and even if it never does.
      return undefined;
    case "step-start":
      child.asking = event.step;
      return beforeStart(child, event);
    case "step-end": {
      const { asking } = child;
      child.asking = undefined;
      // Copies of another run's steps cost nothing here, so the intents of their requests are not copied.
      return asking === event.step || event.copied
        ? undefined
        : `step-end ${event.step} of ${event.childId} has no step-start`;
    }
    case "step-fail":
      child.asking = undefined; // There is no step-start if no key was available.
      return beforeStart(child, event);
    case "tool-start":
      child.begun.add(event.callId);
      return beforeStart(child, event);
    case "tool-end":
      if (event.outcome !== "ran" || child.begun.delete(event.callId)) return beforeStart(child, event);
      return `tool-end ${event.callId} of ${event.childId} has no tool-start`;
    case "approval-ask":
      child.asked.add(event.callId);
      return child.placed ? undefined : beforeStart(child, event);
    case "child-warn":
      return child.placed ? undefined : beforeStart(child, event);
    case "approval-end":
      if (child.asked.delete(event.callId)) return undefined;
      return `approval-end ${event.callId} of ${event.childId} has no approval-ask`;
    default:
      return beforeStart(child, event);
  }
}

function beforeStart(child: ChildInvariants, event: ChildEvent): string | undefined {
  if (child.started) return undefined;
  child.started = true; // Report it once.
  return `${event.kind} of ${event.childId} comes before its child-start`;
}
