/** Time as an argument, so that tests need none. */
export interface Clock {
  /** Milliseconds since the epoch: for what people read. The system's clock may be set back or forward at any moment. */
  now(): number;
  /** Milliseconds since some moment; only ever grows, whatever the system's clock is set to: for waits and durations. */
  elapsed(): number;
  /** Resolves after `ms` milliseconds; rejects with the signal's reason when it aborts first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Calls back once after `ms` milliseconds, unless the returned function is called first. */
  after(ms: number, callback: () => void): () => void;
}

/** A clock's `sleep` by its timer. */
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

/** The longest that Node waits, some 24.8 days; it would take anything longer for 1 ms. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The real one. A timer of `after` does not keep the process alive; a `sleep` does. */
export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  sleep: sleepBy((ms, callback) => startTimer(ms, true, callback)),
  after: (ms, callback) => startTimer(ms, false, callback),
};

/** How often a long wait looks at what time it is, in milliseconds. */
const LOOK_MS = 60_000;

/**
 * Waits until a moment on the system's clock, and where that is set back or forward meanwhile no longer than it seemed at
 * first. @param until milliseconds since the epoch
 * @throws the signal's reason where it aborts first
 */
export async function sleepUntil(clock: Clock, until: number, signal: AbortSignal): Promise<void> {
  const latest = clock.elapsed() + Math.max(0, until - clock.now());
  for (;;) {
    const leftMs = Math.min(until - clock.now(), latest - clock.elapsed());
    if (leftMs <= 0) return;
    await clock.sleep(Math.min(leftMs, LOOK_MS), signal);
  }
}

/** However long: in pieces that Node can wait. */
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
