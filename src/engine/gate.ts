/**
 * One provider's gate: when the next request may leave. It holds what the operator allows (requests and tokens per
 * minute) and what the provider itself has shown it can take: a refusal for its rate narrows the gate and may close it
 * for a while, answers widen it again. Arithmetic on a clock that is handed in; it waits for nothing and asks nobody.
 */
import type { Outcome, Pass } from "../child/child.ts";
import type { FailureKind } from "../errors.ts";

export type ProviderLimits = {
  /** Children at once. */
  concurrent?: number | undefined;
  requestsPerMinute?: number | undefined;
  tokensPerMinute?: number | undefined;
};

/** What keeps a request from leaving: for how long, or until one that is under way has ended. */
export type GateWait = { limit: string; forMs: number };

export type Gate = {
  /** What is in the way of a request now; undefined where it may leave. @param tokens asked only where tokens count */
  wait(tokens: () => number): GateWait | undefined;
  /** A request leaves. */
  pass(tokens: () => number): Pass;
  setLimits(limits: ProviderLimits): void;
};

/** A minute, and what two requests may gain on one another on their way. */
const MINUTE_MS = 61_000;
/** The first wait where a provider does not say how long, in milliseconds; doubled each time, with jitter on half of it. */
const FIRST_HOLD_MS = 2_000;
const MAX_HOLD_MS = 60_000;
/** A provider that says to wait for longer is not waited for here: each child decides for itself. */
const LONGEST_HOLD_MS = 10 * 60_000;
/** How fast the gate widens towards what was too many before, where 1 is one more for each round of answers. */
const CAUTION = 1 / 8;
/** After so long without a refusal it is as if there had been none. */
const FORGOTTEN_MS = 10 * 60_000;

/** Failures that say a provider has had enough: `hold` closes the gate until it may be asked again. */
const SETBACKS: Partial<Record<FailureKind, "hold" | "narrow">> = { "rate-limited": "hold", overloaded: "narrow" };

type Entry = { at: number; tokens: number };

/** @param now milliseconds that only grow @param random from 0 to 1 @param changed a request ended: who waits may go */
export function createGate(now: () => number, random: () => number, changed: () => void): Gate {
  let limits: ProviderLimits = {};
  /** Requests of the last minute, oldest first; kept only where they count. */
  let sent: Entry[] = [];
  let inFlight = 0;
  /** Of these, the ones that left after the last setback; those before it say nothing new. */
  let era = 0;
  let inEra = 0;
  /** Most requests in flight that the provider has shown to take. */
  let width = Number.POSITIVE_INFINITY;
  /** As many together were refused the last time. */
  let tooMany = Number.POSITIVE_INFINITY;
  let heldUntil = 0;
  /** It was closed, and has answered nothing since: one request goes ahead and finds out. */
  let probing = false;
  let setbacks = 0;
  let lastSetbackAt = 0;

  function setBack(kind: "hold" | "narrow", backInMs: number, leftIn: number): void {
    const isNews = leftIn === era;
    const holds = kind === "hold" || backInMs > 0;
    if (isNews) {
      era += 1;
      inEra = 0;
      // A request that went ahead alone and was refused says nothing about how many may go together.
      if (!probing) {
        tooMany = Math.min(width, inFlight);
        width = Math.max(1, Math.floor(tooMany / 2));
      }
      lastSetbackAt = now();
      probing ||= holds;
    }
    if (!holds || backInMs > LONGEST_HOLD_MS) return;
    const guessMs = () => Math.min(MAX_HOLD_MS, FIRST_HOLD_MS * 2 ** setbacks++) * (0.5 + random() / 2);
    heldUntil = Math.max(heldUntil, now() + (backInMs > 0 || !isNews ? backInMs : guessMs()));
  }

  function accepted(leftIn: number): void {
    if (leftIn !== era || (!probing && width === Number.POSITIVE_INFINITY)) return;
    // What it took to get through is remembered for the next time, by half.
    if (probing) setbacks = Math.floor(setbacks / 2);
    probing = false;
    const isForgotten = now() - lastSetbackAt > FORGOTTEN_MS;
    const step = width + 1 < tooMany ? 1 : CAUTION;
    width = isForgotten ? Number.POSITIVE_INFINITY : width + step / width;
    changed();
  }

  function ended(entry: Entry | undefined, leftIn: number, { setback, tokens, unsent }: Outcome): void {
    if (entry !== undefined && tokens !== undefined) entry.tokens = tokens;
    if (entry !== undefined && unsent) sent = sent.filter((other) => other !== entry);
    const kind = setback && SETBACKS[setback.kind];
    if (setback && kind) setBack(kind, setback.backInMs, leftIn);
    inFlight -= 1;
    if (leftIn === era) inEra -= 1;
    // A gate without limits was open before, and still is.
    if (entry !== undefined || probing || width !== Number.POSITIVE_INFINITY) changed();
  }

  const counts = () => limits.requestsPerMinute !== undefined || limits.tokensPerMinute !== undefined;

  function forgetOld(): void {
    const gone = sent.findIndex(({ at }) => at > now() - MINUTE_MS);
    if (gone !== 0) sent = gone < 0 ? [] : sent.slice(gone);
  }

  /** Until the entry at `index` is a minute old. */
  const untilGone = (index: number) => Math.max(1, (sent[index]?.at ?? 0) + MINUTE_MS - now());

  function minuteWait(tokens: () => number): GateWait | undefined {
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
    wait(tokens) {
      const heldMs = heldUntil === 0 ? 0 : heldUntil - now();
      if (heldMs > 0) return { limit: "rate limit", forMs: heldMs };
      if ((probing && inEra > 0) || inFlight >= Math.floor(width))
        return { limit: "rate limit", forMs: Number.POSITIVE_INFINITY };
      return counts() ? minuteWait(tokens) : undefined;
    },
    pass(tokens) {
      inFlight += 1;
      inEra += 1;
      const entry = counts() ? { at: now(), tokens: limits.tokensPerMinute === undefined ? 0 : tokens() } : undefined;
      if (entry !== undefined) sent.push(entry);
      const leftIn = era;
      let open = true;
      let isAccepted = false;
      return {
        accepted() {
          if (isAccepted || !open) return;
          isAccepted = true;
          accepted(leftIn);
        },
        end(outcome = {}) {
          if (!open) return;
          open = false;
          ended(entry, leftIn, outcome);
        },
      };
    },
    setLimits(wanted) {
      limits = wanted;
    },
  };
}
