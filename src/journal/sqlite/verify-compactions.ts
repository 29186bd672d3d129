/** Derives again, from the events before, what compactions replaced in a child's conversation. */
import type { DatabaseSync } from "node:sqlite";
import type { ChildEvent } from "../../event.ts";
import { parseEvent } from "../event-text.ts";

/** Creates a check of one child's events, in order: it describes what is wrong with an event. */
export type Replay = () => (event: ChildEvent) => string | undefined;

type CompactedChild = { run: string; child: string };

/** Only children with a compaction are read again. */
export function* compactionProblems(database: DatabaseSync, replay: Replay): Generator<string> {
  const compacted = database.prepare(
    "SELECT DISTINCT delegation_id AS run, child_id AS child FROM events WHERE kind = 'compact-end'",
  );
  const eventsOf = database.prepare(
    "SELECT seq, data FROM events WHERE delegation_id = ? AND child_id = ? ORDER BY seq",
  );
  for (const { run, child } of compacted.all() as CompactedChild[]) {
    const check = replay();
    for (const { seq, data } of eventsOf.iterate(run, child) as Iterable<{ seq: number; data: string }>) {
      const problem = check(parseEvent(data) as ChildEvent);
      if (problem !== undefined) yield `Run ${run}: ${child}: ${problem} (entry ${seq}).`;
    }
  }
}
