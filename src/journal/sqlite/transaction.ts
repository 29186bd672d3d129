/** Transactions: the changes of `work` are stored completely, or not at all. */
import type { DatabaseSync } from "node:sqlite";

/**
 * Runs `work` in a write transaction, waiting for other processes' transactions as long as the connection's busy
 * timeout. Takes the write lock at the start, so that what `work` reads stays true until it commits.
 */
export function inTransaction<Value>(database: DatabaseSync, work: () => Value): Value {
  database.exec("BEGIN IMMEDIATE");
  try {
    const value = work();
    database.exec("COMMIT");
    return value;
  } catch (error) {
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}
