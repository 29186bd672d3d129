/**
 * The usage of a `chat_completions` answer, from whatever chunks report it: in the chunk, in its choice or in a vendor's
 * own field; once, with every chunk all so far, or with every chunk what is new.
 */
import type { JSONObject, LanguageModelV4Usage } from "@ai-sdk/provider";
import { isRecord } from "../../../values/record.ts";
import { countsIn, type TokenCounts, withNumbers } from "../reply/usage-counts.ts";

export type UsageSoFar = {
  /** The last counts; input and what is cached of it once, however often a 0 follows. */
  counts: TokenCounts;
  /** Sums of what earlier reports counted, for reports of what is new. */
  before: { output: number; reasoning: number };
  /** A count was smaller than the one before: reports tell what is new, unless the last one tells all. */
  fell: boolean;
  raw: JSONObject;
};

/** Adds what a chunk reports, if it does. */
export function addUsage(soFar: UsageSoFar | undefined, chunk: JSONObject, choice: unknown): UsageSoFar | undefined {
  const report = reportIn(chunk, choice);
  if (report === undefined) return soFar;
  const counts = countsIn(report);
  if (soFar === undefined) return { counts, before: { output: 0, reasoning: 0 }, fell: false, raw: report };
  const { counts: last, before } = soFar;
  return {
    counts: {
      ...last,
      ...counts,
      ...largest("input", last, counts, counts.input === 0),
      ...largest("cached", last, counts, true),
      ...largest("cacheWrite", last, counts, true),
    },
    before: {
      output: before.output + (counts.output === undefined ? 0 : (last.output ?? 0)),
      reasoning: before.reasoning + (counts.reasoning === undefined ? 0 : (last.reasoning ?? 0)),
    },
    fell: soFar.fell || (counts.output ?? Infinity) < (last.output ?? 0),
    raw: { ...soFar.raw, ...report },
  };
}

/** One of the two counts alone is not the usage: the other is not a number then. */
export function usageOf(soFar: UsageSoFar | undefined): LanguageModelV4Usage {
  const { counts = {}, before = { output: 0, reasoning: 0 }, fell = false, raw = {} } = soFar ?? {};
  const { input, cached, cacheWrite } = counts;
  const missing = input === undefined && counts.output === undefined ? undefined : Number.NaN;
  const isPiecemeal = fell && (counts.output ?? 0) < before.output;
  const output = isPiecemeal ? before.output + (counts.output ?? 0) : counts.output;
  const reasoning = isPiecemeal ? before.reasoning + (counts.reasoning ?? 0) : counts.reasoning;
  return {
    inputTokens: { total: input ?? missing, noCache: undefined, cacheRead: cached, cacheWrite },
    outputTokens: { total: output ?? missing, text: undefined, reasoning },
    raw,
  };
}

function largest(name: keyof TokenCounts, last: TokenCounts, counts: TokenCounts, applies: boolean): TokenCounts {
  const [earlier, later] = [last[name], counts[name]];
  return !applies || earlier === undefined || later === undefined ? {} : { [name]: Math.max(earlier, later) };
}

/** The first place that counts anything. */
function reportIn(chunk: JSONObject, choice: unknown): JSONObject | undefined {
  const { usage, x_groq: groq, timings } = chunk;
  if (isReport(usage)) return withNumbers(usage);
  const report = isRecord(choice) ? reportInChoice(choice) : undefined;
  if (report !== undefined) return withNumbers(report);
  // Groq: vercel/ai#1651.
  if (isRecord(groq) && isReport(groq.usage)) return groq.usage;
  if (chunk.prompt_eval_count !== undefined || chunk.prompt_tokens !== undefined) return withNumbers(countsOnly(chunk));
  return timings === undefined ? undefined : timingsReport(timings);
}

/** Moonshot: earendil-works/pi#2017. Others write it into what the choice says. */
function reportInChoice({ usage, delta, message }: Record<string, unknown>): JSONObject | undefined {
  if (isReport(usage)) return usage;
  if (isRecord(delta) && isReport(delta.usage)) return delta.usage;
  return isRecord(message) && isReport(message.usage) ? message.usage : undefined;
}

/** A chunk that counts by itself, as Ollama's own API does, without what else it tells. */
function countsOnly(chunk: JSONObject): JSONObject {
  return Object.fromEntries(Object.entries(chunk).filter(([name]) => /token|count/i.test(name)));
}

function isReport(value: unknown): value is JSONObject {
  return isRecord(value) && Object.values(value).some((count) => count !== null);
}

/** llama.cpp, where it reports no usage: ggml-org/llama.cpp#15827. */
function timingsReport(timings: unknown): JSONObject | undefined {
  if (!isRecord(timings)) return undefined;
  const { prompt_n: fresh, predicted_n: output, cache_n: cached = 0 } = timings;
  if (typeof fresh !== "number" || typeof output !== "number" || typeof cached !== "number") return undefined;
  return { prompt_tokens: fresh + cached, completion_tokens: output, cached_tokens: cached };
}
