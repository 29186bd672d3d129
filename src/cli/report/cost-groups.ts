/** Adds up usage by model, provider, day, tag, agent or run. */
import type { UsageShare } from "../../engine/engine.ts";
import { costIn, sumOf, type UsageTotals } from "../../result.ts";

/** Names of the groups that a share of the usage counts in. */
const NAMES_IN = {
  model: ({ model, provider }) => [`${model} @ ${provider}`],
  provider: ({ provider }) => [provider],
  day: ({ period }) => [period],
  tag: ({ tags }) => (tags.length === 0 ? ["(no tag)"] : [...new Set(tags)]),
  agent: ({ agent }) => [agent ?? "(no agent)"],
  run: ({ runId }) => [runId],
} as const satisfies Record<string, (share: UsageShare) => string[]>;

export type CostKey = keyof typeof NAMES_IN;

export const COST_KEYS = Object.keys(NAMES_IN);

/** A sum of usage with the known part of its cost. */
export type CostSum = UsageTotals & { knownUsd: number; isComplete: boolean };
export type CostGroup = CostSum & { name: string };
export type Costs = { groups: CostGroup[]; total: CostSum };

/** Adds up shares as they are read: days and runs newest first, the rest by cost. */
export async function costsOf(shares: AsyncIterable<UsageShare>, by: CostKey): Promise<Costs> {
  const groups = new Map<string, CostGroup>();
  let total = addedUp(undefined, sumOf([]));
  for await (const share of shares) {
    total = addedUp(total, share.used);
    for (const name of NAMES_IN[by](share)) groups.set(name, { name, ...addedUp(groups.get(name), share.used) });
  }
  const found = [...groups.values()];
  if (by === "run") found.reverse();
  else if (by === "day") found.sort((one, other) => (one.name < other.name ? 1 : -1));
  else found.sort((one, other) => other.knownUsd - one.knownUsd || other.apiCalls - one.apiCalls);
  return { groups: found, total };
}

/** A request without a price adds nothing to the known part, and makes the sum incomplete. */
function addedUp(sum: CostSum | undefined, used: UsageTotals): CostSum {
  const { usd } = costIn(used);
  const knownUsd = usd ?? used.costUsd + (used.uncertainUsd ?? 0);
  return {
    ...sumOf(sum === undefined ? [used] : [sum, used]),
    knownUsd: (sum?.knownUsd ?? 0) + knownUsd,
    isComplete: (sum?.isComplete ?? true) && usd !== null,
  };
}
