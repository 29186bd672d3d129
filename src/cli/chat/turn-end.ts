/** Says how a turn ended: nothing if it was answered, else why, and what helps. */

import { type Result, routeAt } from "../../result.ts";
import type { Run } from "../../run/run.ts";
import { formatUsd } from "../../text/money.ts";
import { oneLine } from "../terminal/terminal-text.ts";

export function turnProblem(result: Result, run: Run): string | undefined {
  if (result.status === "completed") return undefined;
  const said = result.error === null ? result.exit_reason : `${result.exit_reason} – ${result.error.message}`;
  const advice = ADVICE[result.exit_reason]?.(result, run);
  return oneLine(advice ?? `${result.status}: ${said}`);
}

type Advice = (result: Result, run: Run) => string;

const ADVICE: Record<string, Advice> = {
  "context-overflow": ({ model, provider }, run) => {
    const window = windowOf(run);
    const length = window === undefined ? "" : ` of ${window.toLocaleString("en")} tokens`;
    return `The conversation no longer fits the context window${length} of ${model} @ ${provider}. Switch to a model with a longer one (/models, /model ID), or start over with /new; deputy show ${run.delegationId}.1 still shows this conversation.`;
  },
  max_iterations: () =>
    "This message used all of its requests (delegation.max_iterations). Send another message to continue.",
  max_cost: (_, run) =>
    `This conversation has reached its limit of ${formatUsd(run.call.max_cost_usd ?? 0)}. To continue: deputy chat --resume ${run.delegationId} --max-cost USD`,
  output_cut: () => "The answer was cut at the model's maximum output. Say “continue” for the rest.",
  unauthorized: ({ provider, error }) =>
    `${provider} rejects the key: ${error?.message ?? ""} Check it with deputy doctor, or change the provider with /model.`,
};

function windowOf({ children }: Run): number | undefined {
  const tally = children[0]?.tally;
  return tally && "route" in tally.planned ? routeAt(tally.planned, tally.position).facts.contextWindow : undefined;
}
