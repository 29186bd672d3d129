/**
 * Opens the wire of a route: the format of its endpoint, requests with the endpoint's query and version, and responses
 * that have to be streams.
 */
import type { Endpoint } from "../../route.ts";
import { withMarksInParts } from "./chat/cache-marks.ts";
import { readChat } from "./chat/chat-stream.ts";
import type { Dialect } from "./dialect/dialect.ts";
import { withQuery } from "./endpoint-query.ts";
import { eventBatches } from "./event-stream.ts";
import { NotAStream, parsedJson, saysError } from "./failure/error-body.ts";
import { refusalIn } from "./failure/refusal.ts";
import { createStreamEnd, withErrorAtEnd } from "./failure/stream-end.ts";
import { createVersionTrial } from "./missing-version.ts";
import type { Fetch } from "./transport.ts";
import type { Wire, WireRoute } from "./wire.ts";

export async function openWire(route: WireRoute, dialect: Dialect): Promise<Wire> {
  const { apiMode, baseUrl, query } = route.endpoint;
  const trying = createVersionTrial(baseUrl, apiMode);
  const wire = await openFormat(route, dialect);
  return (options, fetch, receive, onActivity) => {
    const reaching = trying((input, init) => fetch(withQuery(String(input), query), init));
    const toEndpoint: Fetch = async (input, init) => refuseDocument(await reaching(input, init), String(input));
    return wire(options, toEndpoint, receive, onActivity);
  };
}

async function openFormat(route: WireRoute, dialect: Dialect): Promise<Wire> {
  const { apiMode, framing } = route.endpoint;
  if (framing === "converse") {
    const { openConverse } = await import("./bedrock/converse.ts");
    return openConverse(route);
  }
  if (apiMode === "chat_completions") return openChat(route, dialect);
  const { openPackage } = await import("./package-wires.ts");
  return openPackage(apiMode, route);
}

/** The package writes the request; the stream is read here, see `chat-stream.ts`. */
async function openChat({ provider, model, endpoint }: WireRoute, dialect: Dialect): Promise<Wire> {
  const { OpenAICompatibleChatLanguageModel } = await import("@ai-sdk/openai-compatible");
  const url = `${endpoint.baseUrl}/chat/completions`;
  const chat = new OpenAICompatibleChatLanguageModel(model, {
    provider,
    url: () => url,
    transformRequestBody: (body) => inDialect(body, endpoint, dialect),
  });
  return async (options, fetch, receive, onActivity) => {
    const { body, warnings } = await chat.prepareRequest(options);
    receive({ type: "stream-start", warnings });
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "text/event-stream" },
      body: JSON.stringify({ ...body, stream: true, stream_options: { include_usage: true } }),
      signal: options.abortSignal ?? null,
    });
    if (!response.ok || response.body === null) throw await refusalIn(response, url);
    const end = createStreamEnd(onActivity);
    const batches = eventBatches(response.body, end);
    const toolNames = (options.tools ?? []).map(({ name }) => name);
    await withErrorAtEnd(end, receive, (receive) => readChat(batches, toolNames, receive));
  };
}

/** Throws for a whole document in place of a stream: it is an error, or the base URL is not that of an API. */
async function refuseDocument(response: Response, url: string): Promise<Response> {
  const type = response.headers.get("content-type") ?? "";
  if (!response.ok || !/text\/html|application\/(?:\w+\+)?json/.test(type)) return response;
  const refusal = await refusalIn(response, url);
  throw saysError(parsedJson(refusal.responseBody)) ? refusal : new NotAStream(type, refusal.responseBody);
}

/** Brings the package's body into the endpoint's form. */
function inDialect(
  body: Record<string, unknown>,
  { effortField }: Endpoint,
  { tokenLimitField, cacheBreakpoints }: Dialect,
): Record<string, unknown> {
  const { max_tokens: limit, ...rest } = body;
  const isRenamed = limit !== undefined && tokenLimitField !== "max_tokens";
  const named = isRenamed ? { ...rest, [tokenLimitField]: limit } : body;
  const marked = cacheBreakpoints ? withMarksInParts(named) : named;
  return effortField === "reasoning.effort" ? nestEffort(marked) : marked;
}

/** OpenRouter's form of the effort: https://openrouter.ai/docs, "Reasoning Tokens". */
function nestEffort({ reasoning_effort: effort, ...body }: Record<string, unknown>): Record<string, unknown> {
  return effort === undefined ? body : { ...body, reasoning: { effort } };
}
