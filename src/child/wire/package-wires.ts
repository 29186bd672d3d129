/** The wires whose responses a provider package reads, each imported when the first route uses it. */
import type { LanguageModelV4, LanguageModelV4CallOptions } from "@ai-sdk/provider";
import type { ApiMode, Route } from "../../route.ts";
import type { OnActivity } from "./event-stream.ts";
import { createStreamEnd, withErrorAtEnd } from "./failure/stream-end.ts";
import type { Receive } from "./reply/reply-builder.ts";
import { effortIn } from "./request/request.ts";
import { thinkingWithin } from "./request/thinking-budget.ts";
import { isVertexClaude, vertexClaude } from "./request/vertex-claude.ts";
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

/** The packages require a key; the transport replaces this one with the real one. */
const PLACEHOLDER = "signed-by-deputy";

export async function openPackage(
  apiMode: Exclude<ApiMode, "chat_completions">,
  { model, endpoint: { baseUrl: baseURL } }: Pick<Route, "model" | "endpoint">,
  fetch: Fetch,
) {
  switch (apiMode) {
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
      return (options: LanguageModelV4CallOptions, receive: Receive, onActivity: OnActivity) => {
        const { maxOutputTokens: limit } = options;
        const effort = effortIn(options);
        return speaking(limit && effort ? thinkingWithin(limit, effort, ours) : ours)(options, receive, onActivity);
      };
    }
    case "gemini": {
      const { createGoogleGenerativeAI } = await import("@ai-sdk/google");
      return wireOf(fetch, [camelCaseFields, wholeGeminiUsage], (fetch) =>
        createGoogleGenerativeAI({ baseURL, apiKey: PLACEHOLDER, fetch })(resourceName(model)),
      );
    }
    default:
      return apiMode satisfies never;
  }
}

/** The package takes every id with a slash for a resource name; only ids with these prefixes are. */
function resourceName(model: string): string {
  return /^(models|tunedModels)\//.test(model) ? model : `models/${model}`;
}

/** @param open makes the package's model, which is cheap: each request makes one with its own `fetch` */
function wireOf(fetch: Fetch, rewriters: readonly Rewriter[], open: (fetch: Fetch) => LanguageModelV4) {
  return withoutThinkTags(async (options: LanguageModelV4CallOptions, receive, onActivity) => {
    const end = createStreamEnd(onActivity);
    const model = open(rewriteEvents(fetch, rewriters, end));
    await withErrorAtEnd(end, receive, async (receive) => {
      const { stream } = await model.doStream(options);
      for await (const part of stream) receive(part);
    });
  });
}
