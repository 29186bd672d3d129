/** How a journal begins a run: numbered, claimed and written within the commit that keeps all of it or nothing. */
import type { StoredEvent } from "../event.ts";
import type { GroupCommit } from "./group-commit.ts";
import type { NewRunId } from "./journal.ts";

/** What a store does for it, inside the commit. */
export type BeginSteps<Row> = {
  /** The next `CHILD.n` that is free. */
  nextRunUnder(childId: string): string;
  /** Makes this process the owner of a run that is only just begun. */
  claimNew(delegationId: string): void;
  toRow(event: StoredEvent): Row;
};

/** Where the first events cannot be made, this run alone fails, and not the commit of the others. */
export async function beginRun<Row, Events extends readonly StoredEvent[]>(
  commits: GroupCommit<() => readonly Row[]>,
  { nextRunUnder, claimNew, toRow }: BeginSteps<Row>,
  newId: NewRunId,
  firstEvents: (delegationId: string) => Events,
): Promise<Events> {
  const { promise, resolve, reject } = Promise.withResolvers<Events>();
  promise.catch(() => {}); // A commit that fails says why.
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
