/** Waits for a promise, but not forever. */
import { setTimeout as sleep } from "node:timers/promises";

/** Returns whether a promise is resolved within a time, and before the signal aborts. Rejects if the promise does. */
export async function settlesWithin(promise: Promise<unknown>, ms: number, signal?: AbortSignal): Promise<boolean> {
  const timer = new AbortController();
  const either = signal === undefined ? timer.signal : AbortSignal.any([timer.signal, signal]);
  try {
    return await Promise.race([promise.then(() => true), sleep(ms, false, { signal: either }).catch(() => false)]);
  } finally {
    timer.abort();
  }
}
