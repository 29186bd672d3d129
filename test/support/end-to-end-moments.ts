/**
 * Moments at which to kill a run: spread over its whole life, random within their share of it, reproducible by seed.
 */
import type { Moment, Undisturbed } from "./end-to-end-crash.ts";

/** From 0 to 1, excluding 1. */
export type Random = () => number;

/**
 * Seed of the default tests. It is fixed, so that only a change of the code can cause a failure. DEPUTY_TEST_SEED
 * overrides it.
 */
export function testSeed(): number {
  return Number(process.env.DEPUTY_TEST_SEED ?? 20261128);
}

/** Mulberry32, a generator of one line of state. */
export function createRandom(seed: number): Random {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Share of the moments before the first request. */
const START_UP_SHARE = 0.15;
/** Longest delay after a request has arrived: as long as a step with its command takes. */
const MAX_DELAY_MS = 150;

/**
 * The kills of one round: the first at this round's share of the run's life; in every third round another one during
 * the resume.
 */
export function momentsOf(
  round: number,
  rounds: number,
  { requests, startUpMs }: Pick<Undisturbed, "requests" | "startUpMs">,
  random: Random,
): Moment[] {
  const place = (round + random()) / rounds;
  if (place < START_UP_SHARE) return [{ requests: 0, delayMs: (place / START_UP_SHARE) * startUpMs }];
  const arrived = Math.ceil(((place - START_UP_SHARE) / (1 - START_UP_SHARE)) * requests);
  const first = { requests: arrived, delayMs: random() * MAX_DELAY_MS };
  if (round % 3 !== 2) return [first];
  return [first, { requests: Math.ceil(random() * (requests - arrived)), delayMs: random() * MAX_DELAY_MS }];
}
