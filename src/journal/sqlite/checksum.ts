/**
 * Checksums of rows: each covers the row's position in its run and its JSON. A changed byte shows when the row is read,
 * a missing row by the gap it leaves.
 */
import { crc32 } from "node:zlib";

/** @param ordinal the event's position in its run, from 1 */
export function checksumOf(data: string, ordinal: number): number {
  return crc32(data, ordinal);
}
