/**
 * A clock for whole runs over real HTTP in one process: it stops while the process has anything to do, and when the
 * process has been idle for a moment it leaps to the next timer. An hour of waiting takes no time, and no wait ends too
 * early because the machine is slow.
 */
import { performance } from "node:perf_hooks";
import { type Clock, sleepBy } from "../../src/clock.ts";
import { createFakeClock } from "../../src/testing/index.ts";

export type IdleClock = Clock & {
  stop(): void;
  /** Timers that have not gone off. */
  readonly pending: number;
};

/** One look; several idle ones in a row are a moment. A process that was not let run counts as one look only. */
const LOOK_MS = 8;
/** Longer than the transport gathers the bytes of an answer. */
const IDLE_LOOKS = 5;
/** Share of a look in which the event loop may have been at work: the look itself, and no more. */
const IDLE = 0.2;

/**
 * @param leapMs timers that are due within this time of the next one go off together with it, in their order
 * @param isBusy whether something is on its way that the process does not see, such as bytes between two sockets
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
