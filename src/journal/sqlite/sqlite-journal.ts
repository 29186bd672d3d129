/**
 * The journal of one machine: a SQLite file in the state directory, shared by every process of its user. This file
 * assembles the parts: the event table, group commit, ownership and watching.
 */
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { type Clock, systemClock } from "../../clock.ts";
import { isRequest, type StoredEvent } from "../../event.ts";
import { beginRun } from "../begin-run.ts";
import { createGroupCommit } from "../group-commit.ts";
import type { Entry, EntryFilter, Journal, NewRunId } from "../journal.ts";
import { createWatching } from "../watch.ts";
import { openDatabase } from "./database.ts";
import { closedJournal, journalError } from "./errors.ts";
import { createEventTable, type EventRow } from "./event-table.ts";
import { createOwnership } from "./ownership.ts";
import { inTransaction } from "./transaction.ts";

export type SqliteJournalOptions = {
  /** Directory of `journal.sqlite` and the owners' locks. Created if missing, for this user only. */
  stateDir: string;
  clock?: Clock;
  /** Returns a name for this owner, unique across processes. */
  newId?: () => string;
  /** Interval at which a watch checks for other processes' commits. */
  pollMs?: number;
};

/** Returns the rows to insert, within the transaction that inserts them. */
type RowsToInsert = () => readonly EventRow[];

/**
 * Opens the journal, and creates it if there is none. Each open journal is a separate owner.
 * @throws DeputyError `journal-unusable` | `journal-full`; the existing file stays unchanged
 */
export function openSqliteJournal(options: SqliteJournalOptions): Journal {
  const { stateDir, clock = systemClock, newId = randomUUID, pollMs = 100 } = options;
  const file = join(stateDir, "journal.sqlite");
  const database = translateErrors(() => openDatabase(file));
  const table = translateErrors(() => createEventTable(database));
  const ownership = translateErrors(() => createOwnership(database, join(stateDir, "owners"), newId()));
  const watching = createWatching({ latest, entries }, { clock, pollMs });
  const commits = createGroupCommit((writes: readonly RowsToInsert[]) => {
    translateErrors(() => inTransaction(database, () => insert(writes)));
    watching.wake();
  });

  function insert(writes: readonly RowsToInsert[]): void {
    const fence = oncePerRun(ownership.fence);
    for (const write of writes) {
      for (const row of write()) {
        if (!isRequest(row.event)) fence(row.event.delegationId);
        table.insert(row);
      }
    }
  }

  function append(events: readonly StoredEvent[]): Promise<void> {
    const rows = events.map(toRow);
    return commits.append(() => rows);
  }

  async function begin<Events extends readonly StoredEvent[]>(
    newId: NewRunId,
    firstEvents: (delegationId: string) => Events,
  ): Promise<Events> {
    translateErrors(ownership.enter);
    const steps = { nextRunUnder: table.nextRunUnder, claimNew: ownership.claimNew, toRow };
    return beginRun(commits, steps, newId, firstEvents);
  }

  function latest(): number {
    return translateErrors(table.latest);
  }

  async function* read(filter: EntryFilter): AsyncGenerator<Entry> {
    yield* entries(filter, latest());
  }

  function* entries(filter: EntryFilter, upTo: number): Generator<Entry> {
    try {
      yield* table.entries(filter, upTo);
    } catch (error) {
      throw journalError(error, file);
    }
  }

  function remove(delegationIds: readonly string[]): string[] {
    const removed = inTransaction(database, () => {
      const free = delegationIds.filter((id) => !ownership.owner(id)?.alive);
      table.remove(free);
      for (const id of free) ownership.forget(id);
      return free;
    });
    // Rewriting the file blocks every other process's writes meanwhile.
    if (removed.length > 0 && !ownership.isAnyAlive()) shrink();
    return removed;
  }

  /** If there is no room to rewrite the file, later runs reuse its free pages. */
  function shrink(): void {
    try {
      database.exec("VACUUM; PRAGMA wal_checkpoint(TRUNCATE)");
    } catch {}
  }

  /** Runs `work`, and converts errors of SQLite or the file system to Deputy's. */
  function translateErrors<Value>(work: () => Value): Value {
    try {
      return work();
    } catch (error) {
      throw journalError(error, file);
    }
  }

  return {
    append,
    begin,
    read,
    head: async (delegationId) => translateErrors(() => table.head(delegationId)),
    watch: watching.watch,
    claim: async (delegationId) => translateErrors(() => ownership.claim(delegationId)),
    release: async (delegationId) => translateErrors(() => ownership.release(delegationId)),
    owner: async (delegationId) => translateErrors(() => ownership.owner(delegationId)),
    remove: async (delegationIds) => translateErrors(() => remove(delegationIds)),
    async close() {
      if (!database.isOpen) return;
      commits.close(closedJournal(file));
      watching.close();
      ownership.close();
      database.close();
    },
  };
}

/** Calls `check` only for the first of equal ids. */
function oncePerRun(check: (delegationId: string) => void): (delegationId: string) => void {
  const checked = new Set<string>();
  return (delegationId) => {
    if (checked.has(delegationId)) return;
    check(delegationId);
    checked.add(delegationId);
  };
}

function toRow(event: StoredEvent): EventRow {
  return { event, data: JSON.stringify(event) };
}
