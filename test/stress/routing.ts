/** Random batches over real HTTP, each compared with an oracle; a thousand to a round. */
import { type Tally, tryBatches } from "../support/routing-trial.ts";
import type { Part } from "./rounds.ts";

const BATCHES_PER_ROUND = 1_000;

export const routingPart: Part = {
  what: "random batches through the whole of routing",
  usualCount: 10_000,
  async run({ count, seed }, rounds) {
    const done = rounds.finished<Tally>();
    for (let from = done.length * BATCHES_PER_ROUND; from < count; from += BATCHES_PER_ROUND) {
      const tally = await tryBatches(seed, from, Math.min(BATCHES_PER_ROUND, count - from));
      done.push(tally);
      rounds.add(tally);
      console.log(`${from + tally.batches} batches, ${tally.requests} requests in this round`);
    }
    return report(count, seed, done);
  },
};

function report(count: number, seed: number, all: readonly Tally[]): string {
  const sum = (name: Exclude<keyof Tally, "chosenBy">) => all.reduce((total, tally) => total + tally[name], 0);
  const levels = [...new Set(all.flatMap(({ chosenBy }) => Object.keys(chosenBy)))].map(
    (level) => `${level} ${all.reduce((total, { chosenBy }) => total + (chosenBy[level] ?? 0), 0)}`,
  );
  return `${count} batches, seed ${seed}: ${sum("tasks")} tasks in those that started, ${sum("requests")} requests.
${sum("refused")} batches were refused as a whole and sent nothing; ${sum("rejected")} tasks were rejected beside others.
${sum("fallbacks")} children went on along declared fallbacks, ${sum("substituted")} tasks ran on a default after a bad wish.
${sum("nested")} tasks were delegated by children; ${sum("nestedRefused")} calls of children were refused as a whole.
${sum("projects")} batches were under a project's config, ${sum("budgeted")} under a budget.
${sum("pooled")} ran on a pool of keys; ${sum("out")} were for a vendor's own address, which the proxy alone heard of.
Fields chosen by: ${levels.join(", ")}.
0 requests misrouted, 0 keys at a foreign origin: all as the oracle says.`;
}
