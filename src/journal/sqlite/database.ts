/**
 * Opens the journal's database: private to its user, in WAL mode with a full sync at every commit, and in this
 * program's schema. A database that cannot be opened is rejected unchanged; nothing is repaired, overwritten or
 * deleted.
 */
import { DatabaseSync } from "node:sqlite";
import { blockThread } from "../../system/block-thread.ts";
import { isBusy } from "./errors.ts";
import { prepareJournalFile } from "./journal-file.ts";
import { checkIdentity, migrate } from "./migrations.ts";

/** Maximum wait for another process's commit, which takes well under a millisecond. */
const BUSY_TIMEOUT_MS = 10_000;
const RETRY_MS = 2;

export function openDatabase(file: string): DatabaseSync {
  prepareJournalFile(file);
  const database = new DatabaseSync(file, { timeout: BUSY_TIMEOUT_MS });
  try {
    checkIdentity(database, file);
    enterWal(database);
    database.exec("PRAGMA synchronous = FULL");
    migrate(database);
    writeNothing(database);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** SQLite opens an unwritable file for reading only, and reports it only at the first write. */
function writeNothing(database: DatabaseSync): void {
  database.exec("DELETE FROM events WHERE FALSE");
}

/** When two processes open a new journal at once, SQLite rejects this switch for one of them without waiting. */
function enterWal(database: DatabaseSync): void {
  const deadline = performance.now() + BUSY_TIMEOUT_MS;
  while (!tryEnterWal(database, deadline)) blockThread(RETRY_MS);
}

function tryEnterWal(database: DatabaseSync, deadline: number): boolean {
  try {
    database.exec("PRAGMA journal_mode = WAL");
    return true;
  } catch (error) {
    if (!isBusy(error) || performance.now() > deadline) throw error;
    return false;
  }
}
