/**
 * The scheduler: first come, first served, under one cap for the process and a rate limiter per provider. Children that
 * have not begun wait to start; running ones wait, without a slot, for their provider's permit to send a request, and
 * have priority. A full provider does not block children of other providers. The clock is an argument, and nothing here
 * uses the network.
 */
import type { Permit } from "../../child/child.ts";
import type { Clock } from "../../clock.ts";
import { type Alarm, createAlarm } from "./alarm.ts";
import { createOccupiedSlots, type OccupiedSlots, type Slot } from "./occupied-slots.ts";
import { createRateLimiter, type ProviderLimits, type RateLimiter, type RateLimitWait } from "./rate-limiter.ts";

/** Waiting children beyond this position are not told when they move. */
const REPORTED_POSITIONS = 50;

/** State of a waiting child: its place in the queue (1 is next), or its provider's rate limiter. */
export type WaitStatus = { place: number } | RateLimitWait;

/** A slot, and a permit to send a request. */
export type RequestGrant = { slot: Slot; permit: Permit };

export type Scheduler = {
  /**
   * Waits for a slot to start in. `moved` receives the place in the queue at once and on every change. Rejects with the
   * signal's reason when it aborts first.
   */
  queue(provider: string, signal: AbortSignal, moved?: (place: number) => void): Promise<Slot>;
  /**
   * Waits until a request may be sent. The given slot is kept if that is at once, and released otherwise. Rejects with
   * the signal's reason when it aborts first.
   * @param tokens expected tokens of the request; called only if a limit needs them
   */
  admit(
    place: Slot | undefined,
    provider: string,
    tokens: () => number,
    signal: AbortSignal,
    told?: (what: WaitStatus) => void,
  ): Promise<RequestGrant>;
  /** Sets the cap on concurrent children, and each provider's limits. Acquired slots stay acquired. */
  setCaps(cap: number, limitsOf: (provider: string) => ProviderLimits): void;
  readonly running: number;
  readonly waiting: number;
};

type Waiting = {
  provider: string;
  tokens: () => number;
  place: number;
  /** The rate limit that the child was told about. */
  limit?: string;
  onWait: ((what: WaitStatus) => void) | undefined;
  grant(place: Slot): void;
};

type Queues = {
  cap: number;
  limitsOf: (provider: string) => ProviderLimits;
  /** Running children that wait to send a request. */
  requests: Waiting[];
  /** Children that have not begun. */
  starts: Waiting[];
  readonly occupied: OccupiedSlots;
  /** Returns a provider's rate limiter. */
  limiterOf(provider: string): RateLimiter;
  readonly alarm: Alarm;
};

const NO_TOKENS = () => 0;

export function createScheduler(
  { clock, random }: { clock: Clock; random: () => number },
  cap = Number.POSITIVE_INFINITY,
): Scheduler {
  const limiters = new Map<string, RateLimiter>();
  const queues: Queues = {
    cap,
    limitsOf: () => ({}),
    requests: [],
    starts: [],
    occupied: createOccupiedSlots(() => drain(queues)),
    limiterOf,
    alarm: createAlarm(clock, () => drain(queues)),
  };

  function limiterOf(provider: string): RateLimiter {
    const known = limiters.get(provider);
    if (known !== undefined) return known;
    const limiter = createRateLimiter(clock.elapsed, random, () => drain(queues));
    limiter.setLimits(queues.limitsOf(provider));
    limiters.set(provider, limiter);
    return limiter;
  }

  return {
    queue: (provider, signal, moved) => waitToStart(queues, provider, signal, moved),
    admit: (slot, provider, tokens, signal, onWait) => waitToSend(queues, slot, { provider, tokens, onWait }, signal),
    setCaps(newCap, limitsOf) {
      queues.cap = newCap;
      queues.limitsOf = limitsOf;
      for (const [provider, limiter] of limiters) limiter.setLimits(limitsOf(provider));
      drain(queues);
    },
    get running() {
      return queues.occupied.total;
    },
    get waiting() {
      return waitingIn(queues);
    },
  };
}

function waitToStart(
  queues: Queues,
  provider: string,
  signal: AbortSignal,
  moved: ((place: number) => void) | undefined,
): Promise<Slot> {
  const onWait = moved && ((what: WaitStatus) => "place" in what && moved(what.place));
  const join = (entry: Waiting) => {
    queues.starts.push(entry);
    const place = waitingIn(queues);
    // Beyond the reported positions, a child receives its position once.
    if (place > REPORTED_POSITIONS && isFull(queues)) reportPosition(entry, place);
  };
  return waitForTurn<Slot>(queues, join, signal, (grant) => ({
    provider,
    tokens: NO_TOKENS,
    place: 0,
    onWait,
    grant,
  }));
}

async function waitToSend(
  queues: Queues,
  slot: Slot | undefined,
  request: Pick<Waiting, "provider" | "tokens" | "onWait">,
  signal: AbortSignal,
): Promise<RequestGrant> {
  const { provider, tokens } = request;
  const limiter = queues.limiterOf(provider);
  const isFirst = !queues.requests.some((other) => other.provider === provider);
  if (slot?.provider === provider && isFirst && limiter.check(tokens) === undefined)
    return { slot, permit: limiter.acquire(tokens) };
  const join = (entry: Waiting) => queues.requests.push(entry);
  const admitted = waitForTurn<RequestGrant>(queues, join, signal, (resolve) => ({
    ...request,
    place: 0,
    grant: (given) => resolve({ slot: given, permit: limiter.acquire(tokens) }),
  }));
  slot?.release();
  return admitted;
}

/** Waits in one of the two queues, and leaves it when the signal aborts. */
function waitForTurn<Given>(
  queues: Queues,
  join: (entry: Waiting) => void,
  signal: AbortSignal,
  entryOf: (resolve: (given: Given) => void) => Waiting,
): Promise<Given> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const giveUp = () => {
      queues.requests = queues.requests.filter((other) => other !== entry);
      queues.starts = queues.starts.filter((other) => other !== entry);
      reject(signal.reason);
      drain(queues);
    };
    const entry = entryOf((given) => {
      signal.removeEventListener("abort", giveUp);
      resolve(given);
    });
    signal.addEventListener("abort", giveUp, { once: true });
    join(entry);
    drain(queues);
  });
}

/** Grants what it can, in order; reports positions to the rest; sets the alarm for when a rate limiter opens. */
function drain(queues: Queues): void {
  if (waitingIn(queues) === 0 && !queues.alarm.isSet) return;
  const closed = new Map<string, RateLimitWait>();
  queues.requests = drainQueue(queues, queues.requests, closed);
  queues.starts = drainQueue(queues, queues.starts, closed);
  reportPositions(queues);
  const opens = Math.min(...[...closed.values()].map(({ forMs }) => forMs));
  queues.alarm.set(Number.isFinite(opens) ? opens : undefined);
}

function drainQueue(queues: Queues, queue: Waiting[], closed: Map<string, RateLimitWait>): Waiting[] {
  if (isFull(queues) || queue.length === 0) return queue;
  const left: Waiting[] = [];
  for (const [index, next] of queue.entries()) {
    if (isFull(queues)) return left.concat(queue.slice(index));
    // No request overtakes another at a rate limiter: a small one behind a large one waits too.
    const wait = closed.get(next.provider) ?? queues.limiterOf(next.provider).check(next.tokens);
    if (wait !== undefined) {
      closed.set(next.provider, wait);
      reportLimit(next, wait);
    }
    if (wait === undefined && hasRoom(queues, next.provider)) next.grant(queues.occupied.take(next.provider));
    else left.push(next);
  }
  return left;
}

function waitingIn({ requests, starts }: Queues): number {
  return requests.length + starts.length;
}

function isFull({ occupied, cap }: Queues): boolean {
  return occupied.total >= cap;
}

function hasRoom(queues: Queues, provider: string): boolean {
  const { concurrent = Number.POSITIVE_INFINITY } = queues.limitsOf(provider);
  return !isFull(queues) && queues.occupied.at(provider) < concurrent;
}

function reportLimit(entry: Waiting, wait: RateLimitWait): void {
  if (entry.limit === wait.limit) return;
  entry.limit = wait.limit;
  entry.onWait?.(wait);
}

function reportPositions({ requests, starts }: Queues): void {
  const first = requests.slice(0, REPORTED_POSITIONS);
  first.push(...starts.slice(0, REPORTED_POSITIONS - first.length));
  for (const [index, entry] of first.entries()) reportPosition(entry, index + 1);
}

function reportPosition(entry: Waiting, place: number): void {
  if (entry.place === place) return;
  entry.place = place;
  if (entry.limit === undefined) entry.onWait?.({ place });
}
