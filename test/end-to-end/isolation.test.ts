/** The real program with isolated children: a few of the random orders that `npm run stress -- isolation` plays. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { testSeed } from "../support/end-to-end-moments.ts";
import { playIsolation } from "../support/isolation-rounds.ts";

describe("children in working copies", () => {
  for (const round of [0, 1, 2, 3])
    test(`lose nothing when they are killed, resumed, stopped and cleaned (order ${round + 1})`, async () => {
      const { moves } = await playIsolation(testSeed() + round);
      assert.ok(moves.length > 0);
    });
});
