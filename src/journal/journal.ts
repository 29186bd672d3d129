/**
 * Where facts are kept. A journal is an append-only list of stored events, shared by every process of this user, and
 * the one register of who owns a run. Everything else (state, results, listings) is folded from what it holds.
 */
import type { StoredEvent } from "../event.ts";

/** A stored event and its place in the journal: `seq` grows by commit order over all delegations. */
export type Entry = { seq: number; event: StoredEvent };

export type EntryFilter = {
  /** This run alone. */
  delegationId?: string;
  /** This run and every run below it in its tree: those whose ids begin with this one and a dot. A child's id will do. */
  within?: string;
  /** Only runs at the root of a tree: those whose ids have no dot. */
  roots?: true;
  kinds?: readonly StoredEvent["kind"][];
  /** Only entries after this `seq`. */
  after?: number;
};

/** Who has a run: the process, and whether it still lives (asked of the kernel, not of a clock). */
export type Owner = { pid: number; alive: boolean };

export type Claim = { claimed: true } | { claimed: false; owner: Owner };

/** Which id a new run gets: a new one of the caller's, or `CHILD.n`, numbered after the runs that the child has begun. */
export type NewRunId = { id: string } | { under: string };

export interface Journal {
  /**
   * Appends in order and resolves when durable. Appends of one turn of the event loop share one commit.
   * Once an append has failed, every later one fails the same way: the journal's promise is broken, runs must end.
   * An append that nobody waits for may fail unheard, because the next one that somebody waits for tells.
   * A run that this owner claimed and another has claimed since takes no events of it but requests.
   * @throws DeputyError `journal-full` | `journal-unusable` | `run-owned`
   */
  append(events: readonly StoredEvent[]): Promise<void>;
  /**
   * Begins a run: numbers it, makes this process its owner and appends its first events, all of it or nothing.
   * @param firstEvents makes them for the id that the run gets; called once, synchronously, when the id is certain
   * @returns the events, once they are durable. @throws DeputyError as `append`
   */
  begin<Events extends readonly StoredEvent[]>(
    newId: NewRunId,
    firstEvents: (delegationId: string) => Events,
  ): Promise<Events>;
  /** Entries in order of `seq`, up to the newest one when reading began. */
  read(filter: EntryFilter): AsyncIterable<Entry>;
  /**
   * Entries from `filter.after` on, then every new one from any process, until the signal aborts or the journal is
   * closed. Keeps the process alive until then.
   */
  watch(filter: EntryFilter, signal: AbortSignal): AsyncIterable<Entry>;
  /**
   * Makes this process the owner of a run. A live owner cannot be robbed; a dead one's claim is free at once.
   * Claiming what this process already owns is fine.
   */
  claim(delegationId: string): Promise<Claim>;
  /** Gives a run back, once it has ended. */
  release(delegationId: string): Promise<void>;
  /** The owner of a run, if somebody has claimed it. */
  owner(delegationId: string): Promise<Owner | undefined>;
  /**
   * Removes whole runs, for good; one that a living process owns stays. Gives their space back where nobody is at work.
   * @returns the ids of those that were removed
   */
  remove(delegationIds: readonly string[]): Promise<string[]>;
  /** Commits what waits, ends every watch, and frees what this journal still owns. */
  close(): Promise<void>;
}
