/**
 * One provider's rate limiter: it decides when the next request may be sent. It enforces the operator's limits
 * (requests and tokens per minute) and adapts to the provider: a rate-limit error lowers the concurrency limit and may
 * close the limiter for a while, and successes raise the limit again. It only computes from a given clock; it never
 * waits.
 */
import type { Permit, RequestOutcome } from "../../child/child.ts";
import type { FailureKind } from "../../errors.ts";

export type ProviderLimits = {
  /** Maximum concurrent requests. */
  concurrent?: number | undefined;
  requestsPerMinute?: number | undefined;
  tokensPerMinute?: number | undefined;
};

/** A limit that blocks a request for some time, or until a request in flight has ended. */
export type RateLimitWait = { limit: string; forMs: number };

export type RateLimiter = {
  /** Returns what blocks a request now; undefined if it may be sent. @param tokens called only if tokens are limited */
  check(tokens: () => number): RateLimitWait | undefined;
  /** Records that a request is sent. */
  acquire(tokens: () => number): Permit;
  setLimits(limits: ProviderLimits): void;
};

/** One minute, plus the difference in transit time that two requests may have. */
const MINUTE_MS = 61_000;
/** First wait if a provider names none, in milliseconds; doubled each time, with jitter on half of it. */
const FIRST_BACKOFF_MS = 2_000;
const MAX_BACKOFF_MS = 60_000;
/** The limiter does not wait longer than this for a provider: each child decides for itself. */
const LONGEST_BACKOFF_MS = 10 * 60_000;
/** Growth of the limit towards the last threshold; 1 adds one per round of responses. */
const CAUTION = 1 / 8;
/** Rate-limit errors are forgotten after this long without a new one. */
const FORGET_AFTER_MS = 10 * 60_000;

/** Failures that show a provider's limit: `hold` closes the limiter until the provider may be asked again. */
const SETBACKS: Partial<Record<FailureKind, "hold" | "narrow">> = { "rate-limited": "hold", overloaded: "narrow" };

type SentRequest = { at: number; tokens: number };

/**
 * @param now monotonic milliseconds @param random from 0 to 1 @param changed called when a request ends, so that
 * waiting ones can be sent
 */
export function createRateLimiter(now: () => number, random: () => number, changed: () => void): RateLimiter {
  let limits: ProviderLimits = {};
  /** Requests of the last minute, oldest first; kept only if they are limited. */
  let sent: SentRequest[] = [];
  let inFlight = 0;
  /** Incremented with each setback: requests sent in an earlier generation bring no news. */
  let generation = 0;
  let inGeneration = 0;
  /** Concurrency limit, as learned from the provider. */
  let limit = Number.POSITIVE_INFINITY;
  /** The concurrency at which requests were refused last. */
  let slowStartThreshold = Number.POSITIVE_INFINITY;
  let blockedUntil = 0;
  /** Set after the limiter was closed: one request is sent as a probe. */
  let probing = false;
  let setbacks = 0;
  let lastSetbackAt = 0;

  function backOff(kind: "hold" | "narrow", backInMs: number, sentIn: number): void {
    const isNews = sentIn === generation;
    const blocks = kind === "hold" || backInMs > 0;
    if (isNews) {
      generation += 1;
      inGeneration = 0;
      // A probe that was refused says nothing about concurrency.
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
    // After a successful probe, half of the setbacks are kept for the next time.
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
    // A limiter without limits was open before, and stays open.
    if (entry !== undefined || probing || limit !== Number.POSITIVE_INFINITY) changed();
  }

  const counts = () => limits.requestsPerMinute !== undefined || limits.tokensPerMinute !== undefined;

  function forgetOld(): void {
    const gone = sent.findIndex(({ at }) => at > now() - MINUTE_MS);
    if (gone !== 0) sent = gone < 0 ? [] : sent.slice(gone);
  }

  /** Time until the entry at `index` is a minute old. */
  const untilGone = (index: number) => Math.max(1, (sent[index]?.at ?? 0) + MINUTE_MS - now());

  function minuteWait(tokens: () => number): RateLimitWait | undefined {
    forgetOld();
    const { requestsPerMinute: requests, tokensPerMinute } = limits;
    if (requests !== undefined && sent.length >= requests)
      return { limit: "requests per minute", forMs: untilGone(sent.length - requests) };
    if (tokensPerMinute === undefined || sent.length === 0) return undefined;
    // A request larger than the limit is sent alone.
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
