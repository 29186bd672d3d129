/** A long child, killed around its compactions, sends the same requests as one that was not. */
import assert from "node:assert/strict";
import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { temporaryDirectory } from "../support/command-line.ts";
import { createRandom, testSeed } from "../support/end-to-end-moments.ts";
import { assertSameCourse, createLongChild } from "../support/long-child.ts";

const seed = testSeed();
/** Kills in this test; `npm run stress -- compaction` does hundreds. */
const KILLS = 8;

describe(`a child that reads more than its window (seed ${seed})`, { timeout: 110_000 }, () => {
  const home = temporaryDirectory(after);

  test("sends the same bytes after each kill as without one", async (t) => {
    const stage = await createLongChild(mkdtempSync(join(home, "long-")));
    t.after(stage.close);
    await stage.run("undisturbed");
    const undisturbed = stage.bodies();
    const summaries = undisturbed.filter((body) => body.includes("You summarize the work"));
    assert.ok(summaries.length >= 2, `expected compactions in ${undisturbed.length} requests`);
    const random = createRandom(seed);
    const kill = () => ({ request: 1 + Math.floor(random() * 10), delayMs: Math.floor(random() * 25) });
    let { wasKilled } = await stage.run("killed", kill());
    for (let kills = 1; wasKilled; kills++)
      ({ wasKilled } = await stage.resume("killed", kills < KILLS ? kill() : undefined));
    assertSameCourse(stage.bodies(), undisturbed);
  });
});
