/**
 * Estimates a planned call: for each task, one request with the prompt it would get and an answer of an assumed length.
 * The number of a child's requests is unknown before it runs, so nothing beyond that is estimated.
 */
import { toolsFor } from "../../child/offered-tools.ts";
import { ASSUMED_ANSWER_TOKENS, estimatedInputTokens } from "../../child/worst-case.ts";
import type { Planned, Ready } from "../../plan.ts";
import type { Call } from "../../task.ts";
import { present } from "../../values/present.ts";
import type { Setup } from "../setup/setup.ts";
import { createPrompts, createSkillsOf } from "../work/prompts.ts";
import { mayReadSkills } from "../work/toolbox.ts";

/** The estimate of one request. `usd` is absent if the price is unknown. */
export type RequestEstimate = { inputTokens: number; outputTokens: number; usd?: number };

export type Estimates = {
  /** In task order; undefined for a task that cannot start. */
  tasks: (RequestEstimate | undefined)[];
  /** USD that the whole call may cost at most, from its limit and the config's; absent = no limit. */
  limitUsd?: number;
};

type PlannedCall = { planned: readonly Planned[]; call: Call; agents: Record<string, string>; setup: Setup };

export async function estimate({ planned, call, agents, setup }: PlannedCall, surface: string): Promise<Estimates> {
  const prompts = createPrompts({ call, agents, surface }, setup);
  const skillsOf = createSkillsOf(setup);
  const { signal } = new AbortController();

  async function ofTask(ready: Ready): Promise<RequestEstimate> {
    const own = toolsFor(ready.route, setup.tools(ready.toolsets, ready));
    const skills = await skillsOf(ready, signal);
    const tools = [
      ...own,
      ...(mayReadSkills(ready, own, skills) ? [{ name: "read_skill" }] : []),
      ...(ready.role === undefined ? [] : DELEGATION_TOOLS),
    ];
    const { prompt } = await prompts(ready, tools, skills, signal);
    const characters = (ready.files ?? []).reduce(
      (sum, { bytes }) => sum + bytes,
      prompt.system.length + prompt.user.length,
    );
    const input = estimatedInputTokens(characters, tools.length, ready.images?.length ?? 0);
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

const DELEGATION_TOOLS = [{ name: "delegate_task" }, { name: "list_models" }];
