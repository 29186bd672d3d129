/** Time as an argument, so that tests can control it. */
export interface Clock {
  /** Milliseconds since the epoch, for display. The system clock can be set back or forward at any moment. */
  now(): number;
  /** Monotonic milliseconds, for waits and durations. */
  elapsed(): number;
  /** Resolves after `ms` milliseconds; rejects with the signal's reason when it aborts first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Calls back once after `ms` milliseconds, unless the returned function is called first. */
  after(ms: number, callback: () => void): () => void;
}

/** Implements a clock's `sleep` with its timer. */
export function sleepBy(after: Clock["after"]): Clock["sleep"] {
  return (ms, signal) =>
    new Promise((resolve, reject) => {
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

/** Longest timer that Node supports, about 24.8 days; a longer one would fire after 1 ms. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The system's clock. A timer of `after` does not keep the process alive; a `sleep` does. */
export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  sleep: sleepBy((ms, callback) => startTimer(ms, true, callback)),
  after: (ms, callback) => startTimer(ms, false, callback),
};

/** Interval at which a long wait checks the time, in milliseconds. */
const LOOK_MS = 60_000;

/**
 * Waits until a moment on the system's clock. If the clock is set back or forward meanwhile, it waits no longer than
 * the time that remained at the start.
 * @param until milliseconds since the epoch
 * @throws the signal's reason when it aborts first
 */
export async function sleepUntil(clock: Clock, until: number, signal: AbortSignal): Promise<void> {
  const latest = clock.elapsed() + Math.max(0, until - clock.now());
  for (;;) {
    const leftMs = Math.min(until - clock.now(), latest - clock.elapsed());
    if (leftMs <= 0) return;
    await clock.sleep(Math.min(leftMs, LOOK_MS), signal);
  }
}

/** Starts a timer of any length, in steps that Node supports. */
function startTimer(ms: number, keepsAlive: boolean, callback: () => void): () => void {
  let timer: NodeJS.Timeout;
  const wait = (leftMs: number) => {
    const pieceMs = Math.min(leftMs, LONGEST_TIMER_MS);
    timer = setTimeout(() => (leftMs > pieceMs ? wait(leftMs - pieceMs) : callback()), pieceMs);
    if (!keepsAlive) timer.unref();
  };
  wait(ms);
  return () => clearTimeout(timer);
}
