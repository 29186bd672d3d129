/** A small sample of `npm run stress -- attacks`: each class once, with seeds that found problems before. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ATTACKS, playAttack } from "../stress/attacks.ts";

const SEEDS = [0, 15, 16, 17, 18, 75, 20, 21, 8, 23, 24, 11, 12, 13];
/** Timeout for a machine that is busy with other tests. */
const HANG_MS = 40_000;

describe("Deputy holds under attack", { timeout: 110_000, concurrency: 2 }, () => {
  for (const seed of SEEDS) {
    const name = Object.keys(ATTACKS)[seed % SEEDS.length];
    test(`${name} (seed ${seed})`, async () => {
      const { breaches } = await playAttack(seed, HANG_MS);
      assert.deepEqual(breaches, []);
    });
  }
});
