/**
 * The four wire formats, each by its provider package, imported when the first route speaks it. A wire is a function
 * from what is asked to the parts of the answer, as they arrive.
 */
import {
  APICallError,
  type LanguageModelV4,
  type LanguageModelV4CallOptions,
  type LanguageModelV4StreamPart,
} from "@ai-sdk/provider";
import type { Route } from "../../route.ts";
import { chatParts } from "./chat-stream.ts";
import { wholeGeminiUsage } from "./gemini-usage.ts";
import { wholeBlocks } from "./messages-blocks.ts";
import { wholeItems } from "./responses-items.ts";
import { rewriteEvents } from "./rewrite-events.ts";
import { thinkingWithin } from "./thinking-budget.ts";
import type { Fetch } from "./transport.ts";

export type Wire = (options: LanguageModelV4CallOptions) => AsyncIterable<LanguageModelV4StreamPart>;

/** The packages want a key of their own; the transport puts the real one in its place. */
const PLACEHOLDER = "signed-by-deputy";
/** As much of a refusal as is read, in bytes. */
const MAX_ERROR_BYTES = 256 * 1024;

export async function openWire(route: Route, plainFetch: Fetch): Promise<Wire> {
  const { model, endpoint } = route;
  const fetch: Fetch = async (input, init) => refuseDocument(await plainFetch(input, init));
  const { baseUrl: baseURL } = endpoint;
  switch (endpoint.apiMode) {
    case "chat_completions":
      return openChat(route, fetch);
    case "responses": {
      const { createOpenAI } = await import("@ai-sdk/openai");
      const speaking = rewriteEvents(fetch, [wholeItems]);
      return wireOf(createOpenAI({ baseURL, apiKey: PLACEHOLDER, fetch: speaking }).responses(model));
    }
    case "anthropic_messages": {
      const { createAnthropic } = await import("@ai-sdk/anthropic");
      const versioned = /\/v\d+$/.test(baseURL) ? baseURL : `${baseURL}/v1`;
      const speaking = (plain: Fetch) => {
        const fetch = rewriteEvents(plain, [wholeBlocks]);
        return wireOf(createAnthropic({ baseURL: versioned, apiKey: PLACEHOLDER, fetch }).messages(model));
      };
      const { effort } = route;
      return (options) => {
        const { maxOutputTokens: limit } = options;
        return speaking(limit && effort ? thinkingWithin(limit, effort, fetch) : fetch)(options);
      };
    }
    case "gemini": {
      const { createGoogleGenerativeAI } = await import("@ai-sdk/google");
      const speaking = rewriteEvents(fetch, [wholeGeminiUsage]);
      return wireOf(createGoogleGenerativeAI({ baseURL, apiKey: PLACEHOLDER, fetch: speaking })(resourceName(model)));
    }
    default:
      return endpoint.apiMode satisfies never;
  }
}

/** The package takes an id with a slash for a whole resource name, which it is only where it begins like one. */
function resourceName(model: string): string {
  return /^(models|tunedModels)\//.test(model) ? model : `models/${model}`;
}

function wireOf(model: LanguageModelV4): Wire {
  return async function* (options) {
    const { stream } = await model.doStream(options);
    yield* stream;
  };
}

/** The package writes the request; the stream is read here, see `chat-stream.ts`. */
async function openChat({ provider, model, endpoint }: Route, fetch: Fetch): Promise<Wire> {
  const { OpenAICompatibleChatLanguageModel } = await import("@ai-sdk/openai-compatible");
  const url = `${endpoint.baseUrl}/chat/completions`;
  const chat = new OpenAICompatibleChatLanguageModel(model, {
    provider,
    url: () => url,
    ...(endpoint.effortField === "reasoning.effort" && { transformRequestBody: nestEffort }),
  });
  return async function* (options) {
    const { body, warnings } = await chat.prepareRequest(options);
    yield { type: "stream-start", warnings };
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "text/event-stream" },
      body: JSON.stringify({ ...body, stream: true, stream_options: { include_usage: true } }),
      signal: options.abortSignal ?? null,
    });
    if (!response.ok || response.body === null) throw await refusalIn(response, url);
    yield* chatParts(
      response.body,
      (options.tools ?? []).map(({ name }) => name),
    );
  };
}

/** A page or a whole document is no stream: most often the base URL is not that of an API. */
function refuseDocument(response: Response): Response {
  const type = response.headers.get("content-type") ?? "";
  if (!response.ok || !/text\/html|application\/json/.test(type)) return response;
  const error = new Error(`expected a stream of events; found ${type}. Check base_url, and that the model streams`);
  error.name = "NotAStream";
  throw error;
}

/** OpenRouter's form of the same wish: https://openrouter.ai/docs, "Reasoning Tokens". */
function nestEffort({ reasoning_effort: effort, ...body }: Record<string, unknown>): Record<string, unknown> {
  return effort === undefined ? body : { ...body, reasoning: { effort } };
}

/** What a provider says no with, as an error that `failure.ts` reads. */
export async function refusalIn(response: Response, url: string): Promise<APICallError> {
  const responseBody = await textOf(response.body, MAX_ERROR_BYTES);
  return new APICallError({
    message: messageIn(responseBody) ?? response.statusText,
    url,
    requestBodyValues: undefined,
    statusCode: response.status,
    responseHeaders: Object.fromEntries(response.headers),
    responseBody,
  });
}

export async function textOf(body: ReadableStream<Uint8Array> | null, maxBytes = Infinity): Promise<string> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of body ?? []) {
    pieces.push(piece);
    length += piece.length;
    if (length > maxBytes) break;
  }
  return Buffer.concat(pieces).toString();
}

/** `{error: {message}}`, `{error: "…"}`, `{message}`: gateways agree on no form. */
function messageIn(text: string): string | undefined {
  try {
    const body = JSON.parse(text);
    return [body?.error?.message, body?.error, body?.message, body?.detail].find((said) => typeof said === "string");
  } catch {
    return undefined;
  }
}
