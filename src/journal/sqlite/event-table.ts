/** The table of events: rows are appended, and read in order of `seq`. */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { StoredEvent } from "../../event.ts";
import { present } from "../../values/present.ts";
import { type ChainHead, chainHash } from "../chain.ts";
import { parseEvent } from "../event-text.ts";
import type { Entry, EntryFilter } from "../journal.ts";
import type { Log } from "../watch.ts";
import { checksumOf } from "./checksum.ts";
import { DamagedEntry } from "./errors.ts";

/** An event and its JSON at the time of the append: later changes by its owner are not recorded. */
export type EventRow = { event: StoredEvent; data: string };

export type EventTable = Log & {
  /** Inserts the event after the last one of its run. Call it inside a write transaction. */
  insert(row: EventRow): void;
  /** The next free `CHILD.n`. Call it inside a write transaction. */
  nextRunUnder(childId: string): string;
  /** The last event of a run's chain. */
  head(delegationId: string): ChainHead | undefined;
  remove(delegationIds: readonly string[]): void;
};

/** Up to this many entries are scanned in order; more are looked up by run. */
const FEW = 2_000;

export function createEventTable(database: DatabaseSync): EventTable {
  const insertion = database.prepare(
    `INSERT INTO events (delegation_id, child_id, kind, at, data, ordinal, checksum, hash)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const last = database.prepare(
    "SELECT seq, ordinal, hash FROM events WHERE delegation_id = ? ORDER BY seq DESC LIMIT 1",
  );
  const begun = database.prepare(
    `SELECT count(*) AS runs FROM events
     WHERE delegation_id >= $from AND delegation_id < $to AND +kind = 'delegation-start'
       AND instr(substr(delegation_id, length($from) + 1), '.') = 0`,
  );
  const deletion = database.prepare("DELETE FROM events WHERE delegation_id = ?");
  const newest = database.prepare("SELECT max(seq) AS seq FROM events");
  const one = database.prepare("SELECT data, ordinal, checksum FROM events WHERE seq = ?");
  const selections = new Map<string, StatementSync>();

  function insert({ event, data }: EventRow): void {
    const childId = "childId" in event ? event.childId : null;
    const previous = lastOf(event.delegationId);
    const ordinal = (previous?.ordinal ?? 0) + 1;
    const checksum = checksumOf(data, ordinal);
    const hash = chainHash(previous?.hash, data);
    insertion.run(event.delegationId, childId, event.kind, event.at, data, ordinal, checksum, hash);
  }

  function lastOf(delegationId: string): { ordinal: number; hash: Uint8Array } | undefined {
    const row = last.get(delegationId);
    if (row === undefined) return undefined;
    const { seq, ordinal, hash } = row;
    if (typeof ordinal !== "number" || !(hash instanceof Uint8Array)) throw new DamagedEntry(Number(seq));
    return { ordinal, hash };
  }

  function head(delegationId: string): ChainHead | undefined {
    const newest = lastOf(delegationId);
    return newest && { ordinal: newest.ordinal, sha256: Buffer.from(newest.hash).toString("hex") };
  }

  function nextRunUnder(childId: string): string {
    const row = begun.get(treeBelow(childId));
    return `${childId}.${Number(row?.runs ?? 0) + 1}`;
  }

  /** Removes whole runs; a `seq` is never reused. */
  function remove(delegationIds: readonly string[]): void {
    for (const delegationId of delegationIds) deletion.run(delegationId);
  }

  function latest(): number {
    return Number(newest.get()?.seq ?? 0);
  }

  /**
   * Reads the list of matching `seq` first, and the events one by one on demand: an open cursor would prevent
   * checkpoints of the log and writes of this process.
   */
  function* entries(filter: EntryFilter, upTo: number): Generator<Entry> {
    for (const seq of matching(filter, upTo)) {
      const row = one.get(seq);
      if (row === undefined) continue; // Its run was removed meanwhile.
      if (!isWhole(row)) throw new DamagedEntry(seq);
      yield { seq, event: parseEvent(row.data) };
    }
  }

  function matching({ delegationId, within, roots, kinds, after = 0, since }: EntryFilter, upTo: number): number[] {
    // A whole tree is found by index; a watcher's few new entries are scanned. A plus before a column disables its
    // index.
    const byPlace = within === undefined || upTo - after <= FEW;
    const conditions = byPlace ? ["seq > $after", "seq <= $upTo"] : ["+seq > $after", "+seq <= $upTo"];
    if (delegationId !== undefined) conditions.push("delegation_id = $delegationId");
    if (within !== undefined) conditions.push(byPlace ? inTree("+delegation_id") : inTree("delegation_id"));
    if (since !== undefined) conditions.push("at >= $since");
    if (roots) conditions.push("instr(delegation_id, '.') = 0");
    if (kinds !== undefined && within !== undefined) conditions.push("+kind IN (SELECT value FROM json_each($kinds))");
    else if (kinds !== undefined) conditions.push("kind IN (SELECT value FROM json_each($kinds))");
    const rows = selection(conditions.join(" AND ")).all({
      after,
      upTo,
      ...present({ delegationId, since }),
      ...(within !== undefined && { root: within, ...treeBelow(within) }),
      ...(kinds !== undefined && { kinds: JSON.stringify(kinds) }),
    });
    return rows.map(({ seq }) => Number(seq));
  }

  function selection(conditions: string): StatementSync {
    const known = selections.get(conditions);
    if (known) return known;
    const statement = database.prepare(`SELECT seq FROM events WHERE ${conditions} ORDER BY seq`);
    selections.set(conditions, statement);
    return statement;
  }

  return { insert, nextRunUnder, head, remove, latest, entries };
}

/** Bounds of the ids that start with `id` and a dot: "/" is the character after ".". */
function treeBelow(id: string): { from: string; to: string } {
  return { from: `${id}.`, to: `${id}/` };
}

function inTree(column: string): string {
  return `(${column} = $root OR (${column} >= $from AND ${column} < $to))`;
}

/** Damage can leave any value in a column, whatever its type. */
function isWhole(row: Record<string, unknown>): row is { data: string } {
  const { data, ordinal, checksum } = row;
  return typeof data === "string" && typeof ordinal === "number" && checksumOf(data, ordinal) === checksum;
}
