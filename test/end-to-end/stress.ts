/**
 * `npm run stress [ROUNDS] [SEED]`: kills a crew's run at many moments spread over its life, resumes it each time, and
 * reports on one page what the kills met. Fails at the first broken promise, naming the seed that repeats it.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  createCrewStage,
  killAndResume,
  type Moment,
  type Outcome,
  runUndisturbed,
  type Undisturbed,
} from "../support/end-to-end-crash.ts";
import { createRandom, momentsOf, newSeed } from "../support/end-to-end-moments.ts";

const [rounds = 20, seed = newSeed()] = process.argv.slice(2).map(Number);
const home = mkdtempSync(join(tmpdir(), "deputy-stress-"));
const random = createRandom(seed);
const outcomes: Outcome[] = [];
let moments: Moment[] = [];
try {
  const undisturbed = await onStage("undisturbed", runUndisturbed);
  introduce(undisturbed);
  for (let round = 0; round < rounds; round++) {
    moments = momentsOf(round, rounds, undisturbed, random);
    const outcome = await onStage(`round-${round + 1}`, (stage) => killAndResume(stage, moments, undisturbed));
    outcomes.push(outcome);
    console.log(row(round + 1, outcome));
  }
  console.log(summary(outcomes));
} catch (error) {
  console.error(`\nBroken in round ${outcomes.length + 1}, moments ${JSON.stringify(moments)}.`);
  console.error(`The same moments again: npm run stress ${rounds} ${seed}\n`);
  console.error(error);
  process.exitCode = 1;
} finally {
  rmSync(home, { recursive: true, force: true });
}

async function onStage<Value>(
  name: string,
  work: (stage: Awaited<ReturnType<typeof createCrewStage>>) => Promise<Value>,
) {
  const place = join(home, name);
  mkdirSync(place);
  const stage = await createCrewStage(home, place);
  try {
    return await work(stage);
  } finally {
    await stage.close();
  }
}

function introduce({ requests, wallMs, startUpMs }: Undisturbed): void {
  const seconds = (ms: number) => `${(ms / 1000).toFixed(2)} s`;
  console.log(
    `${rounds} rounds, seed ${seed}. Undisturbed: ${requests} requests in ${seconds(wallMs)}, the first after`,
  );
  console.log(`${seconds(startUpMs)}. A round: kill -9 (in every third, again while resuming), resume, compare.\n`);
  console.log("round  killed at (requests, state; in flight)                   asked  again  outcome unknown");
}

function row(round: number, { kills, requests, repeated, unknown }: Outcome): string {
  const met = kills.map((kill) => `${kill.requests}, ${kill.state}; ${kill.inFlight}`).join(" | ");
  return `${String(round).padStart(5)}  ${met.padEnd(55)} ${[requests, repeated, unknown].map((n) => String(n).padStart(5)).join("  ")}`;
}

function summary(all: readonly Outcome[]): string {
  const kills = all.flatMap((outcome) => outcome.kills);
  const sum = (numbers: number[]) => numbers.reduce((total, number) => total + number, 0);
  const count = (state: string) => kills.filter((kill) => kill.state === state).length;
  return `
${kills.length} kills: ${count("nothing stored")} before the run was stored, ${count("unfinished")} in the middle, ${count("ended")} after its end.
${sum(kills.map(({ inFlight }) => inFlight))} requests were in flight; ${sum(all.map(({ repeated }) => repeated))} were asked again, no finished one among them.
${sum(all.map(({ unknown }) => unknown))} calls were told to be of unknown outcome.
Every round: same workspace and results as undisturbed, no process left, nothing started by a second resume.`;
}
