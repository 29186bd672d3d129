/** A delegation for its caller: to follow, to wait for, and to stop. */
import type { Event } from "../event.ts";
import type { DelegationResult } from "../result.ts";
import { type Run, resultsOf } from "../run/run.ts";
import { createBroadcast } from "./work/broadcast.ts";
import type { OnUpdate } from "./work/run-feed.ts";

/** A running delegation of this process. */
export type Delegation = {
  readonly id: string;
  /** Its events from now on, live ones included; ends with the delegation. Iterate at once, or use `watch`. */
  readonly events: AsyncIterable<Event>;
  /** Settles when every child has ended. Rejects only if the journal failed. */
  readonly result: Promise<DelegationResult>;
  /** Stops one child (`ID.n`) or all of them. Partial work is kept. */
  stop(by: string, target?: string): Promise<void>;
};

/** A delegation with live updates for the surfaces of this process. */
export type LiveDelegation = Delegation & {
  /** The run, updated with each event. */
  readonly run: Run;
  /**
   * Calls back with each event from the first on, and the run it is already folded into. Resolves when the work ends.
   * Call it at once.
   */
  follow(onUpdate: OnUpdate): Promise<void>;
};

/** Wraps a run that has ended: nothing starts, and its stored results are returned. */
export function asItEnded(run: Run): LiveDelegation {
  const events = createBroadcast<Event>();
  events.end();
  const result = Promise.resolve(resultsOf(run));
  return { id: run.delegationId, run, events, follow: async () => {}, result, stop: async () => {} };
}
