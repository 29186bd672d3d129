/**
 * Resumes a run: it is loaded from the journal, planned with the current config and keys, and the resume is recorded. A
 * child that cannot continue now is left unchanged for a later resume.
 */

import { isDeepStrictEqual } from "node:util";
import type { Clock } from "../../clock.ts";
import { DeputyError, type Failure, ROUTE_GONE } from "../../errors.ts";
import { type Blocked, JOURNAL_FORMAT, type StoredEvent } from "../../event.ts";
import type { Journal } from "../../journal/journal.ts";
import type { Ready } from "../../plan.ts";
import { type ChildStats, routeAt } from "../../result.ts";
import type { Route } from "../../route.ts";
import type { Routed } from "../../routing/resolve/router.ts";
import { closeAbandoned } from "../../run/close-abandoned.ts";
import { budgetOf, canGoOn, foldRun, hasEnded, isOver, type Run, type RunChild, wasCutOff } from "../../run/run.ts";
import { type LoadedRun, remember } from "../../run/run-store.ts";
import { isInPlace } from "../../system/bound-paths.ts";
import { shortLine } from "../../text/short-line.ts";
import { movedWorkspace } from "../../tools/files/paths/workspace.ts";
import { present } from "../../values/present.ts";
import type { Setup } from "../setup/setup.ts";
import { loadGivenFiles } from "./given-files.ts";
import { loadImages } from "./images.ts";

export type ResumeFacts = Pick<
  Extract<StoredEvent, { kind: "delegation-resume" }>,
  "renewed" | "blocked" | "maxCostUsd" | "server"
>;

export type Resuming = {
  /** Writes nothing. If the signal aborts, the plan is made without the keys that are still pending. */
  planResume(run: Run, setup: Setup, options: PlanOptions, signal: AbortSignal): Promise<ResumePlan>;
  endAsked(loaded: LoadedRun, server: string | undefined): Promise<StoredEvent[]>;
  recordResume(loaded: LoadedRun, facts: ResumeFacts, more: readonly StoredEvent[]): Promise<StoredEvent[]>;
};

type PlanOptions = {
  /** Set for a server that resumes by itself: it does not continue what a user has stopped. */
  server?: string | undefined;
  /** Set if an enclosing budget applies to the run. */
  isBudgeted?: boolean;
};

type Planning = PlanOptions & {
  setup: Setup;
  /** Asks for each provider's key once, however many children need it. */
  whyKeyless(route: Route): Promise<Failure | undefined>;
};

/** The plan of a resume for each unfinished child, by child id. */
export type ResumePlan = {
  /** Routes that have changed. */
  renewed: Record<string, Route>;
  /** Children that cannot continue now. */
  blocked: Record<string, Blocked>;
  /** Children that can continue. */
  open: string[];
};

export function createResuming({ clock, journal, pid }: { clock: Clock; journal: Journal; pid: number }): Resuming {
  function planResume(run: Run, setup: Setup, options: PlanOptions, signal: AbortSignal): Promise<ResumePlan> {
    return planRun(run, { ...options, setup, whyKeyless: onceByProvider(setup.whyKeyless, signal) });
  }

  /** Plans all children concurrently: a command that prints a key may take a while. */
  async function planRun(run: Run, planning: Planning): Promise<ResumePlan> {
    const plan: ResumePlan = { renewed: {}, blocked: {}, open: [] };
    const isBudgeted = planning.isBudgeted === true || budgetOf(run, planning.setup.config) !== undefined;
    const looks = run.children.map(async (child) => {
      const { planned, childId } = child.tally;
      if ("problem" in planned || !isOpenTo(child, planning.server)) return [];
      return [{ childId, planned, today: await lookAt(run, child, planned, { ...planning, isBudgeted }) }];
    });
    for (const { childId, planned, today } of (await Promise.all(looks)).flat()) {
      if ("blocked" in today) plan.blocked[childId] = today.blocked;
      else {
        plan.open.push(childId);
        if (!isDeepStrictEqual(today.route, planned.route)) plan.renewed[childId] = today.route;
      }
    }
    return plan;
  }

  /** A child waits for all its delegations: if one cannot continue, neither can the child. */
  async function lookAt(
    run: Run,
    child: RunChild,
    planned: Ready,
    planning: Planning,
  ): Promise<{ route: Route } | { blocked: Blocked }> {
    const { delegationId } = run;
    const { setup, isBudgeted = false } = planning;
    const ownBudget = planned.limits.maxCostUsd !== undefined;
    const today = routeToday(child.tally, planned, setup, isBudgeted || ownBudget);
    if ("problem" in today) return { blocked: { reason: "route-gone", message: today.problem.message } };
    const lost = workspaceLost(planned, setup);
    if (lost !== undefined) return { blocked: { reason: "workspace-gone", message: lost } };
    const images = await loadImages(planned, { delegationId, journal, readImage: setup.readImage });
    if ("failure" in images) return { blocked: { reason: "input-changed", message: images.failure.message } };
    const files = loadGivenFiles(planned, setup);
    if ("failure" in files) return { blocked: { reason: "input-changed", message: files.failure.message } };
    const keyless = await planning.whyKeyless(routeAt({ ...planned, route: today.route }, child.tally.position));
    if (keyless?.kind === ROUTE_GONE) return { blocked: { reason: "route-gone", message: keyless.message } };
    for (const nested of child.delegations) {
      if (isOver(nested) || !child.openCalls.has(nested.parent?.callId ?? "")) continue;
      const below = await planRun(nested, { ...planning, isBudgeted: isBudgeted || ownBudget });
      const [first] = Object.entries(below.blocked);
      if (first === undefined) continue;
      const [nestedId, { reason, message }] = first;
      return { blocked: { reason, message: `It waits for ${nestedId}, which cannot continue: ${message}` } };
    }
    return today;
  }

  /**
   * When a server resumes by itself, ends the children that a user asked to stop before the crash.
   * @returns what was recorded; if the run continues, without the ends of its own children, which are recorded again
   * after its resume
   */
  async function endAsked({ run, past }: LoadedRun, server: string | undefined): Promise<StoredEvent[]> {
    const asked = run.children.filter((child) => child.stopAskedBy !== undefined && !hasEnded(child));
    if (server === undefined || !wasCutOff(run)) return [];
    const recorded: StoredEvent[] = [];
    for (const { tally, stopAskedBy = "" } of asked) {
      const ends = closeAbandoned(run, stopAskedBy, clock.now(), tally.childId);
      await journal.append(ends);
      for (const event of ends) remember(past, event, run.delegationId);
      recorded.push(...ends);
    }
    return wasCutOff(run) ? recorded.filter((event) => event.delegationId !== run.delegationId) : recorded;
  }

  /** @returns what is recorded before the children continue */
  async function recordResume(
    { run, past }: LoadedRun,
    facts: ResumeFacts,
    more: readonly StoredEvent[],
  ): Promise<StoredEvent[]> {
    const { delegationId } = run;
    const about = { at: clock.now(), delegationId, pid, format: JOURNAL_FORMAT };
    const resumed: StoredEvent = { kind: "delegation-resume", ...about, ...facts };
    await journal.append([resumed, ...more]);
    for (const event of [resumed, ...more]) {
      foldRun(run, event);
      remember(past, event, delegationId);
    }
    return [resumed, ...more];
  }

  return { planResume, endAsked, recordResume };
}

/** Why a child cannot work where it did. A working copy that is gone is made again. */
function workspaceLost({ workspace, realPaths, worktree, copy }: Ready, { isDirectory }: Setup): string | undefined {
  if (copy !== undefined) return undefined;
  const place = worktree?.repository ?? workspace;
  if (!isDirectory(place)) return `Expected its workspace, a directory at ${place}; found none. Put it back.`;
  return worktree !== undefined || isInPlace(workspace, realPaths) ? undefined : movedWorkspace(workspace, realPaths);
}

function onceByProvider(whyKeyless: Setup["whyKeyless"], signal: AbortSignal): Planning["whyKeyless"] {
  const answers = new Map<string, Promise<Failure | undefined>>();
  return (route) => {
    const answer = answers.get(route.provider) ?? whyKeyless(route, signal);
    answers.set(route.provider, answer);
    return answer;
  };
}

/** Returns whether a resume continues a child. A server skips those that a user stopped, or asked to stop. */
function isOpenTo(child: RunChild, server: string | undefined): boolean {
  if (!canGoOn(child)) return false;
  return server === undefined || !(wasStopped(child) || child.stopAskedBy !== undefined);
}

/** Returns whether a user interrupted the child, rather than a missing resource. */
function wasStopped({ tally, blocked }: RunChild): boolean {
  const { ending } = tally;
  return ending?.status === "interrupted" && ending.exitReason !== ROUTE_GONE && blocked === undefined;
}

/** The child's current route must exist; its other routes stay as they were even if one is gone today. */
function routeToday({ position }: ChildStats, planned: Ready, setup: Setup, isBudgeted: boolean): Routed {
  const { route } = planned;
  const priced = needsPrice(isBudgeted, setup);
  const current = setup.refreshRoute(routeAt(planned, position), priced);
  if (position === 0 || "problem" in current) return current;
  const whole = setup.refreshRoute(route, priced);
  if ("route" in whole) return whole;
  const fallbacks = route.fallbacks.map((fallback, index) => (index === position - 1 ? current.route : fallback));
  return { route: { ...route, fallbacks } };
}

function needsPrice(isBudgeted: boolean, { config }: Setup): boolean {
  return isBudgeted && !config.delegation.allow_unknown_price;
}

/** The facts of a resume plan that are recorded. */
export function factsOf({ renewed, blocked }: ResumePlan, server?: string): ResumeFacts {
  return {
    renewed,
    ...(Object.keys(blocked).length > 0 && { blocked }),
    ...present({ server }),
  };
}

/** When a server resumes by itself, a stopped child ends again as it had ended. */
export function endsOfStopped({ delegationId, children }: Run, at: number, server?: string): StoredEvent[] {
  if (server === undefined) return [];
  return children.filter(wasStopped).flatMap(({ tally: { childId, ending, durationMs } }): StoredEvent[] => {
    return ending === undefined ? [] : [{ kind: "child-end", at, delegationId, childId, ending, durationMs }];
  });
}

/** @throws DeputyError `nothing-to-run` if no child can continue, with the reason and what to do */
export function refuseBlocked({ delegationId, children, call }: Run, { blocked, open }: ResumePlan): void {
  if (Object.keys(blocked).length === 0 || open.length > 0) return;
  const lines = children.flatMap(({ tally: { childId, taskIndex } }) => {
    const why = blocked[childId];
    return why === undefined ? [] : [`${childId} (${shortLine(call.tasks[taskIndex]?.goal)}): ${why.message}`];
  });
  throw new DeputyError(
    "nothing-to-run",
    [
      `Run ${delegationId} cannot continue now and is unchanged:`,
      ...lines,
      `Fix this, then run: deputy resume ${delegationId}, in a directory with the run's config or with --config.`,
    ].join("\n"),
    { details: blocked },
  );
}

/**
 * The route of a conversation's next turn, if it differs from the last one's: a newly chosen route, or the same one
 * under the current config. @throws DeputyError `nothing-to-run` if it no longer exists
 */
export function nextRoute(
  { planned, childId }: ChildStats,
  setup: Setup,
  { chosen, isBudgeted }: { chosen: Route | undefined; isBudgeted: boolean },
): Record<string, Route> {
  if ("problem" in planned) throw new Error(`${childId}: a conversation without a route`);
  const next =
    chosen === undefined ? setup.refreshRoute(planned.route, needsPrice(isBudgeted, setup)) : { route: chosen };
  if ("problem" in next) throw new DeputyError("nothing-to-run", next.problem.message, { details: next.problem });
  return isDeepStrictEqual(next.route, planned.route) ? {} : { [childId]: next.route };
}
