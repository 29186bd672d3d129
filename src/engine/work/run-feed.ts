/** Delivers a run's updates by callback, right after each fold: every listener sees the run exactly as of the event. */
import type { RunUpdate } from "../../run/run.ts";

export type RunFeed = {
  publish(update: RunUpdate): void;
  end(): void;
  /**
   * Calls back with each update from now on: what the run contains at the time of the call is not repeated. Resolves
   * when the feed ends or the signal aborts. Rejects with what the callback throws, and does not call it again.
   */
  follow(onUpdate: OnUpdate, signal?: AbortSignal): Promise<void>;
};

export type OnUpdate = (update: RunUpdate) => void;

type UpdateListener = { onUpdate: OnUpdate; resolve(): void; reject(error: unknown): void };

export function createRunFeed(): RunFeed {
  const listeners = new Set<UpdateListener>();
  let ended = false;

  function publish(update: RunUpdate): void {
    for (const listener of [...listeners]) {
      if (!listeners.has(listener)) continue;
      try {
        listener.onUpdate(update);
      } catch (error) {
        listeners.delete(listener);
        listener.reject(error);
      }
    }
  }

  function end(): void {
    ended = true;
    for (const { resolve } of listeners) resolve();
    listeners.clear();
  }

  function follow(onUpdate: OnUpdate, signal?: AbortSignal): Promise<void> {
    if (ended || signal?.aborted) return Promise.resolve();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const listener = { onUpdate, resolve, reject };
    const leave = () => {
      listeners.delete(listener);
      resolve();
    };
    listeners.add(listener);
    signal?.addEventListener("abort", leave);
    return promise.finally(() => signal?.removeEventListener("abort", leave));
  }

  return { publish, end, follow };
}
