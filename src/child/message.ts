/** The messages of a conversation, as they are sent and as a child keeps them. */
import type { Part } from "../event.ts";

export type ToolCall = { callId: string; name: string; input: unknown };

export type ToolResult = { role: "tool"; callId: string; name: string; text: string; ok: boolean };

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

/** Length in characters. */
export function lengthOf(message: Message): number {
  return message.role === "assistant" ? charactersIn(message.parts) : message.text.length;
}

/** Length of a model's response, with its tool calls as JSON. */
export function charactersIn(parts: readonly Part[]): number {
  return parts.reduce(
    (sum, part) => sum + (part.type === "tool-call" ? JSON.stringify(part.input).length : part.text.length),
    0,
  );
}
