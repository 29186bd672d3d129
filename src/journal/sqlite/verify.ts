/**
 * Verifies a journal: SQLite's own check of the file, every row against its checksum and its run's chain, every event
 * against its schema, and the order of each run. Changes nothing, and continues after each problem.
 */
import { lstatSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { JOURNAL_FORMAT, type StoredEvent } from "../../event.ts";
import { isRecord } from "../../values/record.ts";
import { chainHash } from "../chain.ts";
import { eventError } from "../event-schema.ts";
import { createRunInvariants, invariantError, type RunInvariants } from "../invariants.ts";
import { checksumOf } from "./checksum.ts";
import { emptiedJournal } from "./errors.ts";
import { isEmptied, refuseLinks } from "./journal-file.ts";
import { checkIdentity, migrate, VERSION } from "./migrations.ts";
import { compactionProblems, type Replay } from "./verify-compactions.ts";

export type JournalReport = {
  file: string;
  /** The journal does not exist yet: nothing was ever run. */
  missing: boolean;
  runs: number;
  events: number;
  bytes: number;
  /** Descriptions of the problems, in the order they were found. */
  problems: string[];
  /** Runs of a later journal format: their events were checked for changes only. */
  later: string[];
  /** Position of the requested head. */
  head?: ChainPosition;
};

/** An event of a run's chain, of `events` in the run. */
export type ChainPosition = { run: string; ordinal: number; events: number };

const EARLIER =
  "It was written by an earlier Deputy. The next command brings it up to date (deputy runs); verify it again then.";
/** Maximum wait for another process's commit. */
const BUSY_TIMEOUT_MS = 10_000;
/** Beyond this many, problems of one kind are counted but not listed. */
const LISTED = 50;

type StoredRow = {
  seq: number;
  delegation_id: string;
  child_id: string | null;
  kind: string;
  at: number;
  data: string;
};
type ChainedRow = StoredRow & { ordinal: number; checksum: number; hash: Uint8Array | null };
/** A run's order, and the last event of its chain. */
type VerifiedRun = { order: RunInvariants; ordinal: number; hash?: Uint8Array; isLater: boolean };

/**
 * @param head a SHA-256 that `deputy show` printed, in hexadecimal: some run's chain must contain it
 * @param replay checks the events of children whose conversation was compacted; without it, those are not derived again
 */
export function verifyJournal(file: string, { head, replay }: { head?: string; replay?: Replay } = {}): JournalReport {
  const found = lstatSync(file, { throwIfNoEntry: false });
  const report: JournalReport = {
    file,
    missing: !found,
    runs: 0,
    events: 0,
    bytes: found?.size ?? 0,
    problems: [],
    later: [],
  };
  if (found === undefined) return report;
  attempt(report, "The file cannot be opened", () => {
    refuseLinks(file);
    if (isEmptied(file)) throw emptiedJournal(file);
    const database = new DatabaseSync(file, { readOnly: true });
    try {
      verifyDatabase(database, report, head);
      if (replay !== undefined && report.problems.length === 0)
        report.problems.push(...compactionProblems(database, replay));
    } finally {
      database.close();
    }
  });
  if (report.problems.length === 0) attempt(report, "Nothing can be written to it", () => tryWriting(file));
  const { length } = report.problems;
  if (length > LISTED) report.problems.splice(LISTED, length, `… and ${length - LISTED} more.`);
  return report;
}

/** Takes the write lock and releases it. A damaged header may prevent writing although reading works. */
function tryWriting(file: string): void {
  const database = new DatabaseSync(file, { timeout: BUSY_TIMEOUT_MS });
  try {
    database.exec("BEGIN IMMEDIATE; DELETE FROM events WHERE FALSE; ROLLBACK");
  } finally {
    database.close();
  }
}

function verifyDatabase(database: DatabaseSync, report: JournalReport, head: string | undefined): void {
  attempt(report, "SQLite cannot check the file", () => {
    for (const row of database.prepare("PRAGMA integrity_check(20)").all()) {
      const [words] = Object.values(row);
      if (words !== "ok") report.problems.push(`SQLite finds: ${words}`);
    }
  });
  attempt(report, "It is not a journal of this Deputy", () => {
    checkIdentity(database, report.file);
    const version = database.prepare("PRAGMA user_version").get()?.user_version;
    if (Number(version) < VERSION) report.problems.push(EARLIER);
    else if (version !== VERSION) report.problems.push(`Its version is ${version}; this Deputy writes ${VERSION}.`);
    else if (schemaOf(database) !== freshSchema()) report.problems.push("Its tables are not as Deputy made them.");
  });
  if (report.problems.includes(EARLIER)) return;
  attempt(report, "The list of events cannot be read", () => {
    const runs = verifyEvents(database, report);
    if (head !== undefined) findHead(database, report, runs, head);
  });
}

/** Tables and indexes as declared. */
function schemaOf(database: DatabaseSync): string {
  return JSON.stringify(database.prepare("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY name").all());
}

function freshSchema(): string {
  const fresh = new DatabaseSync(":memory:");
  try {
    migrate(fresh);
    return schemaOf(fresh);
  } finally {
    fresh.close();
  }
}

function verifyEvents(database: DatabaseSync, report: JournalReport): Map<string, VerifiedRun> {
  const runs = new Map<string, VerifiedRun>();
  const one = database.prepare("SELECT * FROM events WHERE seq = ?");
  for (const { seq } of database.prepare("SELECT seq FROM events ORDER BY seq").all()) {
    report.events += 1;
    attempt(report, `Entry ${seq} cannot be read`, () => {
      const row = one.get(Number(seq)) as ChainedRow | undefined;
      if (row === undefined) throw new Error("it is listed but missing");
      const run = runs.get(row.delegation_id) ?? { order: createRunInvariants(), ordinal: 0, isLater: false };
      runs.set(row.delegation_id, run);
      verifyLink(run, row, report);
      const event = verifyRow(run, row, report);
      const mistake = event && invariantError(run.order, event);
      if (mistake !== undefined) report.problems.push(`Run ${row.delegation_id}: ${mistake} (entry ${seq}).`);
    });
  }
  report.runs = runs.size;
  for (const [id, { isLater }] of runs) if (isLater) report.later.push(id);
  return runs;
}

/** Looks for a head that was noted earlier: the run is as it was then, if its chain is whole and contains the head. */
function findHead(
  database: DatabaseSync,
  report: JournalReport,
  runs: ReadonlyMap<string, VerifiedRun>,
  head: string,
): void {
  const row = database
    .prepare("SELECT delegation_id AS run, ordinal FROM events WHERE hash = ?")
    .get(Buffer.from(head, "hex")) as { run: string; ordinal: number } | undefined;
  if (row !== undefined) report.head = { ...row, events: runs.get(row.run)?.ordinal ?? row.ordinal };
  else report.problems.push(`No run contains the head ${head}: its run was changed or removed since it was printed.`);
}

/** Checks that a row follows the last one of its run, unchanged, and makes it the last. */
function verifyLink(run: VerifiedRun, row: ChainedRow, { problems }: JournalReport): void {
  const { delegation_id: id, seq, ordinal, hash } = row;
  const isNext = ordinal === run.ordinal + 1;
  if (!isNext) problems.push(`Run ${id}: after its event ${run.ordinal} comes its event ${ordinal} (entry ${seq}).`);
  else if (!chainHash(run.hash, row.data).every((byte, at) => byte === hash?.[at])) {
    problems.push(
      `Run ${id}: the chain of its events breaks at event ${ordinal} (entry ${seq}): this event or the one before it was changed.`,
    );
  }
  Object.assign(run, { ordinal, hash: hash ?? undefined });
}

/** @returns the event, if it is valid and of a format that this program reads */
function verifyRow(run: VerifiedRun, row: ChainedRow, { problems }: JournalReport): StoredEvent | undefined {
  const { seq, data, ordinal, checksum } = row;
  if (checksumOf(data, ordinal) !== checksum) {
    problems.push(`Entry ${seq} has changed: its checksum does not match.`);
    return undefined;
  }
  const event: unknown = JSON.parse(data);
  run.isLater ||= isRecord(event) && Number(event.format) > JOURNAL_FORMAT;
  if (run.isLater) return undefined;
  const mistake = eventError(event) ?? columnError(row, event as StoredEvent);
  if (mistake === undefined) return event as StoredEvent;
  problems.push(`Entry ${seq} is not an event: ${mistake}.`);
  return undefined;
}

/** Checks that the columns used to find events agree with the event. */
function columnError(row: StoredRow, event: StoredEvent): string | undefined {
  const childId = "childId" in event ? event.childId : null;
  const same =
    row.delegation_id === event.delegationId &&
    row.child_id === childId &&
    row.kind === event.kind &&
    row.at === event.at;
  return same ? undefined : "its columns do not match its data";
}

function attempt({ problems }: JournalReport, what: string, work: () => void): void {
  try {
    work();
  } catch (error) {
    problems.push(`${what}: ${error instanceof Error ? error.message : error}`);
  }
}
