/**
 * Checks the tokens that a provider reports for a request. Budgets are charged by them, so an impossible report is not
 * counted: neither one that returns money nor one that exceeds what the request could use.
 */
import type { Usage } from "../../../event.ts";
import type { WorstCase } from "../../worst-case.ts";

/**
 * `impossible`: an impossible count in the provider's own report, as text. `unnamed`: tokens that only the report's sum
 * holds; the output includes them.
 */
export type ReportedUsage = Usage & { impossible?: string; unnamed?: number };

/** Tolerance of a report above the worst case, which is an estimate: an order of magnitude. */
const MARGIN = 10;
/** Tokens that a gateway may add to a prompt without saying so. */
const HIDDEN_PROMPT_TOKENS = 10_000;

/** The request in tokens; `heardCharacters` of the answer had arrived. */
export type ExpectedUsage = Pick<WorstCase, "inputTokens" | "outputTokens"> & {
  /** The model's earlier output, including reasoning that is sent back to it invisibly. */
  saidTokens: number;
  heardCharacters: number;
};

/**
 * The usage to count; undefined if it is impossible. If more tokens were cached than there was input, the provider
 * counts those separately from the input. Reasoning may be separate from the output, too.
 */
export function plausibleUsage(
  { impossible, unnamed: _, ...usage }: ReportedUsage,
  asked: ExpectedUsage,
): Usage | undefined {
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

/** Deeper than any provider's report; anything below is ignored. */
const MAX_DEPTH = 8;

/**
 * The first impossible number of tokens in a provider's own report, as text. A sum of several may hide it. Other fields
 * (times, prices, tiers) may contain anything.
 * @param areTokens the report is a part of a field that counts tokens
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
