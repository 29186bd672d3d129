/** A small sample of `npm run stress -- trees`. */
import { test } from "node:test";
import { testSeed } from "../support/end-to-end-moments.ts";
import { playTree } from "../support/tree-play.ts";

const TREES = 60;

test("whatever tree, whatever fails, stops or dies in it: caps, budgets, stops, costs and results hold", async (t) => {
  const seed = testSeed();
  t.diagnostic(`seed ${seed}`);
  for (let round = 0; round < TREES; round++) await playTree(seed + round);
});
