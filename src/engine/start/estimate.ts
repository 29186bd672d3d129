/**
 * Estimates a planned call: for each task, one request with the prompt it would get and an answer of an assumed length.
 * The number of a child's requests is unknown before it runs, so nothing beyond that is estimated.
 */
import { ASSUMED_ANSWER_TOKENS, estimatedInputTokens } from "../../child/worst-case.ts";
import type { Ready } from "../../plan.ts";
import { present } from "../../values/present.ts";
import { createFirstRequests, type PlannedCall } from "./first-requests.ts";

/** The estimate of one request. `usd` is absent if the price is unknown. */
export type RequestEstimate = { inputTokens: number; outputTokens: number; usd?: number };

export type Estimates = {
  /** In task order; undefined for a task that cannot start. */
  tasks: (RequestEstimate | undefined)[];
  /** USD that the whole call may cost at most, from its limit and the config's; absent = no limit. */
  limitUsd?: number;
};

export async function estimate(plannedCall: PlannedCall, surface: string): Promise<Estimates> {
  const { planned, call, setup } = plannedCall;
  const firstRequestOf = createFirstRequests(plannedCall, surface);

  async function ofTask(ready: Ready): Promise<RequestEstimate> {
    const { system, task, tools, delegationTools } = await firstRequestOf(ready);
    const toolCount = tools.length + delegationTools.length;
    const input = estimatedInputTokens(system + task, toolCount, ready.images?.length ?? 0);
    const output = ASSUMED_ANSWER_TOKENS;
    const isPriced = ready.route.facts.price !== undefined;
    const usd = isPriced ? setup.price(ready.route, { input, output, cached: 0, reasoning: 0 }) : undefined;
    return { inputTokens: input, outputTokens: output, ...present({ usd }) };
  }

  const limits = [call.max_cost_usd, setup.config.delegation.max_cost_usd].filter((usd) => usd !== undefined);
  return {
    tasks: await Promise.all(planned.map((entry) => ("route" in entry ? ofTask(entry) : undefined))),
    ...(limits.length > 0 && { limitUsd: Math.min(...limits) }),
  };
}
