/**
 * A crew's run is killed at many moments spread over its life and resumed each time, in every second round by two
 * processes at once, or in every round by four. Every round must produce the same workspace and results as an
 * undisturbed run.
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
import type { Asked, Part, Rounds } from "./rounds.ts";

export const crashPart: Part = {
  what: "kill -9 at any moment, then resume",
  usualCount: 200,
  run: (asked, rounds) => killAll(asked, rounds, (round) => 1 + (round % 2)),
};

export const resumeRacePart: Part = {
  what: "kill -9 at any moment, then four processes that resume at once",
  usualCount: 100,
  run: (asked, rounds) => killAll(asked, rounds, () => 4),
};

/** @param competitorsIn returns the number of processes that resume at once in a round */
async function killAll(
  { count, seed }: Asked,
  rounds: Rounds,
  competitorsIn: (round: number) => number,
): Promise<string> {
  const home = mkdtempSync(join(tmpdir(), "deputy-stress-"));
  try {
    const undisturbed = await onStage(home, "undisturbed", runUndisturbed);
    console.log(introduction(count, seed, undisturbed));
    const outcomes = rounds.finished<Outcome>();
    if (outcomes.length > 0) console.log(`  ...  ${outcomes.length} rounds were finished before`);
    for (let round = outcomes.length; round < count; round++) {
      const moments = momentsOf(round, count, undisturbed, createRandom(seed + round));
      const outcome = await onStage(home, `round-${round + 1}`, (stage) =>
        killAndResume(stage, moments, undisturbed, competitorsIn(round)),
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
}

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
${sum(all.map(({ contests }) => contests))} processes came to resume what another one had: they said so, or told its end; one went on after each kill.
${sum(all.map(({ requests }) => requests))} requests; ${sum(kills.map(({ inFlight }) => inFlight))} were in flight at a kill; ${sum(all.map(({ repeated }) => repeated))} were asked again, no finished one among them.
${sum(all.map(({ unknown }) => unknown))} calls were told to be of unknown outcome.
Every round: same workspace and results as undisturbed, no process left, nothing started by a second resume.`;
}
