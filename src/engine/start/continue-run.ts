/**
 * Runs that continue: resumed by a user, resumed by a server after a crash, or a conversation with its next message.
 */
import type { Clock } from "../../clock.ts";
import { DeputyError } from "../../errors.ts";
import type { StoredEvent } from "../../event.ts";
import type { Journal } from "../../journal/journal.ts";
import type { Route } from "../../route.ts";
import { isConversation, isOver, type Run, rootIdOf, wasCutOff } from "../../run/run.ts";
import { catchUp, type LoadedRun } from "../../run/run-store.ts";
import { present } from "../../values/present.ts";
import type { CurrentRuns, FoundRun } from "../control/current-runs.ts";
import { asItEnded, type LiveDelegation } from "../delegation.ts";
import type { Hooks } from "../hooks/hooks.ts";
import type { Setup } from "../setup/setup.ts";
import { ownedBy } from "./claim-run.ts";
import { withoutKeys } from "./known-keys.ts";
import {
  endsOfStopped,
  factsOf,
  nextRoute,
  type ResumeFacts,
  type ResumePlan,
  type Resuming,
  refuseBlocked,
} from "./resume.ts";
import type { RunOptions, RunsHere } from "./runs-here.ts";
import { type CallOptions, withPermissions } from "./start-call.ts";
import { turnEvents } from "./turn.ts";

type ContinueOptions = Pick<CallOptions, "permissions"> & Omit<RunOptions, "server">;

export type ResumeOptions = ContinueOptions & {
  /** Aborts while the resume is being planned, which can take as long as a command that prints a key. */
  signal?: AbortSignal;
};

export type ConverseOptions = ContinueOptions & {
  /** The user's own part of the message, where data follows it. */
  words?: string;
  /** A different, already planned route from this turn on. */
  route?: Route;
  /** New limit in USD for the whole conversation. */
  maxCostUsd?: number;
};

export type ContinueRunDeps = Resuming &
  Pick<RunsHere, "own" | "disown" | "begin"> &
  Pick<CurrentRuns, "find"> & {
    clock: Clock;
    journal: Journal;
    hooks: Pick<Hooks, "tell">;
    /** This process. */
    pid: number;
    /** Reads the current config and environment. */
    setup(): Setup;
  };

export type ContinueRun = {
  resume(id: string, options: ResumeOptions): Promise<LiveDelegation>;
  resumeAfterCrash(found: FoundRun, server: string, options: ResumeOptions): Promise<LiveDelegation>;
  converse(id: string, text: string, options: ConverseOptions): Promise<LiveDelegation>;
};

export function createContinueRun(deps: ContinueRunDeps): ContinueRun {
  return {
    resume: (id, options) => resume(deps, id, options),
    resumeAfterCrash: (found, server, options) => resumeAfterCrash(deps, found, server, options),
    converse: (id, text, options) => converse(deps, id, text, options),
  };
}

async function resume(deps: ContinueRunDeps, id: string, options: ResumeOptions): Promise<LiveDelegation> {
  const found = await deps.find(id);
  const { run } = found;
  refuseNested(run);
  if (isOver(run)) return asItEnded(run);
  return whileOwned(deps, found, async (loaded) => {
    const setup = withPermissions(deps.setup(), options.permissions);
    const plan = await planOrRefuse(deps, run, setup, options);
    return continueRun(deps, setup, loaded, { facts: factsOf(plan), more: [] }, options);
  });
}

/** What a user stopped, or asked to stop, stays stopped. A run that then has nothing to continue is left unchanged. */
async function resumeAfterCrash(
  deps: ContinueRunDeps,
  found: FoundRun,
  server: string,
  options: ResumeOptions,
): Promise<LiveDelegation> {
  const { clock, disown } = deps;
  const { run } = found;
  refuseNested(run);
  if (isOver(run)) return asItEnded(run);
  return whileOwned(deps, found, async (loaded) => {
    const setup = withPermissions(deps.setup(), options.permissions);
    const plan = await planOrRefuse(deps, run, setup, { ...options, server });
    deps.hooks.tell(setup, run, await deps.endAsked(loaded, server));
    if (!wasCutOff(run)) {
      await disown(run.delegationId);
      return asItEnded(run);
    }
    const more = endsOfStopped(run, clock.now(), server);
    return continueRun(deps, setup, loaded, { facts: factsOf(plan, server), more }, { ...options, server });
  });
}

async function converse(
  deps: ContinueRunDeps,
  id: string,
  text: string,
  options: ConverseOptions,
): Promise<LiveDelegation> {
  const found = await deps.find(id);
  const { run } = found;
  const [session] = run.children;
  if (!isConversation(run) || session === undefined) throw noConversation(run.delegationId);
  return whileOwned(deps, found, (loaded) => {
    const setup = withPermissions(deps.setup(), options.permissions);
    const { route, maxCostUsd, words } = options;
    const renewed = nextRoute(session.tally, setup, {
      chosen: route,
      isBudgeted: (maxCostUsd ?? run.call.max_cost_usd) !== undefined,
    });
    const facts = { renewed, ...present({ maxCostUsd }) };
    const about = { at: deps.clock.now(), delegationId: run.delegationId, childId: session.tally.childId };
    const { value: message, warnings } = withoutKeys({ message: text }, setup.redact);
    const own = words === undefined ? undefined : setup.redact(words);
    const more = [
      ...turnEvents(loaded, about.childId, { text: message.message, words: own }, about.at),
      ...warnings.map((warning) => ({ kind: "child-warn", ...about, warning }) as const),
    ];
    return continueRun(deps, setup, loaded, { facts, more }, options);
  });
}

/** @throws DeputyError `usage` for a run that is part of another */
function refuseNested({ delegationId, parent }: Run): void {
  if (parent !== undefined) throw partOfTree(delegationId);
}

/** Claims a run and brings it up to date; releases it if the work cannot begin. @throws DeputyError `run-owned` */
async function whileOwned<Result>(
  { own, disown, journal, pid }: ContinueRunDeps,
  { run: { delegationId }, loaded }: FoundRun,
  work: (loaded: LoadedRun) => Promise<Result>,
): Promise<Result> {
  if (loaded === undefined) throw ownedBy(delegationId, pid);
  await own(delegationId);
  try {
    await catchUp(journal, loaded);
    return await work(loaded);
  } catch (error) {
    await disown(delegationId);
    throw error;
  }
}

/** @throws DeputyError `nothing-to-run` if no child can continue, or the signal aborts: nothing is written then */
async function planOrRefuse(
  { planResume }: ContinueRunDeps,
  run: Run,
  setup: Setup,
  { server, signal = new AbortController().signal }: ResumeOptions & { server?: string },
): Promise<ResumePlan> {
  const plan = await planResume(run, setup, { server }, signal);
  if (signal.aborted) throw new DeputyError("nothing-to-run", `Stopped before ${run.delegationId} was resumed.`);
  refuseBlocked(run, plan);
  return plan;
}

/** Continues a run that this process owns. `more` is recorded before its children continue. */
async function continueRun(
  { recordResume, begin }: ContinueRunDeps,
  setup: Setup,
  loaded: LoadedRun,
  { facts, more }: { facts: ResumeFacts; more: readonly StoredEvent[] },
  options: RunOptions,
): Promise<LiveDelegation> {
  const begun = await recordResume(loaded, facts, more);
  return begin(setup, loaded, begun, options);
}

/** The error for a run below a child: it continues only with the run at the root. */
function partOfTree(delegationId: string): DeputyError {
  const rootId = rootIdOf(delegationId);
  return new DeputyError(
    "usage",
    `Expected a run that no child made; ${delegationId} is part of ${rootId}. Resume that run: deputy resume ${rootId}`,
  );
}

function noConversation(delegationId: string): DeputyError {
  return new DeputyError(
    "run-unknown",
    `Expected a conversation; ${delegationId} is a delegation. See what it did with: deputy show ${delegationId}`,
  );
}
