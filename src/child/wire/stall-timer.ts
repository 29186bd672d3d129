/** Detects a stalled stream. */
import type { Clock } from "../../clock.ts";

export type StallTimer = {
  signal: AbortSignal;
  /** Returns whether a stall aborted the signal. */
  hasStalled(): boolean;
  /** Restarts the timer, because data arrived. */
  reset(): void;
  /** Stops the timer, because the request has ended. */
  stop(): void;
};

/** Returns a signal that follows `parent` and also aborts after `stallMs` without data. */
export function startStallTimer(clock: Clock, stallMs: number, parent: AbortSignal): StallTimer {
  const controller = new AbortController();
  let lastResetAt = clock.elapsed();
  let stalled = false;
  let cancelTimer = () => {};
  const follow = () => controller.abort(parent.reason);
  const check = (afterMs: number) => {
    cancelTimer = clock.after(afterMs, () => {
      const left = lastResetAt + stallMs - clock.elapsed();
      if (left > 0) return check(left);
      stalled = true;
      controller.abort(new DOMException("no data from the model", "AbortError"));
    });
  };
  if (stallMs > 0) check(stallMs);
  if (parent.aborted) follow();
  else parent.addEventListener("abort", follow, { once: true });
  return {
    signal: controller.signal,
    hasStalled: () => stalled,
    reset: () => {
      lastResetAt = clock.elapsed();
    },
    stop: () => {
      cancelTimer();
      parent.removeEventListener("abort", follow);
      controller.abort("over");
    },
  };
}
