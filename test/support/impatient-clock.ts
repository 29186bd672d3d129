/** A clock on which waiting takes no time; `waits` records how long each wait would have been. */
import { type Clock, systemClock } from "../../src/clock.ts";

export function impatientClock(): { waits: number[]; clock: Clock } {
  const waits: number[] = [];
  let skippedMs = 0;
  const sleep = async (ms: number, signal?: AbortSignal) => {
    if (signal?.aborted) throw signal.reason;
    waits.push(ms);
    skippedMs += ms;
  };
  const { now, elapsed, after } = systemClock;
  return { waits, clock: { now: () => now() + skippedMs, elapsed: () => elapsed() + skippedMs, sleep, after } };
}
