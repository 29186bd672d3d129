/** A delegation as its caller holds it: to follow, to wait for, and to stop. */
import type { Event } from "../event.ts";
import type { DelegationResult } from "../result.ts";
import { type Run, resultsOf } from "../run/run.ts";
import { createBroadcast } from "./work/broadcast.ts";
import type { RunFeed } from "./work/run-feed.ts";

/** A delegation under way in this process. */
export type Delegation = {
  readonly id: string;
  /** Its events from here on, live ones included; ends with the delegation. Iterate at once, or use `watch`. */
  readonly events: AsyncIterable<Event>;
  /** Settles when every child has ended. Rejects only where the journal broke its promise. */
  readonly result: Promise<DelegationResult>;
  /** Stops one child (`ID.n`) or all of them. Partial work is kept. */
  stop(by: string, target?: string): Promise<void>;
};

/** A delegation as the surfaces of this process follow it. */
export type LiveDelegation = Delegation & {
  /** Its run, which changes with each event. */
  readonly run: Run;
  /** Calls back with each event and the run as of that event, which nobody has to fold again. Follow at once. */
  follow: RunFeed["follow"];
};

/** The end of a run that has one: nothing starts, what was found is told again. */
export function asItEnded(run: Run): LiveDelegation {
  const events = createBroadcast<Event>();
  events.end();
  const result = Promise.resolve(resultsOf(run));
  return { id: run.delegationId, run, events, follow: async () => {}, result, stop: async () => {} };
}
