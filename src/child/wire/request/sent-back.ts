/**
 * What the model said, as it is sent back. Private state (reasoning, signatures, encrypted items) goes to the model that
 * made it and to no other; what a model demands and another one left out is filled with what it accepts.
 */
import type {
  LanguageModelV4Message,
  LanguageModelV4ReasoningPart,
  LanguageModelV4TextPart,
  LanguageModelV4ToolCallPart,
  SharedV4ProviderOptions,
} from "@ai-sdk/provider";
import type { Part } from "../../../event.ts";
import type { ApiMode } from "../../../route.ts";
import { isRecord } from "../../../values/record.ts";
import type { Dialect, ReasoningField } from "../dialect/dialect.ts";

/**
 * Stands for the encrypted content that an item of open reasoning does not have, until `responses-reasoning.ts` writes
 * its request.
 */
export const OPEN_REASONING = "deputy:open-reasoning";

export type Recipient = {
  apiMode: ApiMode;
  dialect: Dialect;
  /** The message comes from the model that it is sent to. */
  isMaker: boolean;
  idOf(callId: string): string;
};

type AssistantMessage = Extract<LanguageModelV4Message, { role: "assistant" }>;
type Content = AssistantMessage["content"];

export function sentBack(parts: readonly Part[], recipient: Recipient): AssistantMessage {
  const content = parts.flatMap((part) => sentPart(part, recipient));
  signFirstCall(content, recipient);
  if (recipient.apiMode === "chat_completions") return chatMessage(parts, content, recipient);
  const { reasoningPlaceholder: placeholder } = recipient.dialect;
  const isMissing = placeholder !== "none" && !content.some(({ type }) => type === "reasoning");
  // Only before calls: no vendor demands thinking before a plain text.
  if (isMissing && recipient.apiMode === "anthropic_messages" && content.some(({ type }) => type === "tool-call"))
    content.unshift(unsigned(placeholder));
  return { role: "assistant", content };
}

function sentPart(part: Part, { dialect, isMaker, apiMode, idOf }: Recipient): Content {
  const own = isMaker && part.private !== undefined ? { providerOptions: part.private as SharedV4ProviderOptions } : {};
  switch (part.type) {
    case "text": {
      const isLeftOut = dialect.blankText ? part.text === "" && own.providerOptions === undefined : isBlank(part.text);
      return isLeftOut ? [] : [{ type: "text", text: part.text, ...own } satisfies LanguageModelV4TextPart];
    }
    case "reasoning":
      return isMaker ? REASONING[apiMode](part, dialect) : [];
    case "tool-call": {
      const { callId, name: toolName } = part;
      const input = objectOf(part.input);
      return [
        { type: "tool-call", toolCallId: idOf(callId), toolName, input, ...own } satisfies LanguageModelV4ToolCallPart,
      ];
    }
    default:
      return part satisfies never;
  }
}

/**
 * Arguments as an object: most vendors reject a conversation with anything else, although their own model wrote it. Broken
 * JSON goes back as Anthropic recommends: https://docs.anthropic.com/en/docs/agents-and-tools/tool-use/fine-grained-tool-streaming
 */
function objectOf(input: unknown): unknown {
  if (isRecord(input)) return input;
  return { INVALID_JSON: typeof input === "string" ? input : JSON.stringify(input) };
}

type OwnReasoning = Part & { type: "reasoning" };

/** Reasoning by API mode, to the model that made it. */
const REASONING: Record<ApiMode, (part: OwnReasoning, dialect: Dialect) => LanguageModelV4ReasoningPart[]> = {
  chat_completions: (part) => [asItWas(part)],
  gemini: (part) => [asItWas(part)],
  anthropic_messages: (part, { unsignedThinking }) => {
    const { signature, redactedData } = part.private?.anthropic ?? {};
    if (part.private?.bedrock !== undefined) return [asItWas(part)]; // Converse has a form of its own for both.
    if ((typeof signature === "string" && signature !== "") || redactedData !== undefined) return [asItWas(part)];
    return unsignedThinking ? [unsigned(part.text)] : [];
  },
  responses: (part, { openReasoning }) => {
    const { itemId, reasoningEncryptedContent: encrypted } = part.private?.openai ?? {};
    if (typeof encrypted === "string") return [asItWas(part)];
    if (!openReasoning || part.text === "" || itemId === undefined) return [];
    const openai = { ...part.private?.openai, reasoningEncryptedContent: OPEN_REASONING };
    return [{ type: "reasoning", text: part.text, providerOptions: { openai } as SharedV4ProviderOptions }];
  },
};

function asItWas({ text, private: state }: OwnReasoning): LanguageModelV4ReasoningPart {
  return { type: "reasoning", text, ...(state !== undefined && { providerOptions: state as SharedV4ProviderOptions }) };
}

function unsigned(text: string): LanguageModelV4ReasoningPart {
  return { type: "reasoning", text, providerOptions: { anthropic: { signature: "" } } };
}

/** Of the calls in one message, the first carries the signature: https://ai.google.dev/gemini-api/docs/thought-signatures */
function signFirstCall(content: Content, { dialect: { missingSignature } }: Recipient): void {
  if (missingSignature === "none") return;
  const calls = content.filter((part) => part.type === "tool-call");
  const [first] = calls;
  if (first === undefined || calls.some(({ providerOptions }) => providerOptions?.google?.thoughtSignature)) return;
  first.providerOptions = {
    ...first.providerOptions,
    google: { ...first.providerOptions?.google, thoughtSignature: missingSignature },
  };
}

// chat_completions ---------------------------------------------------------------------------------------------------

/** The provider package knows one form of reasoning; the other forms are fields of the message that it passes on. */
function chatMessage(parts: readonly Part[], content: Content, { dialect, isMaker }: Recipient): AssistantMessage {
  const reasoning = content.filter((part) => part.type === "reasoning");
  const text = reasoning.map((part) => part.text).join("");
  const rest = content.filter((part) => part.type !== "reasoning");
  const { reasoningPlaceholder: placeholder } = dialect;
  const details = isMaker ? parts.flatMap(reasoningDetails) : [];
  if (details.length > 0) {
    const demanded = placeholder === "none" ? {} : { reasoning_content: text || placeholder };
    return withFields(rest, { reasoning_details: details, ...demanded });
  }
  if (text === "" && placeholder !== "none") return withFields(rest, { reasoning_content: placeholder });
  const { reasoningField: wanted } = dialect;
  const field = wanted === "as-received" ? receivedField(parts) : wanted;
  if (text === "") {
    const isDemanded = isMaker && wanted === "as-received" && cameEmpty(parts, field);
    return isDemanded ? withFields(rest, { [field]: "" }) : { role: "assistant", content: rest };
  }
  switch (field) {
    case "reasoning_content":
      return { role: "assistant", content };
    case "reasoning":
      return withFields(rest, { reasoning: text });
    case "thinking-parts":
      return withFields(rest, { content: thinkingParts(text, rest) });
    case "think-tags":
      return { role: "assistant", content: [{ type: "text", text: `<think>${text}</think>\n\n` }, ...rest] };
    case "none":
      return { role: "assistant", content: rest };
    default:
      return field satisfies never;
  }
}

function withFields(content: Content, fields: Record<string, unknown>): AssistantMessage {
  return { role: "assistant", content, providerOptions: { openaiCompatible: fields } as SharedV4ProviderOptions };
}

/** https://docs.mistral.ai/capabilities/reasoning */
function thinkingParts(thought: string, content: Content): unknown[] {
  const text = content.map((part) => (part.type === "text" ? part.text : "")).join("");
  const thinking = { type: "thinking", thinking: [{ type: "text", text: thought }] };
  return text === "" ? [thinking] : [thinking, { type: "text", text }];
}

/** As `chat-stream.ts` kept them. */
function reasoningDetails(part: Part): unknown[] {
  const details = part.private?.chat?.reasoningDetails;
  return Array.isArray(details) ? details.filter(isRecord) : [];
}

/** Whether this field came empty, beside a call: its server may demand it back. */
function cameEmpty(parts: readonly Part[], field: ReasoningField | "none"): boolean {
  if (field !== "reasoning_content" && field !== "reasoning") return false;
  return parts.some((part) => part.type === "reasoning" && part.private?.chat?.reasoningField === field);
}

/** The field that this reasoning came in; `reasoning_content` where it was not kept. */
function receivedField(parts: readonly Part[]): ReasoningField {
  const kept = parts.map((part) => part.private?.chat?.reasoningField).find((field) => field !== undefined);
  return kept === "reasoning" || kept === "thinking-parts" || kept === "think-tags" ? kept : "reasoning_content";
}

function isBlank(text: string): boolean {
  return text.trim() === "";
}
