/**
 * Ids of tool calls over a whole conversation. Some servers count anew with every answer: `call_0` again and again.
 * Anthropic rejects a repeated id, and others pair a result with the first call of that id.
 */
import type { Message } from "../../message.ts";

/** Gives every call its own id, and each result the id of its call. The same conversation always gets the same ids. */
export function withDistinctIds(messages: readonly Message[]): Message[] {
  const taken = new Set<string>();
  /** The id of the latest call to which the model gave an id. */
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

/** The id, or one derived from it if it is taken. */
export function freeId(id: string, taken: ReadonlySet<string | undefined>): string {
  if (!taken.has(id)) return id;
  let copy = 2;
  while (taken.has(`${id}-${copy}`)) copy += 1;
  return `${id}-${copy}`;
}
