/**
 * Who goes next: first come, first served, under one cap for the process and a gate per provider. Children that have
 * not begun wait to start; those at work wait, without a place, for their provider's leave to send a request, and go
 * before the others. Whose provider is full does not hold up those behind. It gets its clock and knows no network.
 */
import type { Pass } from "../child/child.ts";
import type { Clock } from "../clock.ts";
import { createGate, type Gate, type GateWait, type ProviderLimits } from "./gate.ts";

/** Waiting children beyond this place are not told that they moved. */
const TOLD_PLACES = 50;

export type Place = {
  readonly provider: string;
  /** Gives the place back; a second call does nothing. */
  release(): void;
};

/** What a waiting child is told: its place in the queue (1 is next), or what keeps its provider's gate closed. */
export type Told = { place: number } | GateWait;

/** A request that may leave: the child's place, and the leave itself. */
export type Admission = { place: Place; pass: Pass };

export type Scheduler = {
  /**
   * Waits for a place to start in. `moved` is told the place in the queue at once and whenever it changes.
   * Rejects with the signal's reason where it aborts first.
   */
  queue(provider: string, signal: AbortSignal, moved?: (place: number) => void): Promise<Place>;
  /**
   * Waits until a request may leave. The place that is handed in is kept where that is at once, and given back where
   * it is not. Rejects with the signal's reason where it aborts first.
   * @param tokens what the request is expected to take; asked only where a limit needs it
   */
  admit(
    place: Place | undefined,
    provider: string,
    tokens: () => number,
    signal: AbortSignal,
    told?: (what: Told) => void,
  ): Promise<Admission>;
  /** Sets the cap, in children at once, and what each provider takes. Places already given stay given. */
  setCaps(cap: number, limitsOf: (provider: string) => ProviderLimits): void;
  readonly running: number;
  readonly waiting: number;
};

type Waiting = {
  provider: string;
  tokens: () => number;
  place: number;
  /** What it was told of its provider's gate. */
  limit?: string;
  told: ((what: Told) => void) | undefined;
  go(place: Place): void;
};

const NO_TOKENS = () => 0;

export function createScheduler(
  { clock, random }: { clock: Clock; random: () => number },
  cap = Number.POSITIVE_INFINITY,
): Scheduler {
  let limitsOf: (provider: string) => ProviderLimits = () => ({});
  /** At work, and about to ask. */
  let asking: Waiting[] = [];
  /** Not begun. */
  let starting: Waiting[] = [];
  let running = 0;
  const runningAt = new Map<string, number>();
  const gates = new Map<string, Gate>();
  let alarm: { at: number; controller: AbortController } | undefined;

  function gateOf(provider: string): Gate {
    const known = gates.get(provider);
    if (known !== undefined) return known;
    const gate = createGate(clock.elapsed, random, letIn);
    gate.setLimits(limitsOf(provider));
    gates.set(provider, gate);
    return gate;
  }

  function occupy(provider: string, change: 1 | -1): void {
    running += change;
    runningAt.set(provider, (runningAt.get(provider) ?? 0) + change);
  }

  function givePlace(provider: string): Place {
    occupy(provider, 1);
    let given = true;
    return {
      provider,
      release() {
        if (!given) return;
        given = false;
        occupy(provider, -1);
        letIn();
      },
    };
  }

  function hasRoom(provider: string): boolean {
    const { concurrent = Number.POSITIVE_INFINITY } = limitsOf(provider);
    return running < cap && (runningAt.get(provider) ?? 0) < concurrent;
  }

  /** Lets everyone in who may come in, in order; tells the rest where they stand; wakes when a gate opens. */
  function letIn(): void {
    if (asking.length + starting.length === 0 && alarm === undefined) return;
    const closed = new Map<string, GateWait>();
    asking = leftOf(asking, closed);
    starting = leftOf(starting, closed);
    tellPlaces();
    const opens = Math.min(...[...closed.values()].map(({ forMs }) => forMs));
    setAlarm(Number.isFinite(opens) ? opens : undefined);
  }

  function leftOf(queue: Waiting[], closed: Map<string, GateWait>): Waiting[] {
    if (running >= cap || queue.length === 0) return queue;
    const left: Waiting[] = [];
    for (const [index, next] of queue.entries()) {
      if (running >= cap) return left.concat(queue.slice(index));
      // Nobody overtakes at a gate: a small request behind a large one waits too.
      const wait = closed.get(next.provider) ?? gateOf(next.provider).wait(next.tokens);
      if (wait !== undefined) {
        closed.set(next.provider, wait);
        tellOfGate(next, wait);
      }
      if (wait === undefined && hasRoom(next.provider)) next.go(givePlace(next.provider));
      else left.push(next);
    }
    return left;
  }

  function tellOfGate(entry: Waiting, wait: GateWait): void {
    if (entry.limit === wait.limit) return;
    entry.limit = wait.limit;
    entry.told?.(wait);
  }

  function tellPlaces(): void {
    const first = asking.slice(0, TOLD_PLACES);
    first.push(...starting.slice(0, TOLD_PLACES - first.length));
    for (const [index, entry] of first.entries()) tellPlace(entry, index + 1);
  }

  function tellPlace(entry: Waiting, place: number): void {
    if (entry.place === place) return;
    entry.place = place;
    if (entry.limit === undefined) entry.told?.({ place });
  }

  /** One timer for the gate that opens first; none where nobody waits for one. It keeps the process alive. */
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
      letIn();
    };
    clock.sleep(at - clock.elapsed(), controller.signal).then(ring, () => {});
  }

  /** Waits in one of the two queues; leaves it where the signal aborts. */
  function waitIn<Given>(
    join: (entry: Waiting) => void,
    signal: AbortSignal,
    entryOf: (resolve: (given: Given) => void) => Waiting,
  ): Promise<Given> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const leave = () => {
        asking = asking.filter((other) => other !== entry);
        starting = starting.filter((other) => other !== entry);
        reject(signal.reason);
        letIn();
      };
      const entry = entryOf((given) => {
        signal.removeEventListener("abort", leave);
        resolve(given);
      });
      signal.addEventListener("abort", leave, { once: true });
      join(entry);
      letIn();
    });
  }

  return {
    queue(provider, signal, moved) {
      const told = moved && ((what: Told) => "place" in what && moved(what.place));
      const join = (entry: Waiting) => {
        starting.push(entry);
        const place = asking.length + starting.length;
        // Beyond the places that are told it hears its own once.
        if (place > TOLD_PLACES && running >= cap) tellPlace(entry, place);
      };
      return waitIn<Place>(join, signal, (go) => ({ provider, tokens: NO_TOKENS, place: 0, told, go }));
    },
    async admit(place, provider, tokens, signal, told) {
      const gate = gateOf(provider);
      const isFirst = !asking.some((other) => other.provider === provider);
      if (place?.provider === provider && isFirst && gate.wait(tokens) === undefined)
        return { place, pass: gate.pass(tokens) };
      const admitted = waitIn<Admission>(
        (entry) => asking.push(entry),
        signal,
        (resolve) => ({
          provider,
          tokens,
          place: 0,
          told,
          go: (given) => resolve({ place: given, pass: gate.pass(tokens) }),
        }),
      );
      place?.release();
      return admitted;
    },
    setCaps(newCap, newLimitsOf) {
      cap = newCap;
      limitsOf = newLimitsOf;
      for (const [provider, gate] of gates) gate.setLimits(limitsOf(provider));
      letIn();
    },
    get running() {
      return running;
    },
    get waiting() {
      return asking.length + starting.length;
    },
  };
}
