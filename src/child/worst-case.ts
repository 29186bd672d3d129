/** The worst-case cost of a request, and the promise that it is reserved before the request is sent. */
import type { Failure } from "../errors.ts";
import type { Image } from "../image.ts";
import type { Route } from "../route.ts";
import type { Tool } from "../tool.ts";
import { CHARACTERS_PER_TOKEN, imageCharacters, type Message, TOKENS_PER_IMAGE } from "./message.ts";
import { outputLimit } from "./wire/request/request.ts";

/** Estimated size of a tool's name, description and schema, in tokens. */
const TOKENS_PER_TOOL = 300;
/** Assumed length of the longest answer of an unknown model. */
const LONGEST_ANSWER_TOKENS = 16_384;
/** Estimated length of an answer if only the limit per minute matters, and in the estimate of a plan. */
export const ASSUMED_ANSWER_TOKENS = 1_000;
/** Characters per token in plain text, roughly. */
const USUAL_CHARACTERS_PER_TOKEN = 4;

/** The content of a request. `characters`: length of the system prompt and the messages with their images. */
export type Sent = {
  system: string;
  messages: Message[];
  characters: number;
  images: readonly Image[];
  tools: readonly Tool[];
};

export type WorstCase = { inputTokens: number; outputTokens: number; route: Route };

/**
 * Money reserved for one request. Exactly one of `commit` and `commitWorstCase` takes effect; `release` returns the
 * rest.
 */
export type Reservation = {
  /** Answer length that the budget allows, in tokens; absent = not limited by a budget. */
  maxOutputTokens?: number;
  /** USD reserved, the worst case; absent = not limited by a budget. */
  reservedUsd?: number;
  /** Counts the request's actual cost, in USD. */
  commit(usd: number): void;
  /** Counts the worst case: the request was charged, but the amount is unknown. */
  commitWorstCase(): void;
  /** Ends the reservation. Money that was not committed was not spent. */
  release(): void;
};

/**
 * Waits while other requests have reserved the money. Undefined if the budget does not allow the request, or the signal
 * aborts first; `lastWords` may use money that other requests must leave.
 */
export type Reserve = (
  worst: () => WorstCase,
  lastWords: boolean,
  signal: AbortSignal,
) => Promise<Reservation | undefined>;

export function worstCase(route: Route, sent: Sent): WorstCase {
  return {
    route,
    inputTokens: inputTokens(sent),
    outputTokens: outputLimit(route) ?? LONGEST_ANSWER_TOKENS,
  };
}

/** Characters per token, deliberately high: a conversation that is too long by this count certainly is. */
const MOST_CHARACTERS_PER_TOKEN = 8;

/** Returns a failure if a conversation exceeds a route's context window even by a low estimate. */
export function overflow(route: Route, { characters, messages }: Sent): Failure | undefined {
  const { contextWindow } = route.facts;
  if (contextWindow === undefined) return undefined;
  // An image may have next to no tokens.
  const ofText = messages.reduce((sum, message) => sum - imageCharacters(message), characters);
  const tokens = Math.floor(ofText / MOST_CHARACTERS_PER_TOKEN);
  if (tokens <= contextWindow) return undefined;
  const message = `The conversation, of ${tokens} tokens at the least, is longer than the context window of ${route.model} @ ${route.provider} (${contextWindow}): nothing was sent.`;
  return { kind: "context-overflow", message };
}

/**
 * Tokens of a first request: of its task's texts roughly, and at least of what Deputy adds to them, in characters.
 * Vendors write definitions of tools in forms of their own, some half as long as JSON.
 */
export function firstRequestTokens(ofTask: number, added: number): number {
  return Math.ceil(ofTask / USUAL_CHARACTERS_PER_TOKEN) + Math.floor(added / MOST_CHARACTERS_PER_TOKEN);
}

/** Expected tokens of a request, answer included, until its provider has counted. */
export function expectedTokens(sent: Sent): number {
  return inputTokens(sent) + ASSUMED_ANSWER_TOKENS;
}

/** Likely tokens of a first request, by the length of its prompts; its tools and images count as in budgets. */
export function estimatedInputTokens(characters: number, toolCount: number, imageCount: number): number {
  const textTokens = Math.ceil(characters / USUAL_CHARACTERS_PER_TOKEN);
  return textTokens + toolCount * TOKENS_PER_TOOL + imageCount * TOKENS_PER_IMAGE;
}

/** Tokens of a request's input by a high estimate. */
export function inputTokens({ characters, tools, images }: Sent): number {
  return (
    Math.ceil(characters / CHARACTERS_PER_TOKEN) + tools.length * TOKENS_PER_TOOL + images.length * TOKENS_PER_IMAGE
  );
}
