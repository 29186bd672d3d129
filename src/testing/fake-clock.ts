/** A clock that stops until a test advances it. */
import { type Clock, sleepBy } from "../clock.ts";

export interface FakeClock extends Clock {
  /**
   * Advances time by `ms`. Timers fire in order, each at its own time; between two of them every promise that can
   * settle does, so that a timer's effects may set further timers.
   */
  advance(ms: number): Promise<void>;
  /** Sets the wall clock forward or, with a negative number, back. No time passes: no timer gets nearer. */
  jump(ms: number): void;
  /** Number of timers that have not fired. */
  readonly pending: number;
}

type Timer = { due: number; callback: () => void };

/** @param startMs milliseconds since the epoch; by default January 1, 2026, UTC */
export function createFakeClock(startMs = Date.UTC(2026, 0, 1)): FakeClock {
  const timers = new Set<Timer>();
  let nowMs = 0;
  let epochMs = startMs;

  function after(ms: number, callback: () => void): () => void {
    const timer = { due: nowMs + Math.max(0, ms), callback };
    timers.add(timer);
    return () => timers.delete(timer);
  }

  function nextDue(until: number): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of timers) {
      if (timer.due <= until && (next === undefined || timer.due < next.due)) next = timer;
    }
    return next;
  }

  return {
    now: () => epochMs + nowMs,
    elapsed: () => nowMs,
    jump: (ms) => {
      epochMs += ms;
    },
    after,
    sleep: sleepBy(after),
    advance: async (ms) => {
      const until = nowMs + ms;
      await settled();
      for (let timer = nextDue(until); timer !== undefined; timer = nextDue(until)) {
        timers.delete(timer);
        nowMs = timer.due;
        timer.callback();
        await settled();
      }
      nowMs = Math.max(nowMs, until);
    },
    get pending() {
      return timers.size;
    },
  };
}

/** One turn of the event loop: every promise that waits for nothing outside has settled by then. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
