/** Notices when a stream says nothing for too long. */
import type { Clock } from "../../clock.ts";

export type StallTimer = {
  signal: AbortSignal;
  /** Whether it was silence that aborted the signal. */
  hasStalled(): boolean;
  /** Something was said. */
  reset(): void;
  /** The request is over, heard to its end or not: nothing of it goes on. */
  stop(): void;
};

/** A signal that follows `parent` and also aborts after `stallMs` without a word. */
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
      controller.abort(new DOMException("no word from the model", "AbortError"));
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
