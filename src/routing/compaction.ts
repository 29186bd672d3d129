/** Plans the compaction of children's conversations: the model that writes the summaries, and whether its window fits. */
import type { Config, ModelWishConfig } from "../config-schema.ts";
import type { Problem } from "../errors.ts";
import type { CompactionPlan } from "../plan.ts";
import type { Route } from "../route.ts";
import { present } from "../values/present.ts";
import type { Routed } from "./resolve/router.ts";

type Planner = (route: Route) => { compaction?: CompactionPlan } | { problem: Problem };

/** @param summarizer the route of `compaction.model` */
export function createCompactionPlanner(
  { delegation: { compaction } }: Config,
  summarizer: (model: ModelWishConfig) => Routed,
): Planner {
  if (compaction === "off") return () => ({});
  const { at, keep, model } = compaction;
  if (model === "inherit") return () => ({ compaction: { at, keep } });
  const routed = summarizer(model);
  if ("problem" in routed) {
    const { message, ...rest } = routed.problem;
    const problem = { ...rest, field: "delegation.compaction.model", message: `For summaries: ${message}` };
    return () => ({ problem });
  }
  return (route) => {
    const problem = tooSmall(routed.route, route);
    return problem === undefined ? { compaction: { at, keep, ...present({ route: routed.route }) } } : { problem };
  };
}

function tooSmall(summarizer: Route, { facts, model, provider }: Route): Problem | undefined {
  const { contextWindow } = summarizer.facts;
  if (contextWindow === undefined || facts.contextWindow === undefined || contextWindow >= facts.contextWindow)
    return undefined;
  return {
    code: "context-too-large",
    field: "delegation.compaction.model",
    message:
      `Expected a context window of at least ${facts.contextWindow} tokens, that of ${model} @ ${provider}; found ` +
      `${contextWindow} of ${summarizer.model} @ ${summarizer.provider}, which writes the summaries. Choose a model with ` +
      "a larger window for delegation.compaction.model, or inherit.",
    suggestions: [],
  };
}
