/** Maximum time of a `Date`. */
const LAST_DATE_MS = 8.64e15;

/** A time in UTC as ISO 8601, also of an event whose clock was far off. @param at milliseconds since the epoch */
export function isoTime(at: number): string {
  return new Date(Math.min(at, LAST_DATE_MS)).toISOString();
}
