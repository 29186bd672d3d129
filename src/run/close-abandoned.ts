/** The end of a run whose process has died, told by another: who was open was interrupted, down the whole tree. */
import type { StoredEvent } from "../event.ts";
import { foldRun, hasEnded, interruption, nestedUsage, type Run, type RunChild } from "./run.ts";

/** What is to be said, in this order; folded into the run already. @param target one child instead of all */
export function closeAbandoned(run: Run, by: string, at: number, target?: string): StoredEvent[] {
  const { delegationId, children } = run;
  const open = children.filter((child) => !hasEnded(child));
  const stopped = open.filter(({ tally }) => target === undefined || tally.childId === target);
  const ends = stopped.flatMap((child) => closeChild(child, run, by, at));
  const isOver = stopped.length === open.length;
  return [...ends, ...(isOver ? [folded(run, { kind: "delegation-end", at, delegationId })] : [])];
}

/** First what it delegated, then what that has used, then the child itself. */
function closeChild({ tally, delegations }: RunChild, run: Run, by: string, at: number): StoredEvent[] {
  const { childId, planned } = tally;
  const { delegationId } = run;
  const below = delegations.filter(({ endedAt }) => endedAt === undefined);
  return [
    ...below.flatMap((nested) => [
      ...closeAbandoned(nested, by, at),
      folded(run, { kind: "delegation-charge", at, delegationId, childId, charge: nestedUsage(nested, planned) }),
    ]),
    folded(run, interruption(delegationId, childId, by, at)),
  ];
}

function folded(run: Run, event: StoredEvent): StoredEvent {
  foldRun(run, event);
  return event;
}
