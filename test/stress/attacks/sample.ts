/** A small sample of `npm run stress -- attacks` for the tests, patient with a machine that is busy with others. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { playAttack } from "../attacks.ts";

const PACE = { hangMs: 40_000, isSample: true };

/** @param seeds one for each attack, by its name */
export function sampleAttacks(what: string, seeds: Readonly<Record<string, number>>): void {
  describe(`Deputy holds under attack: ${what}`, { concurrency: 2 }, () => {
    for (const [name, seed] of Object.entries(seeds))
      test(`${name} (seed ${seed})`, async () => {
        const { breaches } = await playAttack(seed, PACE, name);
        assert.deepEqual(breaches, []);
      });
  });
}
