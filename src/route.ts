/**
 * Where a child runs: provider + model + effort + endpoint + which credential. A route holds no secret and is
 * journaled as it is.
 */
import type { Warning } from "./errors.ts";

export const EFFORTS = ["none", "minimal", "low", "medium", "high", "xhigh", "max"] as const;
export type Effort = (typeof EFFORTS)[number];

export function isEffort(word: string): word is Effort {
  return EFFORTS.some((effort) => effort === word);
}

export const API_MODES = ["chat_completions", "responses", "anthropic_messages", "gemini"] as const;
export type ApiMode = (typeof API_MODES)[number];

/** What one level (task, call, config, parent) asks for. Absent means "as below". */
export type Wish = { model?: string; provider?: string; effort?: Effort };

/**
 * Who decided a field of a route. `agent`: the agent definition that the task names. `hook`: the program's routing
 * hook. `rule`: a rule of the config. `alias`: a name of the user's that brought its own value. `family`: a family alias
 * that left the current provider. `default`: the provider's row.
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

/** Where requests go and which of the four wire formats is spoken there. */
export type Endpoint = {
  baseUrl: string;
  apiMode: ApiMode;
  /** Where `chat_completions` carries the effort at this provider; absent = `reasoning_effort`. */
  effortField?: "reasoning.effort";
};

/** USD per million tokens. */
export type Price = { input: number; output: number; cachedInput?: number };

/**
 * What is known of a model: from the user's config, then Deputy's table, then the provider's own list where it was
 * fetched, then the price library. Absent = unknown.
 */
export type ModelFacts = {
  contextWindow?: number;
  /** Tokens. Sent as the limit where the wire format demands one. */
  maxOutputTokens?: number;
  price?: Price;
  efforts?: readonly Effort[];
  /** Whether it takes images. */
  vision?: boolean;
  /** Whether it can call tools. A child on a model that cannot is given none. */
  tools?: boolean;
};

export type Route = {
  provider: string;
  model: string;
  effort?: Effort;
  endpoint: Endpoint;
  /**
   * Name (never value) of the credential as planned, e.g. `ZAI_API_KEY`, of a pool `ZAI_API_KEY +2 more`; absent for a
   * keyless loopback endpoint. Which key a request really carried is told by its event.
   */
  keyName?: string;
  facts: ModelFacts;
  /** What was asked for, as it was written, and which level each field came from. */
  requested: Wish;
  chosenBy: { provider: Level; model: Level; effort?: Level };
  /** Declared fallbacks, in order. Never the parent's. */
  fallbacks: Route[];
  warnings: Warning[];
};
