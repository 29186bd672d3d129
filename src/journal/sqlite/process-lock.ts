/**
 * A lock that a process holds and any other can see; the kernel frees it when the holder dies, however it dies.
 *
 * It is an empty SQLite database kept in an exclusive transaction, because SQLite knows how files are locked on each
 * system. Nothing else may ever open such a file: on POSIX, closing any descriptor of it drops its holder's lock.
 */
import { closeSync, openSync, statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { isBusy } from "./errors.ts";

/** Makes the file, which must not exist yet, and locks it until the returned function is called. */
export function holdLock(file: string): () => void {
  closeSync(openSync(file, "wx", 0o600));
  const database = new DatabaseSync(file, { timeout: 0 });
  database.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE"); // MEMORY: no second file beside this one
  return () => database.close();
}

/** Whether a living process holds the lock. No file, no lock. Never waits, never makes the file. */
export function isLockHeld(file: string): boolean {
  try {
    const database = new DatabaseSync(file, { readOnly: true, timeout: 0 });
    try {
      database.prepare("SELECT 1 FROM sqlite_schema").get();
      return false;
    } finally {
      database.close();
    }
  } catch (error) {
    if (isBusy(error)) return true;
    if (statSync(file, { throwIfNoEntry: false }) === undefined) return false;
    throw error; // too many open files, say: not knowing is not the same as dead
  }
}
