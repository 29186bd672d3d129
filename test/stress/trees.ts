/** Random trees of delegations, stopped or cut off somewhere, each compared with what the servers received. */
import { playTree, type TreeOutcome } from "../support/tree-play.ts";
import type { Part } from "./rounds.ts";

export const treesPart: Part = {
  what: "random trees of delegations, held against the servers' own log",
  usualCount: 1_000,
  async run({ count, seed }, rounds) {
    const outcomes = rounds.finished<TreeOutcome>();
    if (outcomes.length > 0) console.log(`${outcomes.length} trees were finished before.`);
    for (let round = outcomes.length; round < count; round++) {
      const outcome = await playTree(seed + round);
      outcomes.push(outcome);
      rounds.add(outcome);
      if (outcomes.length % 100 === 0) console.log(`${outcomes.length} of ${count}: ${inWords(outcomes)}`);
    }
    return `${count} trees (seeds ${seed} to ${seed + count - 1}): ${inWords(outcomes)}.
0 hangs, 0 requests after a stop, 0 caps or budgets exceeded, 0 costs or counts that the servers' log does not bear out,
0 finished steps asked again, 0 results that a crash changed, 0 timers left behind.`;
  },
};

function inWords(outcomes: readonly TreeOutcome[]): string {
  const sum = (of: (outcome: TreeOutcome) => number) => outcomes.reduce((total, outcome) => total + of(outcome), 0);
  const kinds = (["plain", "stopped", "crashed"] as const).map(
    (kind) => `${outcomes.filter((outcome) => outcome.kind === kind).length} ${kind}`,
  );
  return `${sum(({ children }) => children)} children, ${sum(({ requests }) => requests)} requests, ${sum(({ faults }) => faults)} of them faulty; ${kinds.join(", ")}`;
}
