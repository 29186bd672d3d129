/** Begins a run in a journal: numbering, claiming and the first append share one all-or-nothing commit. */
import type { StoredEvent } from "../event.ts";
import type { GroupCommit } from "./group-commit.ts";
import type { NewRunId } from "./journal.ts";

/** The steps that a store performs inside the commit. */
export type BeginSteps<Row> = {
  /** The next free `CHILD.n`. */
  nextRunUnder(childId: string): string;
  /** Makes this process the owner of a new run. */
  claimNew(delegationId: string): void;
  toRow(event: StoredEvent): Row;
};

/** If the first events cannot be made, only this run fails, and the rest of the commit proceeds. */
export async function beginRun<Row, Events extends readonly StoredEvent[]>(
  commits: GroupCommit<() => readonly Row[]>,
  { nextRunUnder, claimNew, toRow }: BeginSteps<Row>,
  newId: NewRunId,
  firstEvents: (delegationId: string) => Events,
): Promise<Events> {
  const { promise, resolve, reject } = Promise.withResolvers<Events>();
  promise.catch(() => {}); // The failing commit reports the reason.
  await commits.append(() => {
    const delegationId = "id" in newId ? newId.id : nextRunUnder(newId.under);
    let events: Events;
    let rows: readonly Row[];
    try {
      events = firstEvents(delegationId);
      rows = events.map(toRow);
    } catch (error) {
      reject(error);
      return [];
    }
    claimNew(delegationId);
    resolve(events);
    return rows;
  });
  return promise;
}
