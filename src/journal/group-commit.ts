/**
 * Many appends, one commit. Everything appended in one turn of the event loop is committed together at its end, so that
 * a thousand children cost as many disk syncs as the loop has turns. After one failure nothing is committed any more.
 */

export type GroupCommit<Item> = {
  /** Resolves when the items are committed. Appends of one turn share one promise. */
  append(items: readonly Item[]): Promise<void>;
  /** Commits what waits, at once; every later append fails with `reason`. */
  close(reason: unknown): void;
};

type Batch<Item> = PromiseWithResolvers<void> & { items: Item[] };

/** `commit` keeps all of a batch or throws and keeps nothing; what it throws is what every later append fails with. */
export function createGroupCommit<Item>(commit: (items: readonly Item[]) => void): GroupCommit<Item> {
  let waiting: Batch<Item> | undefined;
  let ended: { reason: unknown } | undefined;

  function append(items: readonly Item[]): Promise<void> {
    if (ended !== undefined) return quietly(Promise.reject(ended.reason));
    waiting ??= beginBatch();
    for (const item of items) waiting.items.push(item);
    return waiting.promise;
  }

  function beginBatch(): Batch<Item> {
    const batch = { ...Promise.withResolvers<void>(), items: [] };
    quietly(batch.promise);
    setImmediate(flush);
    return batch;
  }

  function flush(): void {
    if (waiting === undefined) return;
    const batch = waiting;
    waiting = undefined;
    try {
      commit(batch.items);
      batch.resolve();
    } catch (reason) {
      ended = { reason };
      batch.reject(reason);
    }
  }

  function close(reason: unknown): void {
    flush();
    ended ??= { reason };
  }

  return { append, close };
}

/** An append that nobody waits for may fail unheard: the next one, which somebody does wait for, fails the same way. */
function quietly(promise: Promise<void>): Promise<void> {
  promise.catch(() => {});
  return promise;
}
