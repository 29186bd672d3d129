/** What follows a failed request: one table, by kind. Retries are bounded in tries and in time; fallbacks are declared. */
import type { FailureSituation } from "../../child/child.ts";
import type { FailureKind } from "../../errors.ts";
import type { Recovery } from "../../event.ts";

type RetryRule = {
  /** Most requests for one step on one route. */
  tries: number;
  /** First wait, in milliseconds; doubled each time, with full jitter. */
  waitMs: number;
  /** The provider's rate limiter (`rate-limiter.ts`) waits longer and longer, for all its children at once: this wait does not grow. */
  rateLimited?: true;
  /** Whether another route may fare better. */
  fallback: boolean;
};

/** The next move for each kind of failure. The documentation's table is generated from this one. */
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
  // Only where the operator said that it fails: what answers then is never chosen by us.
  "served-mismatch": { tries: 1, waitMs: 0, fallback: false },
  aborted: { tries: 1, waitMs: 0, fallback: false },
  internal: { tries: 1, waitMs: 0, fallback: false },
  "input-changed": { tries: 1, waitMs: 0, fallback: false },
  "route-gone": { tries: 1, waitMs: 0, fallback: true },
} as const satisfies Record<FailureKind, RetryRule>;

/** Longest wait that is Deputy's own idea, in milliseconds. */
const MAX_WAIT_MS = 60_000;
/** Longest time a step may keep failing, the next wait included, in milliseconds. */
const MAX_FAILING_MS = 10 * 60_000;

/** Most pauses of one step: a provider that names a time again and again does not know it. */
const MAX_PAUSES = 10;
/** Paused children do not come back all at the same moment, in milliseconds. */
const PAUSE_JITTER_MS = 5_000;

/**
 * Where a provider has several keys and all rest, the failure that counts is that of the key which is back first.
 * @param random from 0 to 1, for the jitter
 * @param onQuota what is done where a quota is used up until a time that the provider names
 */
export function retryPolicy(
  { earlier, failingForMs, fallbacksLeft, keys, isLasting }: FailureSituation,
  random: () => number,
  onQuota: "fail" | "pause" = "fail",
): Recovery {
  if (keys.another) return { action: "next-key" };
  const { tries, waitMs, rateLimited, fallback }: RetryRule = RETRY_RULES[keys.kind];
  const tried = 1 + earlier.filter(({ kind }) => kind === keys.kind).length;
  const ownWaitMs = Math.min(MAX_WAIT_MS, rateLimited ? waitMs : waitMs * 2 ** (tried - 1)) * random();
  // Everyone is told the same Retry-After: the jitter on top keeps them from coming back together.
  const delayMs = Math.round(keys.backInMs + ownWaitMs);
  if (!isLasting && tried < tries && failingForMs + delayMs <= MAX_FAILING_MS) return { action: "retry", delayMs };
  if (fallback && fallbacksLeft > 0) return { action: "fallback" };
  const isQuota = keys.kind === "quota-exhausted" || (keys.kind === "rate-limited" && keys.backInMs > MAX_FAILING_MS);
  return onQuota === "pause" && isQuota && keys.isTold && tried <= MAX_PAUSES
    ? { action: "pause", delayMs: Math.round(keys.backInMs + PAUSE_JITTER_MS * random()) }
    : { action: "give-up" };
}
