/** Converts a route and a conversation to the form of the provider packages. */
import { createHash } from "node:crypto";
import type {
  LanguageModelV4CallOptions,
  LanguageModelV4FunctionTool,
  LanguageModelV4Message,
  LanguageModelV4Prompt,
  SharedV4ProviderOptions,
} from "@ai-sdk/provider";
import type { RejectedParameter } from "../../../event.ts";
import type { Image } from "../../../image.ts";
import type { Effort, Route } from "../../../route.ts";
import type { Access } from "../../../secret.ts";
import type { Tool } from "../../../tool.ts";
import { present } from "../../../values/present.ts";
import type { ImageBytes } from "../../image-room.ts";
import type { Message } from "../../message.ts";
import { CALL_ID_FORMS, type Dialect } from "../dialect/dialect.ts";
import { withDistinctIds } from "./call-ids.ts";
import { inOrder } from "./message-order.ts";
import { createResultImages, imagePart } from "./result-images.ts";
import { sentBack } from "./sent-back.ts";
import type { ToolList } from "./tool-list.ts";

export type ModelCall = {
  route: Route;
  access: Access;
  /** Name of the key in `access`, for messages. */
  keyName?: string;
  system: string;
  messages: Message[];
  /** Shown before the text of the first message. */
  images: readonly Image[];
  /** Bytes, in base64, of the images in tool results, by hash. */
  imageBytes?: ImageBytes;
  tools: readonly Tool[];
  /** The tools as an earlier request offered them, instead of `tools`. */
  toolList?: ToolList;
  /** Optional parameters that earlier requests of this conversation were refused for. */
  leftOut?: readonly RejectedParameter[];
  /** The model must answer, without tool calls. */
  mustAnswer: boolean;
  /** Lowers the limit of the route's facts; absent = no change. */
  maxOutputTokens?: number;
  /** Longest silence before the request counts as stalled, in milliseconds; 0 = no limit. */
  stallMs: number;
};

/** Sent for an unknown model if the wire format requires a limit. */
const DEFAULT_MAX_OUTPUT_TOKENS = 16_384;

/** @internal Names types of the provider packages. */
export function callOptions(
  call: ModelCall,
  dialect: Dialect,
  tools: LanguageModelV4FunctionTool[],
  abortSignal: AbortSignal,
): LanguageModelV4CallOptions {
  const { route, mustAnswer, maxOutputTokens } = call;
  const limit = maxOutputTokens ?? outputLimit(route);
  return {
    prompt: promptOf({ ...call, messages: withDistinctIds(call.messages) }, dialect, tools.length > 0),
    ...present({ maxOutputTokens: limit }),
    ...(tools.length === 0 ? {} : { tools, toolChoice: { type: mustAnswer ? "none" : "auto" } }),
    ...present({ reasoning: route.effort }),
    providerOptions: modeOptions(route, dialect),
    // Gemini's package drops what the response calls the model; the raw chunks have it.
    includeRawChunks: route.endpoint.apiMode === "gemini",
    abortSignal,
  };
}

/** The effort that a request asks for; undefined = the model's default. @internal */
export function effortIn({ reasoning }: LanguageModelV4CallOptions): Effort | undefined {
  return reasoning === "provider-default" ? undefined : reasoning;
}

/** Maximum tokens of one answer, as sent; absent if the provider's own default is a better choice. */
export function outputLimit({ facts, endpoint }: Pick<Route, "facts" | "endpoint">): number | undefined {
  const isDemanded = endpoint.apiMode === "anthropic_messages" && endpoint.framing === undefined;
  return facts.maxOutputTokens ?? (isDemanded ? DEFAULT_MAX_OUTPUT_TOKENS : undefined);
}

function modeOptions({ endpoint, effort }: Route, dialect: Dialect): SharedV4ProviderOptions {
  if (endpoint.apiMode === "anthropic_messages") return { anthropic: { toolStreaming: dialect.eagerToolInput } };
  if (endpoint.apiMode !== "responses") return {};
  // Nothing is stored at the provider: the conversation is Deputy's. Effort is sent whether or not the package knows
  // the model.
  return {
    openai: {
      store: false,
      ...(dialect.encryptedReasoning && { include: ["reasoning.encrypted_content"] }),
      ...(effort === undefined ? {} : { forceReasoning: true, reasoningSummary: null }),
    },
  };
}

/** @param isContinued further requests of the conversation will follow */
function promptOf(call: ModelCall, dialect: Dialect, isContinued: boolean): LanguageModelV4Prompt {
  const { route, system, messages, images } = call;
  const prompt: LanguageModelV4Prompt = [{ role: "system", content: system }];
  const idOf = callIds(messages, route.provider, dialect);
  const resultImages = createResultImages(call);
  for (const [index, message] of messages.entries()) {
    const spoken = promptMessage(resultImages.withoutImages(message), route, dialect, idOf);
    const last = prompt.at(-1);
    // All results of one answer's calls belong in one message.
    if (spoken.role === "tool" && last?.role === "tool") last.content.push(...spoken.content);
    else prompt.push(spoken);
    if (messages[index + 1]?.role !== "tool") prompt.push(...resultImages.takeGathered());
  }
  const ordered = inOrder(prompt, dialect);
  const task = ordered.find(({ role }) => role === "user");
  if (task?.role === "user") task.content.unshift(...images.map(imagePart));
  if (dialect.cacheBreakpoints) markForCache(ordered, isContinued);
  return ordered;
}

/**
 * Marks where the provider's cache of the prompt may end: after what siblings share, and, if more requests will follow,
 * after this one and after the one before, which is then found again.
 */
function markForCache(prompt: LanguageModelV4Prompt, isContinued: boolean): void {
  const asked = prompt.filter((message) => message.role === "user" || message.role === "tool").slice(-2);
  const ends = isContinued ? asked.map(({ content }) => content.at(-1)) : [];
  for (const end of [prompt[0], ...ends]) if (end !== undefined) end.providerOptions = CACHE_MARK;
}

/** For Anthropic's format and Converse, and for `chat_completions`. */
const CACHE_MARK: SharedV4ProviderOptions = {
  anthropic: { cacheControl: { type: "ephemeral" } },
  openaiCompatible: { cache_control: { type: "ephemeral" } },
};

/**
 * Ids of calls as the vendor takes them. Another provider's ids mean nothing to it, and it rejects ids that do not have
 * its own form.
 */
function callIds(messages: Message[], provider: string, { toolCallIds }: Dialect): (callId: string) => string {
  const changed = new Map<string, string>();
  for (const message of messages) {
    if (message.role !== "assistant") continue;
    for (const part of message.parts) {
      if (part.type !== "tool-call") continue;
      const isForeign = message.provider !== provider;
      if (isForeign || !CALL_ID_FORMS[toolCallIds].test(part.callId)) changed.set(part.callId, plainId(part.callId));
    }
  }
  return (callId) => changed.get(callId) ?? callId;
}

/**
 * Nine letters and digits, which everyone takes. The same for the same id, so that a prompt stays the same from step to
 * step and its cache holds.
 */
function plainId(callId: string): string {
  return createHash("sha256").update(callId).digest("hex").slice(0, 9);
}

function promptMessage(
  message: Message,
  { provider, model, endpoint: { apiMode } }: Route,
  dialect: Dialect,
  idOf: (callId: string) => string,
): LanguageModelV4Message {
  switch (message.role) {
    case "user":
      return { role: "user", content: [{ type: "text", text: message.text }] };
    case "assistant": {
      const isMaker = message.provider === provider && (message.model ?? model) === model;
      return sentBack(message.parts, { apiMode, dialect, isMaker, idOf });
    }
    case "tool": {
      const { callId, name: toolName, text: value, ok } = message;
      const toolCallId = idOf(callId);
      const output = { type: ok ? "text" : "error-text", value } as const;
      return { role: "tool", content: [{ type: "tool-result", toolCallId, toolName, output }] };
    }
    default:
      return message satisfies never;
  }
}
