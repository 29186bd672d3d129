/** A child that reads more than its window is killed again and again; its requests stay those of an undisturbed run. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRandom } from "../support/end-to-end-moments.ts";
import { assertSameCourse, createLongChild, type LongChild } from "../support/long-child.ts";
import type { Part } from "./rounds.ts";

type Round = { kills: number; requests: number };

export const compactionPart: Part = {
  what: "kill -9 (COUNT times) of a child whose conversation is compacted",
  usualCount: 200,
  async run({ count, seed }, rounds) {
    const place = mkdtempSync(join(tmpdir(), "deputy-stress-"));
    const stage = await createLongChild(place);
    try {
      await stage.run("undisturbed");
      const undisturbed = stage.bodies();
      const done = rounds.finished<Round>();
      let kills = done.reduce((sum, round) => sum + round.kills, 0);
      for (let round = done.length; kills < count; round++) {
        const outcome = await killedRun(stage, `round-${round}`, createRandom(seed + round), undisturbed);
        kills += outcome.kills;
        rounds.add(outcome);
        console.log(
          `  round ${round + 1}: ${outcome.kills} kills, ${outcome.requests} requests; ${kills} kills so far`,
        );
      }
      return `${kills} kills, seed ${seed}: every request was one of the ${undisturbed.length} of an undisturbed run, in its order.`;
    } finally {
      await stage.close();
      rmSync(place, { recursive: true, force: true });
    }
  },
};

/** One run, killed until it ends by itself. */
async function killedRun(
  stage: LongChild,
  state: string,
  random: () => number,
  undisturbed: readonly string[],
): Promise<Round> {
  const kill = () => ({ request: 1 + Math.floor(random() * 6), delayMs: Math.floor(random() * 25) });
  let { wasKilled } = await stage.run(state, kill());
  let kills = 0;
  for (; wasKilled; kills++) ({ wasKilled } = await stage.resume(state, kill()));
  const received = stage.bodies();
  assertSameCourse(received, undisturbed);
  return { kills, requests: received.length };
}
