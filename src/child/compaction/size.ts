/** The length of a conversation in tokens, and its limit. */
import type { Route } from "../../route.ts";
import type { Conversation } from "../conversation.ts";
import { outputLimit } from "../wire/request/request.ts";
import { inputTokens, type Sent } from "../worst-case.ts";

/** Characters per token of text that no provider has counted, deliberately low. */
const NEW_CHARACTERS_PER_TOKEN = 3;
/** Room that is kept for an answer of unknown length, in tokens. */
const ANSWER_TOKENS = 4_096;
/** Largest share of the window that is kept for an answer. */
const MOST_ANSWER_SHARE = 1 / 4;

/**
 * Estimated tokens of the next request: the provider's last count, and the difference since then. Removed text counts
 * with the average of the conversation.
 */
export function sizeOf({ compaction: { counted } }: Pick<Conversation, "compaction">, sent: Sent): number {
  if (counted === undefined) return inputTokens(sent);
  const added = sent.characters - counted.characters;
  const perToken = added > 0 ? NEW_CHARACTERS_PER_TOKEN : counted.characters / counted.tokens;
  return Math.max(0, Math.round(counted.tokens + added / perToken));
}

/**
 * The context window in tokens: what is known of the model, or less if the provider refused a shorter conversation.
 * Undefined if nothing is known.
 */
export function windowOf({ compaction: { tooLong } }: Conversation, { facts }: Route): number | undefined {
  const known = [facts.contextWindow, tooLong].filter((tokens) => tokens !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}

/** Tokens of the window that the conversation must leave for the answer. */
export function answerRoom(route: Route, window: number): number {
  return Math.min(outputLimit(route) ?? ANSWER_TOKENS, window * MOST_ANSWER_SHARE);
}
