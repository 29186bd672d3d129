/**
 * The token counts in one report of a provider. Vendors spell them differently, and count cached or reasoning tokens
 * within the totals or beside them: which, is told by the sum that they report, else by the numbers themselves, since no
 * part is larger than its whole.
 */
import type { JSONObject, JSONValue } from "@ai-sdk/provider";
import { present } from "../../../values/present.ts";
import { isRecord } from "../../../values/record.ts";

/** Input with all that was cached of it, output with its reasoning; absent = not counted, NaN = no number is written there. */
export type TokenCounts = { [Name in "input" | "output" | "cached" | "cacheWrite" | "reasoning"]?: number };

/** Fields of a report. Where it spells one count in several ways they are the same tokens: the largest is taken. */
const SPELLINGS = {
  input: [
    "prompt_tokens",
    "input_tokens",
    "prompt_eval_count", // Ollama: https://github.com/ollama/ollama/blob/main/docs/api.md
    "promptTokens", // the AI SDK's names, behind gateways
    "inputTokens", // Bedrock, behind gateways
    "promptTokenCount", // Gemini, behind gateways
  ],
  output: [
    "completion_tokens",
    "output_tokens",
    "eval_count",
    "completionTokens",
    "outputTokens",
    "candidatesTokenCount",
  ],
  total: ["total_tokens", "totalTokens", "totalTokenCount"],
  cached: [
    "prompt_tokens_details.cached_tokens",
    "input_tokens_details.cached_tokens",
    "cached_tokens", // Moonshot: AstrBotDevs/AstrBot#6614
    "prompt_cache_hit_tokens", // DeepSeek: https://api-docs.deepseek.com/guides/kv_cache
    "cache_read_input_tokens", // Anthropic behind gateways: larsderidder/context-lens#51
    "input_cached_tokens",
    "num_cached_tokens", // vLLM's own name: vllm/outputs.py
    "prompt_tokens_details.num_cached_tokens",
    "cacheReadInputTokens", // Bedrock
    "cachedContentTokenCount", // Gemini
  ],
  cacheWrite: [
    "prompt_tokens_details.cache_write_tokens", // OpenAI: https://developers.openai.com/api/docs/guides/prompt-caching
    "input_tokens_details.cache_write_tokens",
    "prompt_tokens_details.cache_creation_input_tokens", // Alibaba
    "prompt_tokens_details.cache_creation_tokens", // LiteLLM
    "cache_creation_input_tokens", // Anthropic behind gateways
    "cache_write_tokens",
    "cacheWriteInputTokens", // Bedrock
  ],
  reasoning: [
    "completion_tokens_details.reasoning_tokens",
    "output_tokens_details.reasoning_tokens",
    "reasoning_tokens", // SGLang
    "thoughtsTokenCount", // Gemini
  ],
} as const;

/** The report with numbers where they are written as text: some gateways quote them. */
export function withNumbers(report: JSONObject): JSONObject {
  return Object.fromEntries(Object.entries(report).map(([name, value]) => [name, numberIn(name, value)]));
}

function numberIn(name: string, value: JSONValue | undefined): JSONValue | undefined {
  if (isRecord(value)) return withNumbers(value as JSONObject);
  const isCount = typeof value === "string" && /token|count/i.test(name) && /^\s*\d+(\.0+)?\s*$/.test(value);
  return isCount ? Number(value) : value;
}
/** Each spelling as the fields that lead to its count. */
const PATHS = Object.fromEntries(
  Object.entries(SPELLINGS).map(([name, spellings]) => [name, spellings.map((spelling) => spelling.split("."))]),
) as Record<keyof typeof SPELLINGS, string[][]>;

export function countsIn(report: unknown): TokenCounts {
  const reported = reportedIn(report);
  const beside = besides(reported, count(report, "total"), isAnthropic(report));
  const { input, output, cached, cacheWrite, reasoning } = reported;
  return present({
    input: input === undefined ? undefined : input + beside.input,
    output: output === undefined ? undefined : output + beside.output,
    cached,
    cacheWrite,
    reasoning,
  });
}

/** Tokens that only the sum of a report holds. They count as output, which costs the most; what they are, nobody said. */
export function unnamedTokens(report: unknown): number {
  return besides(reportedIn(report), count(report, "total"), isAnthropic(report)).unnamed;
}

function reportedIn(report: unknown): Reported {
  return {
    input: count(report, "input"),
    output: count(report, "output"),
    cached: count(report, "cached"),
    cacheWrite: count(report, "cacheWrite"),
    reasoning: count(report, "reasoning"),
  };
}

type Reported = { [Name in keyof Required<TokenCounts>]: number | undefined };

type Parts = { cached: number; cacheWrite: number; reasoning: number };

/** What is counted beside input and output, and `unnamed`: what the sum holds and no count names. */
function besides(reported: Reported, total: number | undefined, anthropic: boolean) {
  const { input = 0, output = 0, cached = 0, cacheWrite = 0, reasoning = 0 } = reported;
  const parts = { cached, cacheWrite, reasoning };
  const rest = (total ?? 0) - input - output;
  if (rest > 0) {
    const explained = EXPLANATIONS.map((explain) => explain(parts)).find((each) => each.input + each.output === rest);
    return { ...(explained ?? { input: 0, output: rest }), unnamed: explained === undefined ? rest : 0 };
  }
  const isWithinInput = cached + cacheWrite <= input && !(anthropic && total === undefined);
  return {
    input: isWithinInput ? 0 : cached + cacheWrite,
    // xAI counts so (UKGovernmentBEIS/inspect_ai#5528), and gateways add up its totals as if it did not.
    output: reasoning > output ? reasoning : 0,
    unnamed: 0,
  };
}

/** What may be beside, the likeliest first. */
const EXPLANATIONS: ((parts: Parts) => { input: number; output: number })[] = [
  ({ reasoning }) => ({ input: 0, output: reasoning }),
  ({ cached, cacheWrite }) => ({ input: cached + cacheWrite, output: 0 }),
  ({ cached }) => ({ input: cached, output: 0 }),
  ({ cacheWrite }) => ({ input: cacheWrite, output: 0 }),
  ({ cached, cacheWrite, reasoning }) => ({ input: cached + cacheWrite, output: reasoning }),
  ({ cached, reasoning }) => ({ input: cached, output: reasoning }),
  ({ cacheWrite, reasoning }) => ({ input: cacheWrite, output: reasoning }),
];

/** Anthropic's own counts: https://docs.anthropic.com/en/docs/build-with-claude/prompt-caching, `input_tokens`. */
function isAnthropic(report: unknown): boolean {
  if (!isRecord(report) || report.prompt_tokens !== undefined) return false;
  return report.cache_read_input_tokens !== undefined || report.cache_creation_input_tokens !== undefined;
}

function count(report: unknown, name: keyof typeof SPELLINGS): number | undefined {
  let largest: number | undefined;
  for (const path of PATHS[name]) {
    let value = report;
    for (const field of path) value = isRecord(value) ? value[field] : undefined;
    if (value === undefined || value === null) continue;
    // Something else than a number is no count, and not the same as none.
    const count = typeof value === "number" ? value : Number.NaN;
    largest = Math.max(largest ?? count, count);
  }
  return largest;
}
