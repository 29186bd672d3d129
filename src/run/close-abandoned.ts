/**
 * Ends an abandoned run, whose process has died: its open children are recorded as interrupted, down the whole tree.
 */
import type { StoredEvent } from "../event.ts";
import { foldRun, hasEnded, interruption, nestedUsage, type Run, type RunChild } from "./run.ts";

/** Returns the events to record, in order, already folded into the run. @param target one child instead of all */
export function closeAbandoned(run: Run, by: string, at: number, target?: string): StoredEvent[] {
  const { delegationId, children } = run;
  const open = children.filter((child) => !hasEnded(child));
  const stopped = open.filter(({ tally }) => target === undefined || tally.childId === target);
  const ends = stopped.flatMap((child) => closeChild(child, run, by, at));
  const isOver = stopped.length === open.length;
  return [...ends, ...(isOver ? [folded(run, { kind: "delegation-end", at, delegationId })] : [])];
}

/** Ends the child's delegations first, then records their usage, then ends the child itself. */
function closeChild({ tally, delegations }: RunChild, run: Run, by: string, at: number): StoredEvent[] {
  const { childId } = tally;
  const { delegationId } = run;
  const below = delegations.filter(({ endedAt }) => endedAt === undefined);
  return [
    ...below.flatMap((nested) => [
      ...closeAbandoned(nested, by, at),
      folded(run, { kind: "delegation-charge", at, delegationId, childId, charge: nestedUsage(nested, tally) }),
    ]),
    folded(run, interruption(delegationId, childId, by, at)),
  ];
}

function folded(run: Run, event: StoredEvent): StoredEvent {
  foldRun(run, event);
  return event;
}
