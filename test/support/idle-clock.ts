/**
 * A clock for whole runs over real HTTP in one process: it stands still while anything happens, and when nothing has
 * happened for a moment it leaps to the next timer. An hour of waiting takes no time, and no wait comes too early because
 * the machine is slow.
 */
import type { Clock } from "../../src/clock.ts";
import { createFakeClock } from "../../src/testing/index.ts";

export type IdleClock = Clock & {
  /** Something happens: it stands still for a moment longer. */
  stir(): void;
  stop(): void;
};

/** One look; several in a row without a stir are a moment. A stalled process counts as one look only. */
const LOOK_MS = 8;
/** Longer than the transport gathers the bytes of an answer. */
const QUIET_LOOKS = 5;

/** @param leapMs timers that are due within this time of the next one go off together with it, in their order */
export function createIdleClock(leapMs: number): IdleClock {
  const time = createFakeClock();
  const due = new Set<{ at: number }>();
  let quietLooks = 0;
  let stopped = false;

  function stir(): void {
    quietLooks = 0;
  }

  function after(ms: number, callback: () => void): () => void {
    stir();
    const timer = { at: time.now() + ms };
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

  function sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const cancel = after(ms, () => {
        signal?.removeEventListener("abort", stop);
        resolve();
      });
      function stop() {
        cancel();
        reject(signal?.reason);
      }
      signal?.addEventListener("abort", stop, { once: true });
    });
  }

  async function look(): Promise<void> {
    quietLooks += 1;
    if (quietLooks >= QUIET_LOOKS && due.size > 0) {
      stir();
      const next = Math.min(...[...due].map(({ at }) => at));
      await time.advance(Math.max(0, next - time.now()) + leapMs);
    }
    if (!stopped) setTimeout(look, LOOK_MS);
  }
  setTimeout(look, LOOK_MS);

  return { now: time.now, elapsed: time.elapsed, after, sleep, stir, stop: () => (stopped = true) };
}
