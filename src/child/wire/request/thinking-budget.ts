/**
 * Converts efforts to a budget of thinking tokens, for Anthropic's older models and those that use its format. The
 * provider package adds the budget to the answer's limit, and assumes 4,096 tokens for that limit if it does not know
 * the model: a limit would not be enforced, and `max` of one model could be less than `low` of another.
 */
import type { Effort } from "../../../route.ts";
import type { Fetch } from "../transport.ts";

/** Share of the whole answer's limit, as in the package for models it knows. */
const SHARE: Record<Effort, number> = {
  none: 0,
  minimal: 0.02,
  low: 0.1,
  medium: 0.3,
  high: 0.6,
  xhigh: 0.9,
  max: 0.95,
};
/** Minimum accepted budget, in tokens. https://docs.anthropic.com/en/docs/build-with-claude/extended-thinking */
const MIN_BUDGET = 1_024;
/** Reserved for the answer itself, in tokens. */
const MIN_ANSWER = 1_024;

/** Tokens for thinking within a limit of the whole answer; undefined where there is no room for both. */
export function thinkingBudget(limit: number, effort: Effort): number | undefined {
  const budget = Math.min(limit - MIN_ANSWER, Math.max(MIN_BUDGET, Math.round(limit * SHARE[effort])));
  return budget >= MIN_BUDGET ? budget : undefined;
}

/** Keeps thinking and answer together within `limit` tokens. Where there is no room for both, there is no thinking. */
export function thinkingWithin(limit: number, effort: Effort, fetch: Fetch): Fetch {
  const budget = thinkingBudget(limit, effort);
  return (input, init) => {
    if (typeof init?.body !== "string") return fetch(input, init);
    const { thinking, ...body } = JSON.parse(init.body);
    if (thinking?.type !== "enabled") return fetch(input, init);
    const within = {
      ...body,
      max_tokens: limit,
      ...(budget !== undefined && { thinking: { ...thinking, budget_tokens: budget } }),
    };
    return fetch(input, { ...init, body: JSON.stringify(within) });
  };
}
