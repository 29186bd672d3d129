/**
 * Group commit: everything appended in one turn of the event loop is committed together at its end, so that a thousand
 * children cost one disk sync per turn. After one failure, nothing is committed any more.
 */

export type GroupCommit<Write> = {
  /** Resolves when the write is committed. Writes of one turn share one promise. */
  append(write: Write): Promise<void>;
  /** Commits pending writes at once; every later append fails with `reason`. */
  close(reason: unknown): void;
};

type Batch<Write> = PromiseWithResolvers<void> & { writes: Write[] };

/** `commit` stores a whole batch, or throws and stores nothing; every later append then fails with the same error. */
export function createGroupCommit<Write>(commit: (writes: readonly Write[]) => void): GroupCommit<Write> {
  let waiting: Batch<Write> | undefined;
  let ended: { reason: unknown } | undefined;

  function append(write: Write): Promise<void> {
    if (ended !== undefined) return quietly(Promise.reject(ended.reason));
    waiting ??= beginBatch();
    waiting.writes.push(write);
    return waiting.promise;
  }

  function beginBatch(): Batch<Write> {
    const batch = { ...Promise.withResolvers<void>(), writes: [] };
    quietly(batch.promise);
    setImmediate(flush);
    return batch;
  }

  function flush(): void {
    if (waiting === undefined) return;
    const batch = waiting;
    waiting = undefined;
    try {
      commit(batch.writes);
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

/** An append that nobody awaits may fail silently: the next awaited one fails the same way. */
function quietly(promise: Promise<void>): Promise<void> {
  promise.catch(() => {});
  return promise;
}
