/** Delivers a run's updates by callback, right after each fold: every listener sees the run exactly as of the event. */
import type { RunUpdate } from "../../run/run.ts";

export type RunFeed = {
  publish(update: RunUpdate): void;
  end(): void;
  /** Resolves when the feed ends. Rejects with what the callback throws, and does not call it again. */
  follow(onUpdate: (update: RunUpdate) => void): Promise<void>;
};

type UpdateListener = { onUpdate(update: RunUpdate): void; resolve(): void; reject(error: unknown): void };

export function createRunFeed(): RunFeed {
  const listeners = new Set<UpdateListener>();
  let ended = false;

  function publish(update: RunUpdate): void {
    for (const listener of listeners) {
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

  function follow(onUpdate: UpdateListener["onUpdate"]): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    if (ended) resolve();
    else listeners.add({ onUpdate, resolve, reject });
    return promise;
  }

  return { publish, end, follow };
}
