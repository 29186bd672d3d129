/**
 * A journal in memory, with the same guarantees as the one on disk, within one process. For tests, where two journals
 * that share a memory act as two processes.
 */
import type { StoredEvent } from "../event.ts";
import { beginRun } from "./begin-run.ts";
import { type ChainHead, chainHash } from "./chain.ts";
import { parseEvent } from "./event-text.ts";
import { createGroupCommit } from "./group-commit.ts";
import type { Claim, Entry, EntryFilter, Journal, NewRunId, Owner } from "./journal.ts";
import { closedJournal } from "./sqlite/errors.ts";
import { createWatching } from "./watch.ts";

export type MemoryJournalOptions = {
  /** Storage that several journals can share. */
  memory?: Memory;
  /**
   * Called before every commit, with its events. If it throws, this append and every later one fail with that error.
   */
  beforeCommit?: (events: readonly StoredEvent[]) => void;
};

/**
 * State shared by the journals of one memory. Events are kept as JSON, so that they lose what a journal on disk would
 * lose.
 */
export type Memory = { log: string[]; owners: Map<string, Owner>; wakers: Set<() => void> };

export function createMemory(): Memory {
  return { log: [], owners: new Map(), wakers: new Set() };
}

/** Opens a journal in memory. Closing it frees its claims, as the end of a process does. */
export function createMemoryJournal(options: MemoryJournalOptions = {}): Journal {
  const { memory = createMemory(), beforeCommit } = options;
  const self: Owner = { pid: process.pid, alive: true };
  const watching = createWatching({ latest: () => memory.log.length, entries });
  const commits = createGroupCommit((writes: readonly (() => readonly string[])[]) => {
    const before = memory.log.length;
    const ownersBefore = new Map(memory.owners);
    try {
      for (const write of writes) for (const text of write()) memory.log.push(text);
      beforeCommit?.(memory.log.slice(before).map((text) => JSON.parse(text)));
    } catch (error) {
      memory.log.length = before;
      memory.owners = ownersBefore;
      throw error;
    }
    for (const wake of memory.wakers) wake();
  });
  memory.wakers.add(watching.wake);

  function append(events: readonly StoredEvent[]): Promise<void> {
    const texts = events.map(toRow);
    return commits.append(() => texts);
  }

  async function begin<Events extends readonly StoredEvent[]>(
    newId: NewRunId,
    firstEvents: (delegationId: string) => Events,
  ): Promise<Events> {
    return beginRun(commits, { nextRunUnder, claimNew: claim, toRow }, newId, firstEvents);
  }

  function nextRunUnder(childId: string): string {
    const starts = entries({ within: childId, kinds: ["delegation-start"] }, memory.log.length);
    const below = starts.filter(({ event }) => parentIdOf(event.delegationId) === childId);
    return `${childId}.${Array.from(below).length + 1}`;
  }

  async function* read(filter: EntryFilter): AsyncGenerator<Entry> {
    yield* entries(filter, memory.log.length);
  }

  function* entries(filter: EntryFilter, upTo: number): Generator<Entry> {
    for (let seq = (filter.after ?? 0) + 1; seq <= upTo; seq++) {
      const text = memory.log[seq - 1] ?? "";
      if (text === "") continue; // The entry was removed.
      const event = parseEvent(text);
      if (matches(filter, event)) yield { seq, event };
    }
  }

  function head(delegationId: string): ChainHead | undefined {
    const texts = memory.log.filter((text) => text !== "" && JSON.parse(text).delegationId === delegationId);
    if (texts.length === 0) return undefined;
    const last = texts.reduce<Uint8Array | undefined>(chainHash, undefined) ?? new Uint8Array();
    return { ordinal: texts.length, sha256: Buffer.from(last).toString("hex") };
  }

  function claim(delegationId: string): Claim {
    const owner = memory.owners.get(delegationId);
    if (owner?.alive && owner !== self) return { claimed: false, owner: { ...owner } };
    memory.owners.set(delegationId, self);
    return { claimed: true };
  }

  function remove(delegationIds: readonly string[]): string[] {
    const removed = new Set(delegationIds.filter((id) => memory.owners.get(id)?.alive !== true));
    for (const [index, text] of memory.log.entries()) {
      const event: StoredEvent | undefined = text === "" ? undefined : parseEvent(text);
      if (event !== undefined && removed.has(event.delegationId)) memory.log[index] = "";
    }
    for (const id of removed) memory.owners.delete(id);
    return [...removed];
  }

  return {
    append,
    begin,
    read,
    head: async (delegationId) => head(delegationId),
    watch: watching.watch,
    claim: async (delegationId) => claim(delegationId),
    async release(delegationId) {
      if (memory.owners.get(delegationId) === self) memory.owners.delete(delegationId);
    },
    async owner(delegationId) {
      const owner = memory.owners.get(delegationId);
      return owner && { ...owner };
    },
    remove: async (delegationIds) => remove(delegationIds),
    async close() {
      commits.close(closedJournal("in memory"));
      watching.close();
      memory.wakers.delete(watching.wake);
      self.alive = false;
    },
  };
}

function toRow(event: StoredEvent): string {
  return JSON.stringify(event);
}

/** The id directly above another. */
function parentIdOf(id: string): string {
  return id.slice(0, id.lastIndexOf("."));
}

function matches({ delegationId, within, roots, kinds, since = 0 }: EntryFilter, event: StoredEvent): boolean {
  const { delegationId: id, kind, at } = event;
  if (at < since) return false;
  if (delegationId !== undefined && id !== delegationId) return false;
  if (within !== undefined && id !== within && !id.startsWith(`${within}.`)) return false;
  if (roots && id.includes(".")) return false;
  return kinds?.includes(kind) ?? true;
}
