/**
 * What makes a row answer for itself: its place in its run, and a checksum over that place and its JSON. A changed byte
 * is seen when the row is read, a missing row by the gap it leaves.
 */
import { crc32 } from "node:zlib";

/** @param ordinal the event's place in its run, from 1 */
export function checksumOf(data: string, ordinal: number): number {
  return crc32(data, ordinal);
}
