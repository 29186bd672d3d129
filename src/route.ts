/**
 * Where a child runs: provider, model, effort, endpoint and credential. A route contains no secret and is journaled as
 * it is.
 */
import type { Warning } from "./errors.ts";

export const EFFORTS = ["none", "minimal", "low", "medium", "high", "xhigh", "max"] as const;
export type Effort = (typeof EFFORTS)[number];

export function isEffort(word: string): word is Effort {
  return EFFORTS.some((effort) => effort === word);
}

export const API_MODES = ["chat_completions", "responses", "anthropic_messages", "gemini"] as const;
export type ApiMode = (typeof API_MODES)[number];

/**
 * The model request of one level (task, call, config, parent). An absent field leaves the choice to the level below.
 */
export type Wish = { model?: string; provider?: string; effort?: Effort };

/**
 * The level that decided a field of a route. `agent`: the agent definition that the task names. `hook`: the program's
 * routing hook. `rule`: a rule in the config. `alias`: a user's alias that sets the value. `family`: a family alias
 * that left the current provider. `default`: the provider's default.
 */
export const LEVELS = [
  "task",
  "call",
  "agent",
  "hook",
  "rule",
  "delegation",
  "parent",
  "alias",
  "family",
  "fallback",
  "default",
] as const;
export type Level = (typeof LEVELS)[number];

/** Destination of requests, and which of the four wire formats it speaks. */
export type Endpoint = {
  baseUrl: string;
  apiMode: ApiMode;
  /** Field that carries the effort in `chat_completions` at this provider; absent = `reasoning_effort`. */
  effortField?: "reasoning.effort";
  /** `anthropic_messages` is carried by Amazon's Converse API: its own bodies, and answers in binary frames. */
  framing?: "converse";
  /** Parameters of every request's URL, such as Azure's `api-version`. */
  query?: Readonly<Record<string, string>>;
};

/** USD per million tokens. What is read from a cache or written to one costs the price of input where none is known. */
export type Price = { input: number; output: number; cachedInput?: number; cacheWrite?: number };

/**
 * Facts about a model: from the user's config, then Deputy's table, then the provider's own list if it was fetched,
 * then the price library, then the dated price table. Absent = unknown.
 */
export type ModelFacts = {
  contextWindow?: number;
  /** Tokens. Sent as the limit if the wire format demands one. */
  maxOutputTokens?: number;
  price?: Price;
  efforts?: readonly Effort[];
  /** Whether the model accepts images. */
  vision?: boolean;
  /** Whether the model can call tools. A child on a model that cannot gets none. */
  tools?: boolean;
};

export type Route = {
  provider: string;
  model: string;
  effort?: Effort;
  endpoint: Endpoint;
  /**
   * Name (never value) of the planned credential, such as `ZAI_API_KEY`, or `ZAI_API_KEY +2 more` for a pool; absent
   * for a keyless loopback endpoint. The key that a request really carried is in its event.
   */
  keyName?: string;
  facts: ModelFacts;
  /** The request as written, and the level that each field came from. */
  requested: Wish;
  chosenBy: { provider: Level; model: Level; effort?: Level };
  /** Declared fallbacks, in order. The parent's are never included. */
  fallbacks: Route[];
  warnings: Warning[];
};

/** A route's name in messages: `glm-4.7 @ zai`. */
export function routeName({ model, provider }: Pick<Route, "model" | "provider">): string {
  return `${model} @ ${provider}`;
}
