/**
 * Whether the tokens that a provider reports for a request can be true. Budgets are settled by them, so a report that
 * cannot be true is not counted: neither one that gives money back nor one that takes more than the request could use.
 */
import type { Usage } from "../../event.ts";
import type { WorstCase } from "../worst-case.ts";

/** `impossible`: what the provider's own report says of some tokens that no count can be, in words. */
export type ReportedUsage = Usage & { impossible?: string };

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
export function plausibleUsage({ impossible, ...usage }: ReportedUsage, asked: ExpectedUsage): Usage | undefined {
  if (impossible !== undefined) return undefined;
  const counts = [usage.input, usage.output, usage.cached, usage.reasoning, usage.cacheWrite ?? 0];
  if (!counts.every((count) => Number.isSafeInteger(count) && count >= 0)) return undefined;
  const input = usage.cached > usage.input ? usage.input + usage.cached : usage.input;
  const mostInput = MARGIN * asked.inputTokens + HIDDEN_PROMPT_TOKENS + asked.saidTokens;
  const mostOutput = Math.max(MARGIN * asked.outputTokens, asked.heardCharacters);
  if (input > mostInput || (usage.cacheWrite ?? 0) > input) return undefined;
  if (Math.max(usage.output, usage.reasoning) > mostOutput) return undefined;
  return { ...usage, input };
}

/** `input -5, output 3, cached 0, reasoning 0`. */
export function usageInWords({ input, output, cached, reasoning, impossible }: ReportedUsage): string {
  const counts = Object.entries({ input, output, cached, reasoning });
  const words = counts.map(([name, count]) => `${name} ${Number.isNaN(count) ? "not a number" : count}`);
  return [...words, ...(impossible === undefined ? [] : [`of that ${impossible}`])].join(", ");
}

/** Deeper than any provider's report; what lies below is not looked at. */
const MAX_DEPTH = 8;

/**
 * The first number of tokens in a provider's own report that cannot be one, in words. A sum of several may hide it.
 * Other fields (times, prices, tiers) may hold anything.
 * @param areTokens the report is a part of a field that is about tokens
 */
export function impossibleTokens(report: unknown, areTokens = false, depth = 0): string | undefined {
  if (typeof report !== "object" || report === null || depth > MAX_DEPTH) return undefined;
  for (const [name, value] of Object.entries(report)) {
    const named = /token/i.test(name);
    const isCount = (named || areTokens) && typeof value === "number";
    if (isCount && !(Number.isFinite(value) && value >= 0)) return `${name} ${value}`;
    if (named && (typeof value === "string" || typeof value === "boolean")) return `${name} not a number`;
    const below = impossibleTokens(value, areTokens || named, depth + 1);
    if (below !== undefined) return below;
  }
  return undefined;
}
