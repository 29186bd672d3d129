/**
 * Follows a log as it grows. A watcher reads up to the newest entry, waits for a change, and reads on from there; a
 * notification only says that something changed, so that nothing can be lost or seen twice.
 */
import type { Clock } from "../clock.ts";
import type { Entry, EntryFilter, Journal } from "./journal.ts";

/** A log that can be followed: the `seq` of its entries only grows. */
export type Log = {
  /** The `seq` of the newest entry, 0 without entries. */
  latest(): number;
  /** Entries after `filter.after`, up to and including `upTo`, in order. */
  entries(filter: EntryFilter, upTo: number): Iterable<Entry>;
};

export type Watching = {
  watch: Journal["watch"];
  /** Reports that the log may have grown. */
  wake(): void;
  /** Ends every watch. */
  close(): void;
};

/** For a log that may grow without a `wake`: the interval between checks, in milliseconds, while anybody watches. */
export type Polling = { clock: Clock; pollMs: number };

export function createWatching(log: Log, polling?: Polling): Watching {
  let change = Promise.withResolvers<void>();
  let watchers = 0;
  let poller = new AbortController();
  let closed = false;

  async function* watch(filter: EntryFilter, signal: AbortSignal): AsyncGenerator<Entry> {
    const isOver = () => closed || signal.aborted;
    if (isOver()) return;
    const leave = enter();
    signal.addEventListener("abort", leave);
    let after = filter.after ?? 0;
    try {
      while (!isOver()) {
        const changed = change.promise; // Taken before reading, so that a change during the reading is not missed.
        const upTo = log.latest();
        if (upTo > after) {
          for (const entry of log.entries({ ...filter, after }, upTo)) {
            yield entry;
            if (isOver()) return;
          }
          after = upTo;
        }
        await changed;
      }
    } finally {
      signal.removeEventListener("abort", leave);
      leave();
    }
  }

  /** Adds a watcher. The returned function removes it, once, and wakes it if it waits. */
  function enter(): () => void {
    let inside = true;
    watchers++;
    if (watchers === 1 && polling) startPolling(polling);
    return () => {
      if (!inside) return;
      inside = false;
      watchers--;
      if (watchers === 0) poller.abort();
      wake();
    };
  }

  function startPolling({ clock, pollMs }: Polling): void {
    poller = new AbortController();
    poll(clock, pollMs, poller.signal).catch(() => {}); // It ends by being aborted.
  }

  /** The sleep keeps the process alive, because somebody waits for it. */
  async function poll(clock: Clock, pollMs: number, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await clock.sleep(pollMs, signal);
      wake();
    }
  }

  function wake(): void {
    change.resolve();
    change = Promise.withResolvers();
  }

  function close(): void {
    closed = true;
    poller.abort();
    wake();
  }

  return { watch, wake, close };
}
