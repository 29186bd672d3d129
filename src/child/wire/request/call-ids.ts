/**
 * Ids of tool calls over a whole conversation. Some servers count anew with every answer: `call_0` again and again.
 * Anthropic rejects a repeated id, and others pair a result with the first call of that id.
 */
import type { Message } from "../../conversation.ts";

/** The conversation with an id of its own for every call, and each result by its call's. The same ones again for the same calls. */
export function withDistinctIds(messages: readonly Message[]): Message[] {
  const taken = new Set<string>();
  /** By the id that the model gave to its latest call of that id. */
  const distinct = new Map<string, string>();
  return messages.map((message) => {
    if (message.role === "tool") return { ...message, callId: distinct.get(message.callId) ?? message.callId };
    if (message.role !== "assistant") return message;
    const parts = message.parts.map((part) => {
      if (part.type !== "tool-call") return part;
      const callId = freeId(part.callId, taken);
      taken.add(callId);
      distinct.set(part.callId, callId);
      return { ...part, callId };
    });
    return { ...message, parts };
  });
}

/** The id, or one made of it where it is taken. */
export function freeId(id: string, taken: ReadonlySet<string | undefined>): string {
  if (!taken.has(id)) return id;
  let copy = 2;
  while (taken.has(`${id}-${copy}`)) copy += 1;
  return `${id}-${copy}`;
}
