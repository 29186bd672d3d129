/**
 * Retry policy: one table of reactions to a failed request, by kind. Retries are limited in number and in time;
 * fallbacks are declared.
 */
import type { FailureSituation } from "../../child/child.ts";
import type { FailureKind } from "../../errors.ts";
import type { Recovery } from "../../event.ts";

type RetryRule = {
  /** Maximum requests for one step on one route. */
  tries: number;
  /** First wait, in milliseconds; doubled each time, with full jitter. */
  waitMs: number;
  /**
   * The provider's rate limiter (`rate-limiter.ts`) already backs off for all its children, so this wait does not grow.
   */
  rateLimited?: true;
  /** Whether another route may succeed. */
  fallback: boolean;
};

/** The reaction to each kind of failure. The table in the documentation is generated from it. */
export const RETRY_RULES = {
  "rate-limited": { tries: 12, waitMs: 2_000, rateLimited: true, fallback: true },
  "quota-exhausted": { tries: 1, waitMs: 0, fallback: true },
  overloaded: { tries: 5, waitMs: 1_000, fallback: true },
  network: { tries: 5, waitMs: 500, fallback: true },
  stalled: { tries: 2, waitMs: 0, fallback: true },
  unauthorized: { tries: 1, waitMs: 0, fallback: true },
  "context-overflow": { tries: 1, waitMs: 0, fallback: true },
  refused: { tries: 1, waitMs: 0, fallback: true },
  "invalid-request": { tries: 1, waitMs: 0, fallback: true },
  "malformed-response": { tries: 3, waitMs: 500, fallback: true },
  // Only for models that the operator wants to fail: the model that responds instead is never Deputy's choice.
  "served-mismatch": { tries: 1, waitMs: 0, fallback: false },
  aborted: { tries: 1, waitMs: 0, fallback: false },
  internal: { tries: 1, waitMs: 0, fallback: false },
  "input-changed": { tries: 1, waitMs: 0, fallback: false },
  "route-gone": { tries: 1, waitMs: 0, fallback: true },
  "setup-failed": { tries: 1, waitMs: 0, fallback: false },
} as const satisfies Record<FailureKind, RetryRule>;

/** Longest wait that Deputy chooses itself, in milliseconds. */
const MAX_WAIT_MS = 60_000;
/** Longest time that a step may keep failing, including the next wait, in milliseconds. */
const MAX_FAILING_MS = 10 * 60_000;

/** Maximum pauses of one step: a provider that keeps naming new times does not know when its quota is renewed. */
const MAX_PAUSES = 10;
/** Spreads the return of paused children, in milliseconds. */
const PAUSE_JITTER_MS = 5_000;

/**
 * Returns the reaction to a failure. If all keys of a provider are cooling down, the failure of the key that is
 * available first counts.
 * @param random from 0 to 1, for the jitter
 * @param onQuota reaction to a quota that is exhausted until a time the provider names
 */
export function retryPolicy(
  { earlier, failingForMs, fallbacksLeft, keys, isLasting, compactible }: FailureSituation,
  random: () => number,
  onQuota: "fail" | "pause" = "fail",
): Recovery {
  if (keys.another) return { action: "next-key" };
  const { tries, waitMs, rateLimited, fallback }: RetryRule = RETRY_RULES[keys.kind];
  const tried = 1 + earlier.filter(({ kind }) => kind === keys.kind).length;
  const ownWaitMs = Math.min(MAX_WAIT_MS, rateLimited ? waitMs : waitMs * 2 ** (tried - 1)) * random();
  // All children receive the same Retry-After: the added jitter keeps them from retrying together.
  const delayMs = Math.round(keys.backInMs + ownWaitMs);
  if (!isLasting && tried < tries && failingForMs + delayMs <= MAX_FAILING_MS) return { action: "retry", delayMs };
  if (keys.kind === "context-overflow" && compactible !== undefined) return { action: "compact", tokens: compactible };
  if (fallback && fallbacksLeft > 0) return { action: "fallback" };
  const isQuota = keys.kind === "quota-exhausted" || (keys.kind === "rate-limited" && keys.backInMs > MAX_FAILING_MS);
  return onQuota === "pause" && isQuota && keys.isTold && tried <= MAX_PAUSES
    ? { action: "pause", delayMs: Math.round(keys.backInMs + PAUSE_JITTER_MS * random()) }
    : { action: "give-up" };
}
