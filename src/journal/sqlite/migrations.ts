/**
 * The database schema, as numbered steps: step n raises `user_version` from n - 1 to n. A released step never changes;
 * a schema change is a new step at the end.
 */
import type { DatabaseSync } from "node:sqlite";
import { DeputyError } from "../../errors.ts";
import { chainHash } from "../chain.ts";
import { checksumOf } from "./checksum.ts";
import { inTransaction } from "./transaction.ts";

/** "dpty": identifies the file to us and to `file(1)`. */
const APPLICATION_ID = 0x64707479;

const MIGRATIONS: readonly (string | ((database: DatabaseSync) => void))[] = [
  // AUTOINCREMENT: a `seq` is never reused after a deletion, so that a watcher's position stays valid.
  `PRAGMA application_id = ${APPLICATION_ID};
   CREATE TABLE events (
     seq INTEGER PRIMARY KEY AUTOINCREMENT,
     delegation_id TEXT NOT NULL,
     child_id TEXT,
     kind TEXT NOT NULL,
     at INTEGER NOT NULL,
     data TEXT NOT NULL
   ) STRICT;
   CREATE INDEX events_by_delegation ON events (delegation_id);
   CREATE INDEX events_by_kind ON events (kind);
   CREATE TABLE claims (
     delegation_id TEXT PRIMARY KEY,
     owner_id TEXT NOT NULL,
     pid INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;`,

  // Existing rows count as sound.
  `ALTER TABLE events ADD COLUMN ordinal INTEGER;
   ALTER TABLE events ADD COLUMN checksum INTEGER;
   UPDATE events SET ordinal = places.ordinal FROM (
     SELECT seq, row_number() OVER (PARTITION BY delegation_id ORDER BY seq) AS ordinal FROM events
   ) AS places WHERE places.seq = events.seq;
   UPDATE events SET checksum = checksum_of(data, ordinal);`,

  chainEvents,
];

/** The schema version that this program writes. */
export const VERSION = MIGRATIONS.length;

/**
 * Rejects a database that is not a journal, or that a later Deputy wrote. Only reads.
 * @throws DeputyError `journal-unusable`
 */
export function checkIdentity(database: DatabaseSync, file: string): void {
  const empty = read(database, "SELECT count(*) FROM sqlite_schema") === 0;
  if (!empty && read(database, "PRAGMA application_id") !== APPLICATION_ID) {
    throw new DeputyError(
      "journal-unusable",
      `Expected Deputy's journal at ${file}, found a database of another program. It was not changed. ` +
        "Move it elsewhere, or use another state directory (DEPUTY_STATE_DIR).",
    );
  }
  const version = read(database, "PRAGMA user_version");
  if (version > MIGRATIONS.length) {
    throw new DeputyError(
      "journal-unusable",
      `The journal ${file} was written by a newer Deputy: its version is ${version}, this program knows up to ` +
        `${MIGRATIONS.length}. It was not changed. Update Deputy (npm install -g deputize@latest), ` +
        "or use another state directory (DEPUTY_STATE_DIR).",
    );
  }
}

/** Migrates the database to this program's schema. If two processes do so at once, one finds it done. */
export function migrate(database: DatabaseSync): void {
  database.function("checksum_of", { deterministic: true }, (data, ordinal) =>
    checksumOf(String(data), Number(ordinal)),
  );
  inTransaction(database, () => {
    const version = read(database, "PRAGMA user_version");
    for (const step of MIGRATIONS.slice(version)) {
      if (typeof step === "string") database.exec(step);
      else step(database);
    }
    if (version < MIGRATIONS.length) database.exec(`PRAGMA user_version = ${MIGRATIONS.length}`);
  });
}

/** Chains the existing events of each run. They count as unchanged. */
function chainEvents(database: DatabaseSync): void {
  database.exec("ALTER TABLE events ADD COLUMN hash BLOB");
  const one = database.prepare("SELECT delegation_id, data FROM events WHERE seq = ?");
  const update = database.prepare("UPDATE events SET hash = ? WHERE seq = ?");
  const last = new Map<string, Uint8Array>();
  for (const { seq } of database.prepare("SELECT seq FROM events ORDER BY seq").all()) {
    const row = one.get(Number(seq));
    const delegationId = String(row?.delegation_id);
    const hash = chainHash(last.get(delegationId), String(row?.data));
    last.set(delegationId, hash);
    update.run(hash, Number(seq));
  }
}

function read(database: DatabaseSync, query: string): number {
  const [value] = Object.values(database.prepare(query).get() ?? {});
  return Number(value);
}
