/** A crew that writes files and runs commands is killed at any moment, and continues as if nothing had happened. */
import assert from "node:assert/strict";
import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { temporaryDirectory, until } from "../support/command-line.ts";
import {
  createCrewStage,
  crewRun,
  killAndResume,
  runUndisturbed,
  type Undisturbed,
} from "../support/end-to-end-crash.ts";
import { createRandom, momentsOf, testSeed } from "../support/end-to-end-moments.ts";

const home = temporaryDirectory(after);
const seed = testSeed();
const ROUNDS = 5;

/** A stage for one test. */
async function stageFor(t: { after(cleanUp: () => Promise<void>): void }) {
  const stage = await createCrewStage(home, mkdtempSync(join(home, "run-")));
  t.after(stage.close);
  return stage;
}

describe(`a run killed with SIGKILL (seed ${seed})`, { timeout: 110_000 }, () => {
  const random = createRandom(seed);
  let undisturbed: Undisturbed;

  before(async () => {
    const stage = await createCrewStage(home, mkdtempSync(join(home, "undisturbed-")));
    undisturbed = await runUndisturbed(stage);
    await stage.close();
  });

  for (let round = 0; round < ROUNDS; round++) {
    test(`is the same after its resume as one that was not, killed at moment ${round + 1} of ${ROUNDS}`, async (t) => {
      const moments = momentsOf(round, ROUNDS, undisturbed, random);
      t.diagnostic(`seed ${seed}: ${JSON.stringify(moments)}`);
      await killAndResume(await stageFor(t), moments, undisturbed, 1 + (round % 2));
    });
  }

  test("continues in one of two processes that resume it at once, and the other one names the owner", async (t) => {
    const stage = await stageFor(t);
    const first = stage.launch(crewRun(stage));
    await until(() => stage.providers.arrivals.length >= 8);
    first.child.kill("SIGKILL");
    await first.ended;
    const [run] = await stage.runs();
    assert.equal(run?.state, "unfinished");
    stage.gate(false);
    const both = [1, 2].map(() => stage.launch(["resume", run.delegation_id, ...stage.runOptions]));
    await until(() => both.some((one) => one.isOver()));
    const [loser, winner] = both[0]?.isOver() ? both : both.toReversed();
    assert.ok(loser && winner);
    const refused = await loser.ended;
    assert.equal(refused.code, 3, refused.stderr);
    assert.match(refused.stderr, new RegExp(`is active in process ${winner.pid}`));
    assert.equal(refused.stdout, "");
    assert.equal((await stage.runs())[0]?.state, "running");
    stage.gate(true);
    const { code, stderr } = await winner.ended;
    assert.equal(code, 0, stderr);
    stage.providers.checkScripts();
    assert.equal((await stage.runs())[0]?.state, "ended");
  });
});
