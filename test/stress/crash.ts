/**
 * A crew's run is killed at many moments spread over its life and resumed each time, in every second round by two
 * processes at once. Every round must come to the same workspace and results as a run that nobody killed.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type CrewStage,
  createCrewStage,
  killAndResume,
  type Outcome,
  runUndisturbed,
  type Undisturbed,
} from "../support/end-to-end-crash.ts";
import { createRandom, momentsOf } from "../support/end-to-end-moments.ts";
import type { Part } from "./rounds.ts";

export const crashPart: Part = {
  what: "kill -9 at any moment, then resume",
  usualCount: 200,
  async run({ count, seed }, rounds) {
    const home = mkdtempSync(join(tmpdir(), "deputy-stress-"));
    try {
      const undisturbed = await onStage(home, "undisturbed", runUndisturbed);
      console.log(introduction(count, seed, undisturbed));
      const outcomes = rounds.finished<Outcome>();
      if (outcomes.length > 0) console.log(`  ...  ${outcomes.length} rounds were finished before`);
      for (let round = outcomes.length; round < count; round++) {
        const moments = momentsOf(round, count, undisturbed, createRandom(seed + round));
        const contested = round % 2 === 1;
        const outcome = await onStage(home, `round-${round + 1}`, (stage) =>
          killAndResume(stage, moments, undisturbed, contested),
        ).catch((error) => {
          throw new Error(`Broken in round ${round + 1}, moments ${JSON.stringify(moments)}.`, { cause: error });
        });
        outcomes.push(outcome);
        rounds.add(outcome);
        console.log(row(round + 1, outcome));
      }
      return `${count} rounds, seed ${seed}. ${summary(outcomes)}`;
    } finally {
      rmSync(home, { recursive: true, force: true });
    }
  },
};

async function onStage<Value>(home: string, name: string, work: (stage: CrewStage) => Promise<Value>): Promise<Value> {
  const place = join(home, name);
  mkdirSync(place);
  const stage = await createCrewStage(home, place);
  try {
    return await work(stage);
  } finally {
    await stage.close();
    rmSync(place, { recursive: true, force: true });
  }
}

function introduction(count: number, seed: number, { requests, wallMs, startUpMs }: Undisturbed): string {
  const seconds = (ms: number) => `${(ms / 1000).toFixed(2)} s`;
  return `${count} rounds, seed ${seed}. Undisturbed: ${requests} requests in ${seconds(wallMs)}, the first after
${seconds(startUpMs)}. A round: kill -9 (in every third, again while resuming), resume, compare.

round  killed at (requests, state; in flight)                   asked  again  outcome unknown`;
}

function row(round: number, { kills, requests, repeated, unknown }: Outcome): string {
  const met = kills.map((kill) => `${kill.requests}, ${kill.state}; ${kill.inFlight}`).join(" | ");
  return `${String(round).padStart(5)}  ${met.padEnd(55)} ${[requests, repeated, unknown].map((n) => String(n).padStart(5)).join("  ")}`;
}

function summary(all: readonly Outcome[]): string {
  const kills = all.flatMap((outcome) => outcome.kills);
  const sum = (numbers: number[]) => numbers.reduce((total, number) => total + number, 0);
  const count = (state: string) => kills.filter((kill) => kill.state === state).length;
  return `${kills.length} kills: ${count("nothing stored")} before the run was
stored, ${count("unfinished")} in the middle, ${count("ended")} after its end.
${sum(all.map(({ contests }) => contests))} resumes were competed for by two processes: one had the run, the other said so or told its end.
${sum(all.map(({ requests }) => requests))} requests; ${sum(kills.map(({ inFlight }) => inFlight))} were in flight at a kill; ${sum(all.map(({ repeated }) => repeated))} were asked again, no finished one among them.
${sum(all.map(({ unknown }) => unknown))} calls were told to be of unknown outcome.
Every round: same workspace and results as undisturbed, no process left, nothing started by a second resume.`;
}
