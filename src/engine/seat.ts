/** A child's place among the running: taken, given back while it waits, changed for one at another provider. */
import type { Clock } from "../clock.ts";
import type { Place, Scheduler } from "./scheduler.ts";

export type Seat = {
  /** False where the signal aborted before a place was free. */
  take(provider: string, signal: AbortSignal): Promise<boolean>;
  /** Waits without a place, then queues for one again; early where the signal aborts. */
  pause(delayMs: number, signal: AbortSignal): Promise<void>;
  moveTo(provider: string, signal: AbortSignal): Promise<void>;
  leave(): void;
};

/** @param moved is told the place in the queue while the child waits */
export function createSeat(scheduler: Scheduler, clock: Clock, moved: (place: number) => void): Seat {
  let place: Place | undefined;
  async function take(provider: string, signal: AbortSignal): Promise<boolean> {
    place?.release();
    place = await scheduler.queue(provider, signal, moved).catch(() => undefined);
    return place !== undefined;
  }
  return {
    take,
    async pause(delayMs, signal) {
      const provider = place?.provider;
      place?.release();
      await clock.sleep(delayMs, signal).catch(() => {});
      if (provider !== undefined && !signal.aborted) await take(provider, signal);
    },
    async moveTo(provider, signal) {
      if (place?.provider !== provider) await take(provider, signal);
    },
    leave: () => place?.release(),
  };
}
