/** The next turn of a conversation: what has to be on record before the user's message, and the message. */
import { createConversation, hear } from "../child/conversation.ts";
import type { ChildEvent, StoredEvent } from "../event.ts";
import type { Recalled } from "./register.ts";

/** Calls that a stopped turn left without a result get one, for no model may be asked with calls left open. */
export function turnEvents({ run, past }: Recalled, childId: string, text: string, at: number): StoredEvent[] {
  const { delegationId } = run;
  const conversation = createConversation();
  for (const event of past.get(childId) ?? []) hear(conversation, event);
  const left = conversation.pending.map(
    ({ callId, name, started }): ChildEvent => ({
      kind: "tool-end",
      at,
      delegationId,
      childId,
      callId,
      name,
      target: "",
      text: started
        ? "The user stopped the turn while this ran: it may or may not have taken effect. Look before you repeat it."
        : "Not run: the user stopped the turn.",
      ok: false,
      outcome: started ? "unknown" : "denied",
      filesChanged: [],
      durationMs: 0,
    }),
  );
  return [...left, { kind: "message-add", at, delegationId, childId, reason: "user", text }];
}
