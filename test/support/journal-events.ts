/** Small valid events for journal tests, distinguished by a number, and a check of their order. */
import type { StoredEvent } from "../../src/event.ts";
import { createRunInvariants, invariantError, type RunInvariants } from "../../src/journal/invariants.ts";
import type { Entry } from "../../src/journal/journal.ts";

export function stepStart(number: number, delegationId = "d1"): StoredEvent {
  const childId = `${delegationId}.1`;
  return { kind: "step-start", at: 1_000 + number, delegationId, childId, step: number };
}

export function delegationStart(delegationId: string): StoredEvent {
  const facts = { call: { tasks: [] }, planned: [], surface: "test", warnings: [] };
  return { kind: "delegation-start", at: 1_000, delegationId, ...facts };
}

export function stopRequest(delegationId: string): StoredEvent {
  return { kind: "stop-request", at: 1_000, delegationId, by: "test" };
}

/** The numbers of a list of entries, as passed to `stepStart`. */
export function numbersOf(entries: AsyncIterable<Entry>): Promise<number[]> {
  return Array.fromAsync(entries, numberOf);
}

export function numberOf({ event }: Entry): number {
  if (event.kind !== "step-start") throw new Error(`Expected step-start, found ${event.kind}`);
  return event.step;
}

/** Returns the violations of the event order in a journal, run by run. */
export function mistakesIn(events: readonly StoredEvent[]): string[] {
  const orders = new Map<string, RunInvariants>();
  return events.flatMap((event) => {
    const order = orders.get(event.delegationId) ?? createRunInvariants();
    orders.set(event.delegationId, order);
    return invariantError(order, event) ?? [];
  });
}
