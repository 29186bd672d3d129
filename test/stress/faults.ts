/** Random schedules of faults over batches of children and three providers, each compared with the servers' own log. */
import { CHILDREN, playSchedule, type ScheduleOutcome } from "../support/fault-schedule.ts";
import type { Part } from "./rounds.ts";

export const faultsPart: Part = {
  what: "random fault schedules, held against the servers' own log",
  usualCount: 500,
  async run({ count, seed }, rounds) {
    const outcomes = rounds.finished<ScheduleOutcome>();
    if (outcomes.length > 0) console.log(`${outcomes.length} schedules were finished before.`);
    for (let round = outcomes.length; round < count; round++) {
      const outcome = await playSchedule(seed + round);
      outcomes.push(outcome);
      rounds.add(outcome);
      if (outcomes.length % 25 === 0) console.log(`${outcomes.length} of ${count}: ${inWords(outcomes)}`);
    }
    return `${count} schedules (seeds ${seed} to ${seed + count - 1}) of ${CHILDREN} children over 3 providers: ${inWords(outcomes)}.
0 hangs, 0 lost results, 0 statuses, costs or words that the servers' log does not bear out, 0 requests without their
start and end in the journal, 0 timers or requests left behind.`;
  },
};

function inWords(outcomes: readonly ScheduleOutcome[]): string {
  const sum = (of: (outcome: ScheduleOutcome) => number) => outcomes.reduce((total, outcome) => total + of(outcome), 0);
  const names = new Set(outcomes.flatMap(({ statuses }) => Object.keys(statuses)));
  const statuses = [...names].map((name) => `${sum((outcome) => outcome.statuses[name] ?? 0)} ${name}`);
  const hours = (sum(({ minutes }) => minutes) / 60).toFixed(1);
  return `${sum(({ requests }) => requests)} requests, ${sum(({ faults }) => faults)} of them faulty, in ${hours} hours of the run's own time; ${statuses.join(", ")}`;
}
