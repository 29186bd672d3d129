/**
 * Opens the journal's database: private to its user, in WAL mode with a full sync at every commit, in this program's
 * shape. What cannot be opened is refused as it is found; nothing is repaired, overwritten or deleted.
 */
import { chmodSync, closeSync, openSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { makeFolder } from "../../system/make-folder.ts";
import { isBusy, notAFile } from "./errors.ts";
import { checkIdentity, migrate } from "./migrations.ts";

/** How long a commit waits for another process's. They take well under a millisecond each. */
const BUSY_TIMEOUT_MS = 10_000;
const RETRY_MS = 2;

export function openDatabase(file: string): DatabaseSync {
  prepareFile(file);
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

/**
 * SQLite gives `-wal` and `-shm` the mode of the file they belong to. A file that exists is never opened here: on POSIX
 * closing it would drop the locks of another journal of this process.
 */
function prepareFile(file: string): void {
  makeFolder(dirname(file), 0o700);
  const found = statSync(file, { throwIfNoEntry: false });
  if (found === undefined) createFile(file);
  else if (!found.isFile()) throw notAFile(file);
  else if ((found.mode & 0o077) !== 0) chmodSync(file, found.mode & 0o700);
}

function createFile(file: string): void {
  try {
    closeSync(openSync(file, "wx", 0o600));
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  }
}

/** SQLite opens a file that it may not write for reading only, and tells no sooner than at the first write. */
function writeNothing(database: DatabaseSync): void {
  database.exec("DELETE FROM events WHERE FALSE");
}

/** Of two processes that open a new journal at once, SQLite turns one away from this switch without waiting. */
function enterWal(database: DatabaseSync): void {
  const deadline = performance.now() + BUSY_TIMEOUT_MS;
  while (!tryEnterWal(database, deadline)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS);
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
