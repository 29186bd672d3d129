/**
 * Random batches through all of Deputy over real HTTP, measured against an independent oracle: no request goes to
 * another provider, model, effort or endpoint than its task requested, no key to a foreign origin.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { testSeed } from "../support/end-to-end-moments.ts";
import { tryBatches } from "../support/routing-trial.ts";

const BATCHES = 500;
const seed = testSeed();

describe(`${BATCHES} random batches (seed ${seed})`, { timeout: 110_000 }, () => {
  test("are routed according to the contract, every request with a key of its own provider at that key's origin", async (t) => {
    const tally = await tryBatches(seed, 0, BATCHES);
    t.diagnostic(JSON.stringify(tally));
    const { batches, tasks, rejected, requests, chosenBy, ...others } = tally;
    assert.equal(batches, BATCHES);
    const seen = { rejected, ...others, ...chosenBy };
    for (const [what, count] of Object.entries(seen)) assert.ok(count > 0, `${what} was never met`);
    assert.ok(Object.keys(chosenBy).length >= 11, `chosen by ${Object.keys(chosenBy)} alone`);
    assert.ok(tasks - rejected > BATCHES / 2 && requests > BATCHES, "the inputs are too wild to test anything");
  });
});
