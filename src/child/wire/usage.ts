/**
 * Whether the tokens that a provider reports for a request can be true. Budgets are settled by them, so a report that
 * cannot be true is not counted: neither one that gives money back nor one that takes more than the request could use.
 */
import type { Usage } from "../../event.ts";
import type { WorstCase } from "../worst-case.ts";

/** How far a report may exceed the worst case, which is an estimate: an order of magnitude. */
const MARGIN = 10;
/** What a gateway may put before a prompt without saying so, in tokens. */
const HIDDEN_PROMPT_TOKENS = 10_000;

/** What was asked, in tokens; `heardCharacters` had arrived of the answer. */
export type ExpectedUsage = Pick<WorstCase, "inputTokens" | "outputTokens"> & {
  /** What the model said earlier, with the reasoning that goes back to it unseen. */
  saidTokens: number;
  heardCharacters: number;
};

/**
 * The usage as it counts; undefined where it cannot be true. Where more tokens were cached than there was input, the
 * provider counts those beside the input and not in it. Reasoning may be beside the output, too.
 */
export function plausibleUsage(usage: Usage, asked: ExpectedUsage): Usage | undefined {
  const counts = [usage.input, usage.output, usage.cached, usage.reasoning];
  if (!counts.every((count) => Number.isSafeInteger(count) && count >= 0)) return undefined;
  const input = usage.cached > usage.input ? usage.input + usage.cached : usage.input;
  const mostInput = MARGIN * asked.inputTokens + HIDDEN_PROMPT_TOKENS + asked.saidTokens;
  const mostOutput = Math.max(MARGIN * asked.outputTokens, asked.heardCharacters);
  if (input > mostInput || Math.max(usage.output, usage.reasoning) > mostOutput) return undefined;
  return { ...usage, input };
}

/** `input -5, output 3, cached 0, reasoning 0`. */
export function usageInWords({ input, output, cached, reasoning }: Usage): string {
  const counts = Object.entries({ input, output, cached, reasoning });
  return counts.map(([name, count]) => `${name} ${Number.isNaN(count) ? "not a number" : count}`).join(", ");
}
