/**
 * Who goes next: first come, first served, under one cap for the process and a rate limiter per provider. Children that have
 * not begun wait to start; those at work wait, without a place, for their provider's leave to send a request, and go
 * before the others. Whose provider is full does not hold up those behind. It gets its clock and knows no network.
 */
import type { Permit } from "../../child/child.ts";
import type { Clock } from "../../clock.ts";
import { createRateLimiter, type ProviderLimits, type RateLimiter, type RateLimitWait } from "./rate-limiter.ts";

/** Waiting children beyond this place are not told that they moved. */
const REPORTED_POSITIONS = 50;

export type Slot = {
  readonly provider: string;
  /** Gives the place back; a second call does nothing. */
  release(): void;
};

/** What a waiting child is told: its place in the queue (1 is next), or what keeps its provider's rate limiter closed. */
export type WaitStatus = { place: number } | RateLimitWait;

/** A request that may leave: the child's place, and the leave itself. */
export type RequestGrant = { slot: Slot; permit: Permit };

export type Scheduler = {
  /**
   * Waits for a place to start in. `moved` is told the place in the queue at once and whenever it changes.
   * Rejects with the signal's reason where it aborts first.
   */
  queue(provider: string, signal: AbortSignal, moved?: (place: number) => void): Promise<Slot>;
  /**
   * Waits until a request may leave. The place that is handed in is kept where that is at once, and given back where
   * it is not. Rejects with the signal's reason where it aborts first.
   * @param tokens what the request is expected to take; asked only where a limit needs it
   */
  admit(
    place: Slot | undefined,
    provider: string,
    tokens: () => number,
    signal: AbortSignal,
    told?: (what: WaitStatus) => void,
  ): Promise<RequestGrant>;
  /** Sets the cap, in children at once, and what each provider takes. Places already given stay given. */
  setCaps(cap: number, limitsOf: (provider: string) => ProviderLimits): void;
  readonly running: number;
  readonly waiting: number;
};

type Waiting = {
  provider: string;
  tokens: () => number;
  place: number;
  /** What it was told of its provider's rate limiter. */
  limit?: string;
  onWait: ((what: WaitStatus) => void) | undefined;
  grant(place: Slot): void;
};

const NO_TOKENS = () => 0;

export function createScheduler(
  { clock, random }: { clock: Clock; random: () => number },
  cap = Number.POSITIVE_INFINITY,
): Scheduler {
  let limitsOf: (provider: string) => ProviderLimits = () => ({});
  /** At work, and about to ask. */
  let requestQueue: Waiting[] = [];
  /** Not begun. */
  let startQueue: Waiting[] = [];
  let running = 0;
  const runningAt = new Map<string, number>();
  const limiters = new Map<string, RateLimiter>();
  let alarm: { at: number; controller: AbortController } | undefined;

  function limiterOf(provider: string): RateLimiter {
    const known = limiters.get(provider);
    if (known !== undefined) return known;
    const limiter = createRateLimiter(clock.elapsed, random, drain);
    limiter.setLimits(limitsOf(provider));
    limiters.set(provider, limiter);
    return limiter;
  }

  function occupy(provider: string, change: 1 | -1): void {
    running += change;
    runningAt.set(provider, (runningAt.get(provider) ?? 0) + change);
  }

  function grantSlot(provider: string): Slot {
    occupy(provider, 1);
    let given = true;
    return {
      provider,
      release() {
        if (!given) return;
        given = false;
        occupy(provider, -1);
        drain();
      },
    };
  }

  function hasRoom(provider: string): boolean {
    const { concurrent = Number.POSITIVE_INFINITY } = limitsOf(provider);
    return running < cap && (runningAt.get(provider) ?? 0) < concurrent;
  }

  /** Lets everyone in who may come in, in order; tells the rest where they stand; wakes when a rate limiter opens. */
  function drain(): void {
    if (requestQueue.length + startQueue.length === 0 && alarm === undefined) return;
    const closed = new Map<string, RateLimitWait>();
    requestQueue = drainQueue(requestQueue, closed);
    startQueue = drainQueue(startQueue, closed);
    reportPositions();
    const opens = Math.min(...[...closed.values()].map(({ forMs }) => forMs));
    setAlarm(Number.isFinite(opens) ? opens : undefined);
  }

  function drainQueue(queue: Waiting[], closed: Map<string, RateLimitWait>): Waiting[] {
    if (running >= cap || queue.length === 0) return queue;
    const left: Waiting[] = [];
    for (const [index, next] of queue.entries()) {
      if (running >= cap) return left.concat(queue.slice(index));
      // Nobody overtakes at a rate limiter: a small request behind a large one waits too.
      const wait = closed.get(next.provider) ?? limiterOf(next.provider).check(next.tokens);
      if (wait !== undefined) {
        closed.set(next.provider, wait);
        reportLimit(next, wait);
      }
      if (wait === undefined && hasRoom(next.provider)) next.grant(grantSlot(next.provider));
      else left.push(next);
    }
    return left;
  }

  function reportLimit(entry: Waiting, wait: RateLimitWait): void {
    if (entry.limit === wait.limit) return;
    entry.limit = wait.limit;
    entry.onWait?.(wait);
  }

  function reportPositions(): void {
    const first = requestQueue.slice(0, REPORTED_POSITIONS);
    first.push(...startQueue.slice(0, REPORTED_POSITIONS - first.length));
    for (const [index, entry] of first.entries()) reportPosition(entry, index + 1);
  }

  function reportPosition(entry: Waiting, place: number): void {
    if (entry.place === place) return;
    entry.place = place;
    if (entry.limit === undefined) entry.onWait?.({ place });
  }

  /** One timer for the rate limiter that opens first; none where nobody waits for one. It keeps the process alive. */
  function setAlarm(forMs: number | undefined): void {
    const at = forMs === undefined ? undefined : Math.ceil(clock.elapsed() + forMs);
    if (alarm?.at === at) return;
    alarm?.controller.abort();
    alarm = undefined;
    if (at === undefined) return;
    const controller = new AbortController();
    const mine = { at, controller };
    alarm = mine;
    const ring = () => {
      if (alarm !== mine) return;
      alarm = undefined;
      drain();
    };
    clock.sleep(at - clock.elapsed(), controller.signal).then(ring, () => {});
  }

  /** Waits in one of the two queues; leaves it where the signal aborts. */
  function waitForTurn<Given>(
    join: (entry: Waiting) => void,
    signal: AbortSignal,
    entryOf: (resolve: (given: Given) => void) => Waiting,
  ): Promise<Given> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const giveUp = () => {
        requestQueue = requestQueue.filter((other) => other !== entry);
        startQueue = startQueue.filter((other) => other !== entry);
        reject(signal.reason);
        drain();
      };
      const entry = entryOf((given) => {
        signal.removeEventListener("abort", giveUp);
        resolve(given);
      });
      signal.addEventListener("abort", giveUp, { once: true });
      join(entry);
      drain();
    });
  }

  return {
    queue(provider, signal, moved) {
      const onWait = moved && ((what: WaitStatus) => "place" in what && moved(what.place));
      const join = (entry: Waiting) => {
        startQueue.push(entry);
        const place = requestQueue.length + startQueue.length;
        // Beyond the places that are told it hears its own once.
        if (place > REPORTED_POSITIONS && running >= cap) reportPosition(entry, place);
      };
      return waitForTurn<Slot>(join, signal, (grant) => ({ provider, tokens: NO_TOKENS, place: 0, onWait, grant }));
    },
    async admit(slot, provider, tokens, signal, onWait) {
      const limiter = limiterOf(provider);
      const isFirst = !requestQueue.some((other) => other.provider === provider);
      if (slot?.provider === provider && isFirst && limiter.check(tokens) === undefined)
        return { slot, permit: limiter.acquire(tokens) };
      const admitted = waitForTurn<RequestGrant>(
        (entry) => requestQueue.push(entry),
        signal,
        (resolve) => ({
          provider,
          tokens,
          place: 0,
          onWait,
          grant: (given) => resolve({ slot: given, permit: limiter.acquire(tokens) }),
        }),
      );
      slot?.release();
      return admitted;
    },
    setCaps(newCap, newLimitsOf) {
      cap = newCap;
      limitsOf = newLimitsOf;
      for (const [provider, limiter] of limiters) limiter.setLimits(limitsOf(provider));
      drain();
    },
    get running() {
      return running;
    },
    get waiting() {
      return requestQueue.length + startQueue.length;
    },
  };
}
