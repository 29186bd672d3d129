/** A child's slot: acquired, released while the child waits, and exchanged when it changes provider. */
import type { Permit } from "../../child/child.ts";
import { type Clock, sleepUntil } from "../../clock.ts";
import type { Slot } from "./occupied-slots.ts";
import type { Scheduler, WaitStatus } from "./scheduler.ts";

export type ChildSlot = {
  /** Returns false if the signal aborted before a slot was free. */
  acquire(provider: string, signal: AbortSignal): Promise<boolean>;
  /** Returns a slot and a permit for one request; undefined if the signal aborted first. */
  admit(provider: string, tokens: () => number, signal: AbortSignal): Promise<Permit | undefined>;
  /** Waits without a slot; returns early if the signal aborts. The next request queues for a slot. */
  pause(delayMs: number, signal: AbortSignal): Promise<void>;
  /** Like `pause`, until a moment in milliseconds since the epoch. */
  sleepUntil(until: number, signal: AbortSignal): Promise<void>;
  /** Releases the slot. The next request queues for one. */
  release(): void;
};

/** @param onWait receives what the child waits for */
export function createChildSlot(
  scheduler: Scheduler,
  clock: Clock,
  onWait: (provider: string, what: WaitStatus) => void,
): ChildSlot {
  let slot: Slot | undefined;
  function release(): void {
    slot?.release();
    slot = undefined;
  }
  return {
    async acquire(provider, signal) {
      slot?.release();
      const moved = (place: number) => onWait(provider, { place });
      slot = await scheduler.queue(provider, signal, moved).catch(() => undefined);
      return slot !== undefined;
    },
    async admit(provider, tokens, signal) {
      const waiting = scheduler.admit(slot, provider, tokens, signal, (what) => onWait(provider, what));
      const admission = await waiting.catch(() => undefined);
      slot = admission?.slot;
      return admission?.permit;
    },
    async pause(delayMs, signal) {
      release();
      await clock.sleep(delayMs, signal).catch(() => {});
    },
    async sleepUntil(until, signal) {
      release();
      await sleepUntil(clock, until, signal).catch(() => {});
    },
    release,
  };
}
