/** What a request may cost at the worst, and the promise that it was set aside before the request left. */
import type { Failure } from "../errors.ts";
import type { Part } from "../event.ts";
import type { Route } from "../route.ts";
import type { Tool } from "../tool.ts";
import type { Conversation, Message } from "./conversation.ts";
import { outputLimit } from "./wire/request.ts";

/** Characters that one token stands for, taken low on purpose: the worst case must not be too small. */
const CHARACTERS_PER_TOKEN = 3;
/** What a tool's name, description and schema come to, in tokens, roughly. */
const TOKENS_PER_TOOL = 300;
/** What an image comes to in tokens, at the most: the vendors count by its size, from 85 to some 5,000. */
const TOKENS_PER_IMAGE = 5_000;
/** Taken as the longest answer where nothing is known of the model. */
const LONGEST_ANSWER_TOKENS = 16_384;
/** What an answer comes to, roughly, where only the limit per minute is at stake. */
const EXPECTED_ANSWER_TOKENS = 1_000;

export type WorstCase = { inputTokens: number; outputTokens: number; route: Route };

/** Money set aside for one request. Exactly one of `commit`, `commitWorstCase` takes effect; `release` gives the rest back. */
export type Reservation = {
  /** What the budget leaves of the answer's length, in tokens; absent = no budget in the way. */
  maxOutputTokens?: number;
  /** USD held for it: its worst case; absent = no budget in the way. */
  reservedUsd?: number;
  /** The request has cost this much, in USD. */
  commit(usd: number): void;
  /** It was charged, and nobody said how much: counted at the worst case. */
  commitWorstCase(): void;
  /** Over. What was not settled was not spent. */
  release(): void;
};

/**
 * Waits while other requests hold the money. Undefined where the budget does not allow the request, or the signal aborts
 * first; `lastWords` may use what other requests must leave.
 */
export type Reserve = (
  worst: () => WorstCase,
  lastWords: boolean,
  signal: AbortSignal,
) => Promise<Reservation | undefined>;

export function worstCase(route: Route, conversation: Conversation, tools: readonly Tool[], imageCount = 0): WorstCase {
  return {
    route,
    inputTokens: inputTokens(conversation, tools, imageCount),
    outputTokens: outputLimit(route) ?? LONGEST_ANSWER_TOKENS,
  };
}

/** Characters that one token hardly ever stands for: a conversation that is too long by this count is too long. */
const MOST_CHARACTERS_PER_TOKEN = 8;

/** Why a conversation cannot go on at a route: it is longer than its context window, even where little is counted. */
export function overflow(route: Route, conversation: Conversation): Failure | undefined {
  const { contextWindow } = route.facts;
  if (contextWindow === undefined) return undefined;
  const tokens = Math.floor(charactersOf(conversation) / MOST_CHARACTERS_PER_TOKEN);
  if (tokens <= contextWindow) return undefined;
  const message = `The conversation, of ${tokens} tokens at the least, is longer than the context window of ${route.model} @ ${route.provider} (${contextWindow}): nothing was sent.`;
  return { kind: "context-overflow", message };
}

/** What a request is expected to take, answer included, until its provider has counted. */
export function expectedTokens(conversation: Conversation, tools: readonly Tool[], imageCount = 0): number {
  return inputTokens(conversation, tools, imageCount) + EXPECTED_ANSWER_TOKENS;
}

function inputTokens(conversation: Conversation, tools: readonly Tool[], imageCount: number): number {
  const textTokens = Math.ceil(charactersOf(conversation) / CHARACTERS_PER_TOKEN);
  return textTokens + tools.length * TOKENS_PER_TOOL + imageCount * TOKENS_PER_IMAGE;
}

function charactersOf({ system, messages }: Conversation): number {
  return messages.reduce((sum, message) => sum + lengthOf(message), system.length);
}

function lengthOf(message: Message): number {
  return message.role === "assistant" ? charactersIn(message.parts) : message.text.length;
}

/** Of what a model said, its tool calls as JSON. */
export function charactersIn(parts: readonly Part[]): number {
  return parts.reduce(
    (sum, part) => sum + (part.type === "tool-call" ? JSON.stringify(part.input).length : part.text.length),
    0,
  );
}
