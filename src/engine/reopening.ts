/** A run that goes on: recalled from the journal, its routes as they lead today, and the fact of it put on record. */
import { isDeepStrictEqual } from "node:util";
import type { Clock } from "../clock.ts";
import { DeputyError } from "../errors.ts";
import type { StoredEvent } from "../event.ts";
import type { Journal } from "../journal/journal.ts";
import type { Tally } from "../result.ts";
import type { Route } from "../route.ts";
import { burial } from "./burial.ts";
import { type Recalled, recallRun } from "./register.ts";
import { canGoOn, foldRun, hasEnded, isChildEvent, type Run, wasCutOff } from "./run.ts";
import type { Setup } from "./setup.ts";

export type ResumeFacts = Pick<
  Extract<StoredEvent, { kind: "delegation-resume" }>,
  "renewed" | "maxCostUsd" | "server"
>;

export type Reopening = {
  recalledFor(delegationId: string, server: string | undefined): Promise<Recalled>;
  reopen(recalled: Recalled, facts: ResumeFacts, more: readonly StoredEvent[]): Promise<StoredEvent[]>;
};

export function createReopening({ clock, journal, pid }: { clock: Clock; journal: Journal; pid: number }): Reopening {
  /** A run to go on with. What somebody has asked to stop before the crash has its end now, where a server goes on with it. */
  async function recalledFor(delegationId: string, server: string | undefined): Promise<Recalled> {
    const recalled = recallRun(journal, delegationId);
    const { run } = recalled;
    const asked = run.children.filter((child) => child.stopAskedBy !== undefined && !hasEnded(child));
    if (server === undefined || asked.length === 0 || !wasCutOff(run)) return recalled;
    for (const { tally, stopAskedBy = "" } of asked)
      await journal.append(burial(run, stopAskedBy, clock.now(), tally.childId));
    return recallRun(journal, delegationId);
  }

  /** @returns what is on record now before its children go on */
  async function reopen(
    { run, past }: Recalled,
    facts: ResumeFacts,
    more: readonly StoredEvent[],
  ): Promise<StoredEvent[]> {
    const { delegationId } = run;
    const resumed: StoredEvent = { kind: "delegation-resume", at: clock.now(), delegationId, pid, ...facts };
    await journal.append([resumed, ...more]);
    for (const event of [resumed, ...more]) {
      foldRun(run, event);
      if (isChildEvent(event)) past.set(event.childId, [...(past.get(event.childId) ?? []), event]);
    }
    return [resumed, ...more];
  }

  return { recalledFor, reopen };
}

/**
 * The route of a conversation's next turn, where it differs from the last one's: another that was chosen, or the same as
 * it leads today. @throws DeputyError `nothing-to-run` where that cannot be had any more
 */
export function nextRoute({ planned, childId }: Tally, setup: Setup, chosen: Route | undefined): Record<string, Route> {
  if ("problem" in planned) throw new Error(`${childId}: a conversation without a route`);
  const next = chosen === undefined ? setup.renew(planned.route) : { route: chosen };
  if ("problem" in next) throw new DeputyError("nothing-to-run", next.problem.message, { details: next.problem });
  return isDeepStrictEqual(next.route, planned.route) ? {} : { [childId]: next.route };
}

type Renewal = { renewed: Record<string, Route>; ends: StoredEvent[] };

/**
 * The routes of a run's open children as they lead today. A child whose route is gone ends, and its ending says why. Where
 * a server goes on by itself, one that was stopped ends once more as it had ended.
 */
export function renewRoutes({ delegationId, children }: Run, setup: Setup, at: number, server?: string): Renewal {
  const renewal: Renewal = { renewed: {}, ends: [] };
  for (const child of children) {
    const { planned, childId, ending, durationMs } = child.tally;
    if (!canGoOn(child) || "problem" in planned) continue;
    if (server !== undefined && ending !== undefined) {
      renewal.ends.push({ kind: "child-end", at, delegationId, childId, ending, durationMs });
      continue;
    }
    const today = setup.renew(planned.route);
    if ("route" in today) {
      if (!isDeepStrictEqual(today.route, planned.route)) renewal.renewed[childId] = today.route;
    } else {
      const failure = { kind: "invalid-request", message: `It cannot go on: ${today.problem.message}` } as const;
      const ending = { status: "failed", failure, text: "" } as const;
      renewal.ends.push({ kind: "child-end", at, delegationId, childId, ending, durationMs: 0 });
    }
  }
  return renewal;
}
