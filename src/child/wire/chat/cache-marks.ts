/**
 * Marks for a provider's cache of the prompt in `chat_completions`. They belong into a part of a message's content. Beside
 * the content of a tool's message, OpenRouter never answers: NousResearch/hermes-agent#2362.
 */
import { isRecord } from "../../../values/record.ts";

/** Moves marks that are beside the text of a message into a text part. A blank text can have none. */
export function withMarksInParts(body: Record<string, unknown>): Record<string, unknown> {
  const { messages } = body;
  return Array.isArray(messages) ? { ...body, messages: messages.map(inPart) } : body;
}

function inPart(message: unknown): unknown {
  if (!isRecord(message) || message.cache_control === undefined) return message;
  const { cache_control, ...plain } = message;
  const { content: text } = plain;
  if (typeof text !== "string" || text.trim() === "") return plain;
  return { ...plain, content: [{ type: "text", text, cache_control }] };
}
