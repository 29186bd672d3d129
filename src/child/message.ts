/** The messages of a conversation, as they are sent and as a child keeps them. */
import type { Part } from "../event.ts";
import type { StoredImage } from "../image.ts";

export type ToolCall = { callId: string; name: string; input: unknown };

/** `target`: the subject of the call. `images`: those that its result shows, until a compaction replaces it. */
export type ToolResult = {
  role: "tool";
  callId: string;
  name: string;
  target?: string;
  text: string;
  ok: boolean;
  images?: readonly StoredImage[];
};

export type Message =
  | { role: "user"; text: string }
  /** `model`: whose words they are, as it was asked for; absent = whichever of the provider's. */
  | { role: "assistant"; provider: string; model?: string; parts: Part[] }
  | ToolResult;

/** A message that a child keeps. */
export type HeldMessage =
  /** `isPinned`: no compaction replaces it. */
  | { role: "user"; text: string; isPinned?: true }
  | Extract<Message, { role: "assistant" }>
  /** `ref`: the call's id, distinct in the conversation. `isStub`: a compaction replaced the text. */
  | (ToolResult & { ref: string; target: string; isStub?: true });

/** Characters per token, deliberately low: the worst case must not be too small. */
export const CHARACTERS_PER_TOKEN = 3;
/** Maximum size of an image in tokens: vendors count by its dimensions, from 85 to about 5,000. */
export const TOKENS_PER_IMAGE = 5_000;

/** Length in characters. An image counts as a text of as many tokens. */
export function lengthOf(message: Message): number {
  if (message.role === "assistant") return charactersIn(message.parts);
  return message.text.length + imageCharacters(message);
}

/** The part of a message's length that stands for images. */
export function imageCharacters(message: Message): number {
  const images = message.role === "tool" ? (message.images ?? []) : [];
  return images.length * TOKENS_PER_IMAGE * CHARACTERS_PER_TOKEN;
}

/** Length of a model's response, with its tool calls as JSON. */
export function charactersIn(parts: readonly Part[]): number {
  return parts.reduce(
    (sum, part) => sum + (part.type === "tool-call" ? JSON.stringify(part.input).length : part.text.length),
    0,
  );
}
