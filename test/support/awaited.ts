/**
 * Children whose request is in flight and will be answered, or fail, at once. A clock that leaps when nothing happens
 * must not skip bytes between two sockets. This is read from events that the journal is about to store.
 */
import type { StoredEvent } from "../../src/event.ts";

export type Awaited = {
  /** A hook for `beforeCommit` of a memory journal. */
  note(events: readonly StoredEvent[]): void;
  /** The server delays the request of this task. */
  park(task: number): void;
  isBusy(): boolean;
};

const OVER: readonly string[] = ["step-end", "step-fail", "child-end"];

export function createAwaited(): Awaited {
  const tasks = new Set<number>();
  return {
    note(events) {
      for (const event of events) {
        if (!("childId" in event)) continue;
        const task = Number(event.childId.split(".").at(-1)) - 1;
        if (event.kind === "step-start") tasks.add(task);
        if (OVER.includes(event.kind)) tasks.delete(task);
      }
    },
    park: (task) => void tasks.delete(task),
    isBusy: () => tasks.size > 0,
  };
}
