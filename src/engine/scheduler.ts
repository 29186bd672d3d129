/**
 * Who runs next: first come, first served, under one cap for the process and a gate per provider. A child whose
 * provider is full does not hold up the ones behind it. Pure: it knows no time and no network.
 */

/** Waiting children beyond this place are not told that they moved. */
const TOLD_PLACES = 50;

export type Place = {
  readonly provider: string;
  /** Gives the place back; a second call does nothing. */
  release(): void;
};

export type Scheduler = {
  /**
   * Waits for a place. `moved` is told the place in the queue (1 is next) at once and whenever it changes.
   * Rejects with the signal's reason where it aborts first.
   */
  queue(provider: string, signal: AbortSignal, moved?: (place: number) => void): Promise<Place>;
  /** Sets the caps, in children at once. Places already given stay given. */
  setCaps(cap: number, capOf: (provider: string) => number): void;
  readonly running: number;
  readonly waiting: number;
};

type Waiting = {
  provider: string;
  place: number;
  moved: ((place: number) => void) | undefined;
  start(place: Place): void;
};

export function createScheduler(cap = Number.POSITIVE_INFINITY): Scheduler {
  let capOf: (provider: string) => number = () => Number.POSITIVE_INFINITY;
  let waiting: Waiting[] = [];
  let running = 0;
  const runningAt = new Map<string, number>();

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
        admit();
      },
    };
  }

  function hasRoom(provider: string): boolean {
    return running < cap && (runningAt.get(provider) ?? 0) < capOf(provider);
  }

  /** Starts everyone who may start, in order; then tells the rest where they stand. */
  function admit(): void {
    const left: Waiting[] = [];
    for (const [index, next] of waiting.entries()) {
      if (running >= cap) {
        left.push(...waiting.slice(index));
        break;
      }
      if (hasRoom(next.provider)) next.start(givePlace(next.provider));
      else left.push(next);
    }
    waiting = left;
    for (const [index, { moved, place }] of waiting.slice(0, TOLD_PLACES).entries()) {
      if (place === index + 1) continue;
      const entry = waiting[index];
      if (entry !== undefined) entry.place = index + 1;
      moved?.(index + 1);
    }
  }

  return {
    queue(provider, signal, moved) {
      return new Promise((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason);
        const leave = () => {
          waiting = waiting.filter((other) => other !== entry);
          reject(signal.reason);
          admit();
        };
        const entry: Waiting = {
          provider,
          place: 0,
          moved,
          start(place) {
            signal.removeEventListener("abort", leave);
            resolve(place);
          },
        };
        signal.addEventListener("abort", leave, { once: true });
        waiting.push(entry);
        admit();
        if (entry.place === 0 && waiting.at(-1) === entry) moved?.(waiting.length);
      });
    },
    setCaps(newCap, newCapOf) {
      cap = newCap;
      capOf = newCapOf;
      admit();
    },
    get running() {
      return running;
    },
    get waiting() {
      return waiting.length;
    },
  };
}
