/**
 * A provider's own model list: its address in each of the four API modes, and the facts in its entries. Entries are
 * read by field names, which vendors and gateways share; missing facts stay unknown.
 */

import type { ApiMode, ModelFacts, Price } from "../../route.ts";
import { present } from "../../values/present.ts";
import { fieldsOf } from "../../values/record.ts";

/** The list's address, and headers in addition to the key's. */
export type ListRequest = { url: string; headers: Record<string, string> };
/** Facts by model id. */
export type ModelList = Record<string, ModelFacts>;

/** Maximum page size that the vendors allow. */
const PAGE = 1000;

export function listRequest(baseUrl: string, apiMode: ApiMode): ListRequest {
  switch (apiMode) {
    case "chat_completions":
    case "responses":
      return { url: `${baseUrl}/models`, headers: {} };
    case "anthropic_messages": {
      const versioned = /\/v\d+$/.test(baseUrl) ? baseUrl : `${baseUrl}/v1`;
      return { url: `${versioned}/models?limit=${PAGE}`, headers: { "anthropic-version": "2023-06-01" } };
    }
    case "gemini":
      return { url: `${baseUrl}/models?pageSize=${PAGE}`, headers: {} };
    default:
      return apiMode satisfies never;
  }
}

/** The text models in a list; undefined if it is not a model list. */
export function readModelList(answer: unknown, apiMode: ApiMode): ModelList | undefined {
  const entries = Array.isArray(answer) ? answer : (listIn(answer, "data") ?? listIn(answer, "models"));
  if (entries === undefined) return undefined;
  const models = entries.map(fieldsOf).flatMap((entry) => {
    const id = idOf(entry);
    return id === undefined || !writesText(entry) ? [] : [[id, factsOf(entry, apiMode)] as const];
  });
  return Object.fromEntries(models);
}

type ListFields = Record<string, unknown>;

function listIn(answer: unknown, name: string): unknown[] | undefined {
  const list = fieldsOf(answer)[name];
  return Array.isArray(list) ? list : undefined;
}

/** Gemini names its models `models/gemini-…`. */
function idOf({ id, name }: ListFields): string | undefined {
  const text = typeof id === "string" ? id : name;
  return typeof text === "string" && text !== "" ? text.replace(/^models\//, "") : undefined;
}

/** Lists include models for images, speech and embeddings; an entry without such information is accepted. */
function writesText({ architecture, supportedGenerationMethods: methods, capabilities, type }: ListFields): boolean {
  const outputs = fieldsOf(architecture).output_modalities;
  if (Array.isArray(outputs)) return outputs.includes("text");
  if (Array.isArray(methods)) return methods.includes("generateContent");
  if (fieldsOf(capabilities).completion_chat === false) return false;
  return typeof type !== "string" || !/image|video|audio|embed|rerank|moderation|transcri/.test(type);
}

/**
 * The longest answer is used only if the wire format requires a limit: elsewhere it would be sent too, and lists
 * contain numbers for which requests are rejected.
 */
function factsOf(entry: ListFields, apiMode: ApiMode): ModelFacts {
  const contextWindow = count(entry, CONTEXT_FIELDS);
  const maxOutputTokens = apiMode === "anthropic_messages" ? count(entry, ["max_tokens"]) : undefined;
  const price = priceOf(fieldsOf(entry.pricing));
  const vision = visionOf(entry);
  const tools = toolsOf(entry);
  return present({ contextWindow, maxOutputTokens, price, vision, tools });
}

/** Names of the context window at vendors, gateways and servers of open models. */
const CONTEXT_FIELDS = [
  "context_length",
  "context_window",
  "max_context_length",
  "max_model_len",
  "max_input_tokens",
  "inputTokenLimit",
];

/** The first of these fields that contains a count. */
function count(entry: ListFields, names: readonly string[]): number | undefined {
  return names
    .map((name) => entry[name])
    .find((value): value is number => Number.isSafeInteger(value) && Number(value) > 0);
}

/** OpenRouter's `pricing`, in USD per token: https://openrouter.ai/docs, "Models". A negative price means "varies". */
function priceOf({ prompt, completion, ...cache }: ListFields): Price | undefined {
  const input = perMillion(prompt);
  const output = perMillion(completion);
  const cachedInput = perMillion(cache.input_cache_read);
  const cacheWrite = perMillion(cache.input_cache_write);
  if (input === undefined || output === undefined) return undefined;
  return present({ input, output, cachedInput, cacheWrite });
}

function perMillion(perToken: unknown): number | undefined {
  const usd = typeof perToken === "string" && perToken.trim() !== "" ? Number(perToken) * 1_000_000 : Number.NaN;
  return Number.isFinite(usd) && usd >= 0 ? Number(usd.toFixed(6)) : undefined;
}

function visionOf({ architecture, capabilities, supports_image_input: fireworks }: ListFields): boolean | undefined {
  const inputs = fieldsOf(architecture).input_modalities;
  if (Array.isArray(inputs)) return inputs.includes("image");
  const { vision, image_input: image } = fieldsOf(capabilities);
  return [vision, fieldsOf(image).supported, fireworks].find((said) => typeof said === "boolean");
}

function toolsOf({
  supported_parameters: parameters,
  capabilities,
  supports_tools: fireworks,
}: ListFields): boolean | undefined {
  if (Array.isArray(parameters)) return parameters.includes("tools");
  return [fieldsOf(capabilities).function_calling, fireworks].find((said) => typeof said === "boolean");
}
