/**
 * The hash chain of a run: the hash of each event covers the hash of the event before it in its run. A changed, removed,
 * added or moved event changes every later hash, up to the run's head. Whoever can write the journal can also compute a
 * new chain: only a head that was noted elsewhere shows that.
 */
import { createHash } from "node:crypto";

/** The last event of a run's chain: its position in the run, from 1, and its SHA-256 in hexadecimal. */
export type ChainHead = { ordinal: number; sha256: string };

/**
 * @param previous hash of the run's event before this one; absent for its first event
 * @param data the event's JSON, as stored
 */
export function chainHash(previous: Uint8Array | undefined, data: string): Uint8Array {
  const hash = createHash("sha256");
  if (previous !== undefined) hash.update(previous);
  return hash.update(data).digest();
}
