/**
 * The four wire formats, each with its provider package, imported when the first route uses it. A wire is a function
 * that sends a request and delivers the parts of the response as they arrive.
 */
import { APICallError, type LanguageModelV4, type LanguageModelV4CallOptions } from "@ai-sdk/provider";
import type { Endpoint, Route } from "../../route.ts";
import { readChat } from "./chat/chat-stream.ts";
import type { Dialect } from "./dialect/dialect.ts";
import { withQuery } from "./endpoint-query.ts";
import { eventBatches } from "./event-stream.ts";
import { NotAStream, parsedJson, saysError } from "./failure/error-body.ts";
import { createStreamEnd, type StreamEnd } from "./failure/stream-end.ts";
import { tryingVersion } from "./missing-version.ts";
import type { StreamPart } from "./reply/reply-builder.ts";
import { effortIn } from "./request/request.ts";
import { thinkingWithin } from "./request/thinking-budget.ts";
import { isVertexClaude, vertexClaude } from "./request/vertex-claude.ts";
import { textOf } from "./response-body.ts";
import { camelCaseFields } from "./rewrite/gemini-fields.ts";
import { wholeGeminiUsage } from "./rewrite/gemini-usage.ts";
import { wholeBlocks } from "./rewrite/messages-blocks.ts";
import { responseEnds } from "./rewrite/responses-end.ts";
import { wholeItems } from "./rewrite/responses-items.ts";
import { openReasoningEvents, sendingOpenReasoning } from "./rewrite/responses-reasoning.ts";
import { type Rewriter, rewriteEvents } from "./rewrite/rewrite-events.ts";
import { thinkingBlockStarts } from "./rewrite/thinking-blocks.ts";
import { withoutThinkTags } from "./rewrite/thinking-in-text.ts";
import type { Fetch } from "./transport.ts";

/** Resolves at the end of the response. */
export type Wire = (options: LanguageModelV4CallOptions, receive: Receive) => Promise<void>;
type Receive = (part: StreamPart) => void;

/** The packages require a key; the transport replaces this one with the real one. */
const PLACEHOLDER = "signed-by-deputy";
/** Maximum length read of an error response, in bytes. */
const MAX_ERROR_BYTES = 256 * 1024;

/** What requests over one wire have in common. The effort, like all else that a request may change, is in its options. */
export type WireRoute = Pick<Route, "provider" | "model" | "endpoint">;

export async function openWire(route: WireRoute, dialect: Dialect, plainFetch: Fetch): Promise<Wire> {
  const { model, endpoint } = route;
  const { baseUrl: baseURL, query } = endpoint;
  const ofEndpoint: Fetch = (input, init) => plainFetch(withQuery(String(input), query), init);
  const reaching = tryingVersion(baseURL, endpoint.apiMode, ofEndpoint);
  const fetch: Fetch = async (input, init) => refuseDocument(await reaching(input, init), String(input));
  if (endpoint.framing === "converse") {
    const { openConverse } = await import("./bedrock/converse.ts");
    return withoutThinkTags(openConverse(route, fetch, refusalIn));
  }
  switch (endpoint.apiMode) {
    case "chat_completions":
      return openChat(route, dialect, fetch);
    case "responses": {
      const { createOpenAI } = await import("@ai-sdk/openai");
      return wireOf(sendingOpenReasoning(fetch), [responseEnds, wholeItems, openReasoningEvents], (fetch) =>
        createOpenAI({ baseURL, apiKey: PLACEHOLDER, fetch }).responses(model),
      );
    }
    case "anthropic_messages": {
      const { createAnthropic } = await import("@ai-sdk/anthropic");
      const versioned = /\/v\d+$/.test(baseURL) ? baseURL : `${baseURL}/v1`;
      const ours = isVertexClaude(baseURL) ? vertexClaude(baseURL, fetch) : fetch;
      const speaking = (fetch: Fetch) =>
        wireOf(fetch, [wholeBlocks, thinkingBlockStarts], (fetch) =>
          createAnthropic({ baseURL: versioned, apiKey: PLACEHOLDER, fetch }).messages(model),
        );
      return (options, receive) => {
        const { maxOutputTokens: limit } = options;
        const effort = effortIn(options);
        return speaking(limit && effort ? thinkingWithin(limit, effort, ours) : ours)(options, receive);
      };
    }
    case "gemini": {
      const { createGoogleGenerativeAI } = await import("@ai-sdk/google");
      return wireOf(fetch, [camelCaseFields, wholeGeminiUsage], (fetch) =>
        createGoogleGenerativeAI({ baseURL, apiKey: PLACEHOLDER, fetch })(resourceName(model)),
      );
    }
    default:
      return endpoint.apiMode satisfies never;
  }
}

/** The package takes an id with a slash for a whole resource name, which it is only where it begins like one. */
function resourceName(model: string): string {
  return /^(models|tunedModels)\//.test(model) ? model : `models/${model}`;
}

/** @param open makes the package's model, which costs next to nothing; each request has a `fetch` of its own */
function wireOf(fetch: Fetch, rewriters: readonly Rewriter[], open: (fetch: Fetch) => LanguageModelV4): Wire {
  return withoutThinkTags(async (options: LanguageModelV4CallOptions, receive) => {
    const end = createStreamEnd();
    const model = open(rewriteEvents(fetch, rewriters, end.keep));
    await withErrorAtEnd(end, receive, async (receive) => {
      const { stream } = await model.doStream(options);
      for await (const part of stream) receive(part);
    });
  });
}

/**
 * Reads an answer. Where it ended without an end, or with something that the reader cannot read, its last bytes may hold
 * an error in a form that the reader does not know.
 */
async function withErrorAtEnd(
  end: StreamEnd,
  receive: Receive,
  read: (receive: Receive) => Promise<void>,
): Promise<void> {
  let isOver = false;
  const receiveError = (error: unknown) => receive({ type: "error", error });
  try {
    await read((part) => {
      const isUnread = !isOver && part.type === "error" && part.error instanceof Error;
      isOver ||= part.type === "error" || (part.type === "finish" && part.finishReason.raw !== undefined);
      if (isUnread) receiveError(end.error() ?? part.error);
      else receive(part);
    });
  } catch (thrown) {
    const error = APICallError.isInstance(thrown) ? undefined : end.error();
    if (error === undefined) throw thrown;
    return receiveError(error);
  }
  const error = isOver ? undefined : end.error();
  if (error !== undefined) receiveError(error);
}

/** The package writes the request; the stream is read here, see `chat-stream.ts`. */
async function openChat({ provider, model, endpoint }: WireRoute, dialect: Dialect, fetch: Fetch): Promise<Wire> {
  const { OpenAICompatibleChatLanguageModel } = await import("@ai-sdk/openai-compatible");
  const url = `${endpoint.baseUrl}/chat/completions`;
  const chat = new OpenAICompatibleChatLanguageModel(model, {
    provider,
    url: () => url,
    transformRequestBody: (body) => inDialect(body, endpoint, dialect),
  });
  return async (options, receive) => {
    const { body, warnings } = await chat.prepareRequest(options);
    receive({ type: "stream-start", warnings });
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "text/event-stream" },
      body: JSON.stringify({ ...body, stream: true, stream_options: { include_usage: true } }),
      signal: options.abortSignal ?? null,
    });
    if (!response.ok || response.body === null) throw await refusalIn(response, url);
    const end = createStreamEnd();
    const batches = eventBatches(response.body, end.keep);
    const toolNames = (options.tools ?? []).map(({ name }) => name);
    await withErrorAtEnd(end, receive, (receive) => readChat(batches, toolNames, receive));
  };
}

/** A page or a whole document is no stream: an error, or most often the base URL is not that of an API. */
async function refuseDocument(response: Response, url: string): Promise<Response> {
  const type = response.headers.get("content-type") ?? "";
  if (!response.ok || !/text\/html|application\/(?:\w+\+)?json/.test(type)) return response;
  const refusal = await refusalIn(response, url);
  throw saysError(parsedJson(refusal.responseBody)) ? refusal : new NotAStream(type, refusal.responseBody);
}

/** The package's body, with the names that the endpoint has for its fields. */
function inDialect(
  body: Record<string, unknown>,
  { effortField }: Endpoint,
  { tokenLimitField }: Dialect,
): Record<string, unknown> {
  const named = Object.entries(body).map(([name, value]) => [name === "max_tokens" ? tokenLimitField : name, value]);
  return effortField === "reasoning.effort" ? nestEffort(Object.fromEntries(named)) : Object.fromEntries(named);
}

/** OpenRouter's form of the effort: https://openrouter.ai/docs, "Reasoning Tokens". */
function nestEffort({ reasoning_effort: effort, ...body }: Record<string, unknown>): Record<string, unknown> {
  return effort === undefined ? body : { ...body, reasoning: { effort } };
}

/** Converts a provider's error response to an error that `failure.ts` reads. */
export async function refusalIn(response: Response, url: string): Promise<APICallError> {
  return new APICallError({
    message: response.statusText,
    url,
    requestBodyValues: undefined,
    statusCode: response.status,
    responseHeaders: Object.fromEntries(response.headers),
    responseBody: await textOf(response.body, MAX_ERROR_BYTES),
  });
}
