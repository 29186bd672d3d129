/**
 * A conversation in Converse's form: turns of user and assistant alternate, and tool results are blocks of the user.
 * Bedrock rejects blank text, so it is left out.
 */
import type {
  LanguageModelV4CallOptions,
  LanguageModelV4FilePart,
  LanguageModelV4FunctionTool,
  LanguageModelV4Message,
  LanguageModelV4ToolResultPart,
} from "@ai-sdk/provider";
import { fieldsOf, isRecord } from "../../../values/record.ts";

type ConverseBlock = Record<string, unknown>;
type ConverseTurn = { role: "user" | "assistant"; content: ConverseBlock[] };

export function converseBody({ prompt, tools = [], maxOutputTokens }: LanguageModelV4CallOptions): ConverseBlock {
  const system = prompt.flatMap((message) =>
    message.role === "system" ? withCachePoint([{ text: message.content }], message) : [],
  );
  const messages = turnsOf(prompt);
  const specs = tools.filter((tool) => tool.type === "function").map(toolSpec);
  const offered = specs.length > 0 ? specs : formerTools(prompt);
  return {
    ...(system.length > 0 && { system }),
    messages,
    ...(maxOutputTokens !== undefined && { inferenceConfig: { maxTokens: maxOutputTokens } }),
    ...(offered.length > 0 && { toolConfig: { tools: offered } }),
  };
}

function turnsOf(prompt: readonly LanguageModelV4Message[]): ConverseTurn[] {
  const turns: ConverseTurn[] = [];
  for (const message of prompt) {
    if (message.role === "system") continue;
    const role = message.role === "assistant" ? "assistant" : "user";
    const content = message.content.flatMap((part) => withCachePoint(blocksOf(part), part));
    const last = turns.at(-1);
    if (last?.role === role) last.content.push(...content);
    else if (content.length > 0) turns.push({ role, content });
  }
  return turns;
}

/** A prompt is cached up to such a block. */
function withCachePoint(
  blocks: ConverseBlock[],
  { providerOptions }: Pick<LanguageModelV4Message, "providerOptions">,
): ConverseBlock[] {
  const isMarked = providerOptions?.anthropic?.cacheControl !== undefined && blocks.length > 0;
  return isMarked ? [...blocks, { cachePoint: { type: "default" } }] : blocks;
}

type ConverseContent = Exclude<LanguageModelV4Message, { role: "system" }>["content"][number];

function blocksOf(part: ConverseContent): ConverseBlock[] {
  switch (part.type) {
    case "text":
      return part.text.trim() === "" ? [] : [{ text: part.text }];
    case "file":
      return [{ image: imageOf(part) }];
    case "reasoning":
      return reasoningOf(part.text, fieldsOf(part.providerOptions?.bedrock));
    case "tool-call":
      return [
        { toolUse: { toolUseId: part.toolCallId, name: part.toolName, input: isRecord(part.input) ? part.input : {} } },
      ];
    case "tool-result":
      return [{ toolResult: resultOf(part) }];
    default:
      // Deputy sends no other kind.
      return [];
  }
}

/** Bedrock does not fetch URLs. */
function imageOf({ data, mediaType }: LanguageModelV4FilePart): ConverseBlock {
  if (data.type !== "data") throw new TypeError("Amazon Bedrock takes images as files, not by their URL");
  const bytes = typeof data.data === "string" ? data.data : Buffer.from(data.data).toString("base64");
  return { format: mediaType.slice(mediaType.indexOf("/") + 1), source: { bytes } };
}

/** Reasoning is sent back with its signature; Bedrock rejects it without one. */
function reasoningOf(text: string, { signature, redactedContent }: Record<string, unknown>): ConverseBlock[] {
  if (typeof redactedContent === "string") return [{ reasoningContent: { redactedContent } }];
  return typeof signature === "string" ? [{ reasoningContent: { reasoningText: { text, signature } } }] : [];
}

function resultOf({ toolCallId: toolUseId, output }: LanguageModelV4ToolResultPart): ConverseBlock {
  const text = "value" in output ? String(output.value) : "";
  const content = text.trim() === "" ? [] : [{ text }];
  return { toolUseId, content, ...(output.type === "error-text" && { status: "error" }) };
}

function toolSpec({ name, description, inputSchema }: LanguageModelV4FunctionTool): ConverseBlock {
  return { toolSpec: { name, ...(description && { description }), inputSchema: { json: inputSchema } } };
}

/** Bedrock accepts earlier calls only together with their tools, even if no tool is offered any more. */
function formerTools(prompt: readonly LanguageModelV4Message[]): ConverseBlock[] {
  const calls = prompt.flatMap((message) =>
    message.role === "assistant" ? message.content.filter((part) => part.type === "tool-call") : [],
  );
  return [...new Set(calls.map(({ toolName }) => toolName))].map((name) => ({
    toolSpec: { name, inputSchema: { json: { type: "object" } } },
  }));
}
