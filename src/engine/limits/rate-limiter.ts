/**
 * One provider's rate limiter: when the next request may leave. It holds what the operator allows (requests and tokens per
 * minute) and what the provider itself has shown it can take: a refusal for its rate narrows the rate limiter and may close it
 * for a while, answers widen it again. Arithmetic on a clock that is handed in; it waits for nothing and asks nobody.
 */
import type { Permit, RequestOutcome } from "../../child/child.ts";
import type { FailureKind } from "../../errors.ts";

export type ProviderLimits = {
  /** Children at once. */
  concurrent?: number | undefined;
  requestsPerMinute?: number | undefined;
  tokensPerMinute?: number | undefined;
};

/** What keeps a request from leaving: for how long, or until one that is under way has ended. */
export type RateLimitWait = { limit: string; forMs: number };

export type RateLimiter = {
  /** What is in the way of a request now; undefined where it may leave. @param tokens asked only where tokens count */
  check(tokens: () => number): RateLimitWait | undefined;
  /** A request leaves. */
  acquire(tokens: () => number): Permit;
  setLimits(limits: ProviderLimits): void;
};

/** A minute, and what two requests may gain on one another on their way. */
const MINUTE_MS = 61_000;
/** The first wait where a provider does not say how long, in milliseconds; doubled each time, with jitter on half of it. */
const FIRST_BACKOFF_MS = 2_000;
const MAX_BACKOFF_MS = 60_000;
/** A provider that says to wait for longer is not waited for here: each child decides for itself. */
const LONGEST_BACKOFF_MS = 10 * 60_000;
/** How fast the rate limiter widens towards what was too many before, where 1 is one more for each round of answers. */
const CAUTION = 1 / 8;
/** After so long without a refusal it is as if there had been none. */
const FORGET_AFTER_MS = 10 * 60_000;

/** Failures that say a provider has had enough: `hold` closes the rate limiter until it may be asked again. */
const SETBACKS: Partial<Record<FailureKind, "hold" | "narrow">> = { "rate-limited": "hold", overloaded: "narrow" };

type SentRequest = { at: number; tokens: number };

/** @param now milliseconds that only grow @param random from 0 to 1 @param changed a request ended: who waits may go */
export function createRateLimiter(now: () => number, random: () => number, changed: () => void): RateLimiter {
  let limits: ProviderLimits = {};
  /** Requests of the last minute, oldest first; kept only where they count. */
  let sent: SentRequest[] = [];
  let inFlight = 0;
  /** Of these, the ones that left after the last setback; those before it say nothing new. */
  let generation = 0;
  let inGeneration = 0;
  /** Most requests in flight that the provider has shown to take. */
  let limit = Number.POSITIVE_INFINITY;
  /** As many together were refused the last time. */
  let slowStartThreshold = Number.POSITIVE_INFINITY;
  let blockedUntil = 0;
  /** It was closed, and has answered nothing since: one request goes ahead and finds out. */
  let probing = false;
  let setbacks = 0;
  let lastSetbackAt = 0;

  function backOff(kind: "hold" | "narrow", backInMs: number, sentIn: number): void {
    const isNews = sentIn === generation;
    const blocks = kind === "hold" || backInMs > 0;
    if (isNews) {
      generation += 1;
      inGeneration = 0;
      // A request that went ahead alone and was refused says nothing about how many may go together.
      if (!probing) {
        slowStartThreshold = Math.min(limit, inFlight);
        limit = Math.max(1, Math.floor(slowStartThreshold / 2));
      }
      lastSetbackAt = now();
      probing ||= blocks;
    }
    if (!blocks || backInMs > LONGEST_BACKOFF_MS) return;
    const guessMs = () => Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** setbacks++) * (0.5 + random() / 2);
    blockedUntil = Math.max(blockedUntil, now() + (backInMs > 0 || !isNews ? backInMs : guessMs()));
  }

  function accepted(sentIn: number): void {
    if (sentIn !== generation || (!probing && limit === Number.POSITIVE_INFINITY)) return;
    // What it took to get through is remembered for the next time, by half.
    if (probing) setbacks = Math.floor(setbacks / 2);
    probing = false;
    const isForgotten = now() - lastSetbackAt > FORGET_AFTER_MS;
    const step = limit + 1 < slowStartThreshold ? 1 : CAUTION;
    limit = isForgotten ? Number.POSITIVE_INFINITY : limit + step / limit;
    changed();
  }

  function ended(entry: SentRequest | undefined, sentIn: number, { setback, tokens, unsent }: RequestOutcome): void {
    if (entry !== undefined && tokens !== undefined) entry.tokens = tokens;
    if (entry !== undefined && unsent) sent = sent.filter((other) => other !== entry);
    const kind = setback && SETBACKS[setback.kind];
    if (setback && kind) backOff(kind, setback.backInMs, sentIn);
    inFlight -= 1;
    if (sentIn === generation) inGeneration -= 1;
    // A rate limiter without limits was open before, and still is.
    if (entry !== undefined || probing || limit !== Number.POSITIVE_INFINITY) changed();
  }

  const counts = () => limits.requestsPerMinute !== undefined || limits.tokensPerMinute !== undefined;

  function forgetOld(): void {
    const gone = sent.findIndex(({ at }) => at > now() - MINUTE_MS);
    if (gone !== 0) sent = gone < 0 ? [] : sent.slice(gone);
  }

  /** Until the entry at `index` is a minute old. */
  const untilGone = (index: number) => Math.max(1, (sent[index]?.at ?? 0) + MINUTE_MS - now());

  function minuteWait(tokens: () => number): RateLimitWait | undefined {
    forgetOld();
    const { requestsPerMinute: requests, tokensPerMinute } = limits;
    if (requests !== undefined && sent.length >= requests)
      return { limit: "requests per minute", forMs: untilGone(sent.length - requests) };
    if (tokensPerMinute === undefined || sent.length === 0) return undefined;
    // A request that is larger than the limit itself leaves alone.
    let over = sent.reduce((sum, entry) => sum + entry.tokens, 0) + tokens() - tokensPerMinute;
    if (over <= 0) return undefined;
    const last = sent.findIndex((entry) => {
      over -= entry.tokens;
      return over <= 0;
    });
    return { limit: "tokens per minute", forMs: untilGone(last < 0 ? sent.length - 1 : last) };
  }

  return {
    check(tokens) {
      const blockedMs = blockedUntil === 0 ? 0 : blockedUntil - now();
      if (blockedMs > 0) return { limit: "rate limit", forMs: blockedMs };
      if ((probing && inGeneration > 0) || inFlight >= Math.floor(limit))
        return { limit: "rate limit", forMs: Number.POSITIVE_INFINITY };
      return counts() ? minuteWait(tokens) : undefined;
    },
    acquire(tokens) {
      inFlight += 1;
      inGeneration += 1;
      const entry = counts() ? { at: now(), tokens: limits.tokensPerMinute === undefined ? 0 : tokens() } : undefined;
      if (entry !== undefined) sent.push(entry);
      const sentIn = generation;
      let open = true;
      let isAccepted = false;
      return {
        accepted() {
          if (isAccepted || !open) return;
          isAccepted = true;
          accepted(sentIn);
        },
        end(outcome = {}) {
          if (!open) return;
          open = false;
          ended(entry, sentIn, outcome);
        },
      };
    },
    setLimits(wanted) {
      limits = wanted;
    },
  };
}
