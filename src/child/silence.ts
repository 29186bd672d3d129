/** Notices when a stream says nothing for too long. */
import type { Clock } from "../clock.ts";

export type SilenceWatch = {
  signal: AbortSignal;
  /** Whether it was silence that aborted the signal. */
  silent(): boolean;
  /** Something was said. */
  heard(): void;
  /** The request is over, heard to its end or not: nothing of it goes on. */
  end(): void;
};

/** A signal that follows `parent` and also aborts after `stallMs` without a word. */
export function watchForSilence(clock: Clock, stallMs: number, parent: AbortSignal): SilenceWatch {
  const controller = new AbortController();
  let heardAt = clock.elapsed();
  let silent = false;
  let cancelTimer = () => {};
  const follow = () => controller.abort(parent.reason);
  const check = (afterMs: number) => {
    cancelTimer = clock.after(afterMs, () => {
      const left = heardAt + stallMs - clock.elapsed();
      if (left > 0) return check(left);
      silent = true;
      controller.abort(new DOMException("no word from the model", "AbortError"));
    });
  };
  if (stallMs > 0) check(stallMs);
  if (parent.aborted) follow();
  else parent.addEventListener("abort", follow, { once: true });
  return {
    signal: controller.signal,
    silent: () => silent,
    heard: () => {
      heardAt = clock.elapsed();
    },
    end: () => {
      cancelTimer();
      parent.removeEventListener("abort", follow);
      controller.abort("over");
    },
  };
}
