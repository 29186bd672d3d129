/** A clock that stands still until a test moves it. */
import { type Clock, sleepBy } from "../clock.ts";

export interface FakeClock extends Clock {
  /**
   * Moves time on by `ms`. Timers go off in the order they are due, each at its own time; between two of them every
   * promise that can settle does, so that what a timer sets off may set timers of its own.
   */
  advance(ms: number): Promise<void>;
  /** Sets the clock that people read forward or, with a negative number, back. No time passes: no timer is any nearer. */
  jump(ms: number): void;
  /** Timers that have not gone off. */
  readonly pending: number;
}

type Timer = { due: number; callback: () => void };

/** @param startMs milliseconds since the epoch; by default the first of January 2026, UTC */
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

/** One turn of the event loop: by then every promise that waits for nothing outside has settled. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
