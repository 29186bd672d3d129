/** A child's place among the running: taken, given back while it waits, changed for one at another provider. */
import type { Pass } from "../child/child.ts";
import { type Clock, sleepUntil } from "../clock.ts";
import type { Place, Scheduler, Told } from "./scheduler.ts";

export type Seat = {
  /** False where the signal aborted before a place was free. */
  take(provider: string, signal: AbortSignal): Promise<boolean>;
  /** A place, and leave to send one request; undefined where the signal aborted first. */
  admit(provider: string, tokens: () => number, signal: AbortSignal): Promise<Pass | undefined>;
  /** Waits without a place; early where the signal aborts. The next request queues for one. */
  pause(delayMs: number, signal: AbortSignal): Promise<void>;
  /** The same, until a moment in milliseconds since the epoch. */
  sleepUntil(until: number, signal: AbortSignal): Promise<void>;
  /** Gives the place back. The next request queues for one. */
  leave(): void;
};

/** @param told hears what the child waits for */
export function createSeat(scheduler: Scheduler, clock: Clock, told: (provider: string, what: Told) => void): Seat {
  let place: Place | undefined;
  function leave(): void {
    place?.release();
    place = undefined;
  }
  return {
    async take(provider, signal) {
      place?.release();
      const moved = (place: number) => told(provider, { place });
      place = await scheduler.queue(provider, signal, moved).catch(() => undefined);
      return place !== undefined;
    },
    async admit(provider, tokens, signal) {
      const waiting = scheduler.admit(place, provider, tokens, signal, (what) => told(provider, what));
      const admission = await waiting.catch(() => undefined);
      place = admission?.place;
      return admission?.pass;
    },
    async pause(delayMs, signal) {
      leave();
      await clock.sleep(delayMs, signal).catch(() => {});
    },
    async sleepUntil(until, signal) {
      leave();
      await sleepUntil(clock, until, signal).catch(() => {});
    },
    leave,
  };
}
