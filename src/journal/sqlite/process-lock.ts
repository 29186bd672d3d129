/**
 * A lock that one process holds and others can observe; the kernel frees it when the holder dies, however it dies.
 *
 * It is an empty SQLite database in an exclusive transaction, because SQLite knows how to lock files on each system.
 * Nothing else may open such a file: on POSIX, closing any descriptor of it drops its holder's lock.
 */
import { closeSync, openSync, statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { isBusy } from "./errors.ts";

/** Creates the file, which must not exist yet, and locks it until the returned function is called. */
export function holdLock(file: string): () => void {
  closeSync(openSync(file, "wx", 0o600));
  const database = new DatabaseSync(file, { timeout: 0 });
  database.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE"); // MEMORY: without a second file
  return () => database.close();
}

/** Returns whether a living process holds the lock; false without a file. Never waits, never creates the file. */
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
    throw error; // For example, too many open files: an unknown owner is not a dead one.
  }
}
