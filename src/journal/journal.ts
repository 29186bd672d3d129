/**
 * The journal interface. A journal is an append-only list of stored events, shared by every process of this user, and
 * the only record of run owners. All other state (results, listings) is folded from it.
 */
import type { StoredEvent } from "../event.ts";
import type { ChainHead } from "./chain.ts";

/** A stored event and its position in the journal: `seq` grows in commit order across all delegations. */
export type Entry = { seq: number; event: StoredEvent };

export type EntryFilter = {
  /** Only this run. */
  delegationId?: string;
  /** This run and every run below it: those whose ids start with this id and a dot. A child's id works too. */
  within?: string;
  /** Only runs at the root of a tree: those whose ids contain no dot. */
  roots?: true;
  kinds?: readonly StoredEvent["kind"][];
  /** Only entries after this `seq`. */
  after?: number;
  /** Only events of this time or later, in milliseconds since the epoch. */
  since?: number;
};

/** The process that owns a run, and whether it is alive (according to the kernel, not a clock). */
export type Owner = { pid: number; alive: boolean };

export type Claim = { claimed: true } | { claimed: false; owner: Owner };

/** The id of a new run: the caller's own, or `CHILD.n`, numbered after the runs that the child has begun. */
export type NewRunId = { id: string } | { under: string };

export interface Journal {
  /**
   * Appends in order and resolves when durable. Appends of one turn of the event loop share one commit. Once an append
   * has failed, every later one fails the same way, and runs must end. An append that nobody awaits may fail silently,
   * because the next awaited one reports it. A run that this owner has lost to another owner accepts only requests from
   * it.
   * @throws DeputyError `journal-full` | `journal-unusable` | `run-owned`
   */
  append(events: readonly StoredEvent[]): Promise<void>;
  /**
   * Begins a run: numbers it, makes this process its owner and appends its first events, all or nothing.
   * @param firstEvents makes the events for the run's id; called once, synchronously, when the id is final
   * @returns the events, once they are durable. @throws DeputyError as `append`
   */
  begin<Events extends readonly StoredEvent[]>(
    newId: NewRunId,
    firstEvents: (delegationId: string) => Events,
  ): Promise<Events>;
  /** Entries in order of `seq`, up to the newest one at the start of reading. */
  read(filter: EntryFilter): AsyncIterable<Entry>;
  /** The head of a run's chain of events; undefined without events. */
  head(delegationId: string): Promise<ChainHead | undefined>;
  /**
   * Entries from `filter.after` on, then every new one from any process, until the signal aborts or the journal is
   * closed. Keeps the process alive until then.
   */
  watch(filter: EntryFilter, signal: AbortSignal): AsyncIterable<Entry>;
  /**
   * Makes this process the owner of a run. A live owner keeps its claim; a dead owner's claim is free at once. Claiming
   * a run that this process already owns succeeds.
   */
  claim(delegationId: string): Promise<Claim>;
  /** Releases a run that has ended. */
  release(delegationId: string): Promise<void>;
  /** The owner of a run, if it is claimed. */
  owner(delegationId: string): Promise<Owner | undefined>;
  /**
   * Permanently removes whole runs, except those that a living process owns. Frees their disk space if no run is in
   * progress.
   * @returns the ids of the removed runs
   */
  remove(delegationIds: readonly string[]): Promise<string[]>;
  /** Commits pending writes, ends every watch, and releases what this journal still owns. */
  close(): Promise<void>;
}
