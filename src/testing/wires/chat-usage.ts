/** The places and names of usage in Chat Completions. */
import type { JsonFields } from "../json-fields.ts";
import type { ScriptedReply } from "../turn.ts";

/**
 * Where a stream has its usage: in a last chunk without choices, if the request asks for it (OpenAI); in the chunk that
 * names the finish; in that chunk's choice (Kimi); in `x_groq` of that chunk.
 */
export type UsagePlace = "last-chunk" | "finish-chunk" | "choice" | "x_groq";

/** Names of the tokens read from a cache. DeepSeek also counts the others. */
export type CachedName = "prompt_tokens_details" | "cached_tokens" | "prompt_cache_hit_tokens" | "none";

/** Where the tokens of reasoning are counted, all of them also in the output. */
export type ReasoningCount = "completion_tokens_details" | "reasoning_tokens" | "none";

const CACHED: Record<CachedName, (input: number, cached: number) => JsonFields> = {
  none: () => ({}),
  prompt_tokens_details: (_, cached) => ({ prompt_tokens_details: { audio_tokens: 0, cached_tokens: cached } }),
  cached_tokens: (_, cached) => ({ cached_tokens: cached }),
  prompt_cache_hit_tokens: (input, cached) => ({
    prompt_cache_hit_tokens: cached,
    prompt_cache_miss_tokens: input - cached,
  }),
};

const REASONING: Record<ReasoningCount, (reasoning: number) => JsonFields> = {
  none: () => ({}),
  reasoning_tokens: (reasoning) => ({ reasoning_tokens: reasoning }),
  completion_tokens_details: (reasoning) => ({
    completion_tokens_details: {
      accepted_prediction_tokens: 0,
      audio_tokens: 0,
      reasoning_tokens: reasoning,
      rejected_prediction_tokens: 0,
    },
  }),
};

type CountNames = { cached: CachedName; reasoningCount: ReasoningCount };

export function chatUsage({ usage }: ScriptedReply, { cached, reasoningCount }: CountNames): JsonFields {
  return {
    prompt_tokens: usage.input,
    completion_tokens: usage.output,
    total_tokens: usage.input + usage.output,
    ...CACHED[cached](usage.input, usage.cached),
    ...REASONING[reasoningCount](usage.reasoning),
  };
}

/** What the chunk that names the finish carries: fields of its choice, and its own. */
export function usageAtFinish(
  place: UsagePlace,
  usage: JsonFields,
  id: string,
): { choice?: JsonFields; chunk?: JsonFields } {
  switch (place) {
    case "last-chunk":
      return {};
    case "finish-chunk":
      return { chunk: { usage } };
    case "choice":
      return { choice: { usage } };
    case "x_groq":
      return { chunk: { x_groq: { id: `req_${id}`, usage } } };
    default:
      return place satisfies never;
  }
}
