/** Delivers a run's updates by callback, right after each fold: every follower sees the run exactly as of the event. */
import type { RunUpdate } from "../../run/run.ts";

export type RunFeed = {
  publish(update: RunUpdate): void;
  end(): void;
  /** Resolves when the feed ends. Rejects with what the callback throws, which is not called again then. */
  follow(onUpdate: (update: RunUpdate) => void): Promise<void>;
};

type Follower = { onUpdate(update: RunUpdate): void; resolve(): void; reject(error: unknown): void };

export function createRunFeed(): RunFeed {
  const followers = new Set<Follower>();
  let ended = false;

  function publish(update: RunUpdate): void {
    for (const follower of followers) {
      try {
        follower.onUpdate(update);
      } catch (error) {
        followers.delete(follower);
        follower.reject(error);
      }
    }
  }

  function end(): void {
    ended = true;
    for (const { resolve } of followers) resolve();
    followers.clear();
  }

  function follow(onUpdate: Follower["onUpdate"]): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    if (ended) resolve();
    else followers.add({ onUpdate, resolve, reject });
    return promise;
  }

  return { publish, end, follow };
}
