/**
 * A child's wall-clock limit. It pauses while the child waits for its turn: in the queue, at its provider's rate
 * limiter, or for a quota.
 */
import type { Clock } from "../../clock.ts";

export type Deadline = {
  /** Starts counting time. */
  resume(): void;
  /** Stops counting time until `resume`. */
  pause(): void;
  /** Milliseconds left; undefined without a limit. */
  leftMs(): number | undefined;
};

/** @param limitMs total time allowed; 0 = no limit @param spentMs time used before */
export function createDeadline(clock: Clock, limitMs: number, spentMs: number, reached: () => void): Deadline {
  if (limitMs === 0) return { resume: () => {}, pause: () => {}, leftMs: () => undefined };
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
    leftMs: () => Math.max(0, leftMs - (since === undefined ? 0 : clock.elapsed() - since)),
  };
}
