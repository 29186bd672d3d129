/** A duration in milliseconds as documents have it: in seconds, with at most three decimals. */
export function secondsIn(ms: number): number {
  return Math.round(ms) / 1000;
}
