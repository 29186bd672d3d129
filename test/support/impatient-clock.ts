/** A clock on which waiting takes no time: it is as late as if it had been waited for, and `waits` tells how long. */
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
