/** A child's wall time. It stands still while the child waits for its turn: queued, at its provider's rate limiter, or paused. */
import type { Clock } from "../../clock.ts";

export type Deadline = {
  /** Time counts from here on. */
  resume(): void;
  /** Time counts no more until `resume`. */
  pause(): void;
};

/** @param limitMs what there is in all; 0 = any time @param spentMs what was used before */
export function createDeadline(clock: Clock, limitMs: number, spentMs: number, reached: () => void): Deadline {
  if (limitMs === 0) return { resume: () => {}, pause: () => {} };
  let leftMs = Math.max(0, limitMs - Math.max(0, spentMs));
  let since: number | undefined;
  let cancel = () => {};
  return {
    resume() {
      if (since !== undefined) return;
      since = clock.elapsed();
      cancel = clock.after(leftMs, reached);
    },
    pause() {
      if (since === undefined) return;
      cancel();
      leftMs = Math.max(0, leftMs - (clock.elapsed() - since));
      since = undefined;
    },
  };
}
