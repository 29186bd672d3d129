/**
 * A clock for whole runs over real HTTP in one process. It stops while the process is busy, and leaps to the next timer
 * when the process has been idle for a moment. An hour of waiting takes no time, and no wait ends too early on a slow
 * machine.
 */
import { performance } from "node:perf_hooks";
import { type Clock, sleepBy } from "../../src/clock.ts";
import { createFakeClock } from "../../src/testing/index.ts";

export type IdleClock = Clock & {
  stop(): void;
  /** Pending timers. */
  readonly pending: number;
};

/** Interval of the checks. Several idle checks in a row count as a moment. A suspended process counts as one check. */
const LOOK_MS = 8;
/** Longer than the transport collects the bytes of an answer. */
const IDLE_LOOKS = 5;
/** Maximum share of an interval in which an idle event loop may be active: the check itself. */
const IDLE = 0.2;

/**
 * @param leapMs timers that are due within this time after the next one fire together with it, in order
 * @param isBusy returns whether work is pending that the process cannot see, such as bytes between two sockets
 */
export function createIdleClock(leapMs: number, isBusy: () => boolean = () => false): IdleClock {
  const time = createFakeClock();
  const due = new Set<{ at: number }>();
  let idleLooks = 0;
  let stopped = false;
  let before = performance.eventLoopUtilization();

  function after(ms: number, callback: () => void): () => void {
    const timer = { at: time.elapsed() + ms };
    due.add(timer);
    const cancel = time.after(ms, () => {
      due.delete(timer);
      callback();
    });
    return () => {
      due.delete(timer);
      cancel();
    };
  }

  const sleep = sleepBy(after);

  async function look(): Promise<void> {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, before);
    before = now;
    idleLooks = utilization < IDLE && !isBusy() ? idleLooks + 1 : 0;
    if (idleLooks >= IDLE_LOOKS && due.size > 0) {
      idleLooks = 0;
      const next = Math.min(...[...due].map(({ at }) => at));
      await time.advance(Math.max(0, next - time.elapsed()) + leapMs);
    }
    if (!stopped) setTimeout(look, LOOK_MS);
  }
  setTimeout(look, LOOK_MS);

  return {
    now: time.now,
    elapsed: time.elapsed,
    after,
    sleep,
    stop: () => {
      stopped = true;
    },
    get pending() {
      return due.size;
    },
  };
}
