/** Small true events for journal tests, told apart by a number. */
import type { StoredEvent } from "../../src/event.ts";
import type { Entry } from "../../src/journal/journal.ts";

export function stepStart(number: number, delegationId = "d1"): StoredEvent {
  const childId = `${delegationId}.1`;
  return { kind: "step-start", at: 1_000 + number, delegationId, childId, step: number };
}

export function stopRequest(delegationId: string): StoredEvent {
  return { kind: "stop-request", at: 1_000, delegationId, by: "test" };
}

/** The numbers of a list of entries: what `stepStart` was given. */
export function numbersOf(entries: Iterable<Entry>): number[] {
  return Array.from(entries, numberOf);
}

export function numberOf({ event }: Entry): number {
  if (event.kind !== "step-start") throw new Error(`Expected step-start, found ${event.kind}`);
  return event.step;
}
