/** The wires whose responses a provider package reads, each imported when the first route uses it. */
import type { LanguageModelV4 } from "@ai-sdk/provider";
import type { ApiMode, Route } from "../../route.ts";
import { createStreamEnd, withErrorAtEnd } from "./failure/stream-end.ts";
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
import type { Wire } from "./wire.ts";

/** The packages require a key; the transport replaces this one with the real one. */
const PLACEHOLDER = "signed-by-deputy";

export async function openPackage(
  apiMode: Exclude<ApiMode, "chat_completions">,
  { model, endpoint: { baseUrl: baseURL } }: Pick<Route, "model" | "endpoint">,
): Promise<Wire> {
  switch (apiMode) {
    case "responses": {
      const { createOpenAI } = await import("@ai-sdk/openai");
      const wire = wireOf([responseEnds, wholeItems, openReasoningEvents], (fetch) =>
        createOpenAI({ baseURL, apiKey: PLACEHOLDER, fetch }).responses(model),
      );
      return (options, fetch, ...hearing) => wire(options, sendingOpenReasoning(fetch), ...hearing);
    }
    case "anthropic_messages": {
      const { createAnthropic } = await import("@ai-sdk/anthropic");
      const versioned = /\/v\d+$/.test(baseURL) ? baseURL : `${baseURL}/v1`;
      const wire = wireOf([wholeBlocks, thinkingBlockStarts], (fetch) =>
        createAnthropic({ baseURL: versioned, apiKey: PLACEHOLDER, fetch }).messages(model),
      );
      return (options, fetch, ...hearing) => {
        const { maxOutputTokens: limit } = options;
        const effort = effortIn(options);
        const ours = isVertexClaude(baseURL) ? vertexClaude(baseURL, fetch) : fetch;
        return wire(options, limit && effort ? thinkingWithin(limit, effort, ours) : ours, ...hearing);
      };
    }
    case "gemini": {
      const { createGoogleGenerativeAI } = await import("@ai-sdk/google");
      return wireOf([camelCaseFields, wholeGeminiUsage], (fetch) =>
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
function wireOf(rewriters: readonly Rewriter[], open: (fetch: Fetch) => LanguageModelV4): Wire {
  return withoutThinkTags(async (options, fetch, receive, onActivity) => {
    const end = createStreamEnd(onActivity);
    const model = open(rewriteEvents(fetch, rewriters, end));
    await withErrorAtEnd(end, receive, async (receive) => {
      const { stream } = await model.doStream(options);
      for await (const part of stream) receive(part);
    });
  });
}
