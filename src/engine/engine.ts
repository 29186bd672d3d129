/** The engine: submit · watch · steer · answer · stop · resume. Surfaces start and change runs through it, and read runs with `run/`. */
import { DeputyError } from "../errors.ts";
import type { Event, StoredEvent } from "../event.ts";
import type { DelegationResult } from "../result.ts";
import type { Route } from "../route.ts";
import { closeAbandoned } from "../run/close-abandoned.ts";
import { type Pruned, type PruneOptions, pruneRuns } from "../run/prune.ts";
import {
  canGoOn,
  childIdOf,
  isConversation,
  parseRunId,
  type Run,
  type RunUpdate,
  resultsOf,
  rootIdOf,
  wasCutOff,
} from "../run/run.ts";
import {
  catchUp,
  eventsOf,
  type FoundRun,
  findRun,
  type LoadedRun,
  listRuns,
  orphanedRuns,
  ownerOf,
  type RunListing,
  resolveRunId,
  runIds,
} from "../run/run-store.ts";
import { followRun, replayRun, watchRun } from "../run/watch-run.ts";
import type { Call } from "../task.ts";
import { type ApprovalRequests, createApprovalRequests } from "./control/approval-requests.ts";
import type { ApprovalOptions } from "./control/approvals.ts";
import { createSteering, type SteerReceipt } from "./control/messages.ts";
import type { Setup } from "./setup/setup.ts";
import { newRun } from "./start/nested-call.ts";
import { createNestedRuns } from "./start/nested-runs.ts";
import { createResuming, endsOfStopped, factsOf, nextRoute, type ResumeFacts, refuseBlocked } from "./start/resume.ts";
import { type CallOptions, type CallsDeps, createCalls, type Plan, withPermissions } from "./start/start-call.ts";
import { turnEvents } from "./start/turn.ts";
import { createBroadcast } from "./work/broadcast.ts";
import { createRunFeed, type RunFeed } from "./work/run-feed.ts";
import type { Services } from "./work/services.ts";
import { supervise } from "./work/supervisor.ts";
import type { ChatExtras } from "./work/toolbox.ts";

export type { ApprovalQuestion } from "../child/child.ts";
export type { Pruned, PruneOptions } from "../run/prune.ts";
export type { RunListing } from "../run/run-store.ts";
export type { Answer, Answered, Question, Which } from "./control/approval-requests.ts";
export type { Asker } from "./control/approvals.ts";
export type { SteerReceipt } from "./control/messages.ts";
export type { Plan } from "./start/start-call.ts";
export type { ChatExtras } from "./work/toolbox.ts";

export type SubmitOptions = Omit<CallOptions, "surface" | "depth"> & {
  /** `chat`: the call is the first message of a conversation, its one task the message. */
  surface: "cli" | "library" | "mcp" | "demo" | "chat";
  /** Children at once, in place of the config's. */
  concurrency?: number;
  /** What this surface adds to what the agent of a conversation can do. */
  beside?: ChatExtras;
} & ApprovalOptions;

/** A delegation under way in this process. */
export type Delegation = {
  readonly id: string;
  /** Its events from here on, live ones included; ends with the delegation. Iterate at once, or use `watch`. */
  readonly events: AsyncIterable<Event>;
  /** Settles when every child has ended. Rejects only where the journal broke its promise. */
  readonly result: Promise<DelegationResult>;
  /** Stops one child (`ID.n`) or all of them. Partial work is kept. */
  stop(by: string, target?: string): Promise<void>;
};

/** A delegation as the surfaces of this process follow it. */
export type LiveDelegation = Delegation & {
  /** Its run, which changes with each event. */
  readonly run: Run;
  /** Calls back with each event and the run as of that event, which nobody has to fold again. Follow at once. */
  follow: RunFeed["follow"];
};

export type ResumeOptions = ApprovalOptions &
  Pick<SubmitOptions, "permissions" | "concurrency" | "beside"> & {
    /** A server goes on by itself with what a crash has cut off: what somebody had stopped stays stopped. */
    server?: string;
  };

export type ConverseOptions = ResumeOptions & {
  /** Another route from this turn on, as a plan gave it. */
  route?: Route;
  /** USD for the whole conversation from now on, in place of what was said before. */
  maxCostUsd?: number;
};

export type EngineDeps = Services &
  CallsDeps & {
    closeTransport(): Promise<void>;
    /** This process. */
    pid: number;
  };

export interface Engine {
  /** Plans a call and starts nothing. @throws DeputyError `task-invalid` | `config-invalid` */
  plan(call: Call, options: SubmitOptions): Promise<Plan>;
  /** Plans, journals and starts. @throws DeputyError `nothing-to-run` with every problem, where no task can start */
  submit(call: Call, options: SubmitOptions): Promise<LiveDelegation>;
  /**
   * Plans and journals a call for another process to begin: its `resume` does.
   * @returns the run's id. @throws DeputyError as `submit`
   */
  enqueue(call: Call, options: SubmitOptions): Promise<string>;
  /** Ids of the unfinished runs that a server owned when its process died, oldest first: `resume` goes on with them. */
  orphanedRuns(server: string): string[];
  /**
   * Goes on with a run that was interrupted or whose owner died. A child that cannot continue (its route, image or
   * workspace is gone) stays interrupted. @throws DeputyError `run-unknown` | `run-owned` · `nothing-to-run` where none
   * can: nothing is written then
   */
  resume(id: string, options: ResumeOptions): Promise<LiveDelegation>;
  /**
   * The next turn of a conversation (a run whose surface is `chat`): the user's message, and what follows from it. An
   * unfinished turn ends where it was stopped. @throws DeputyError `run-unknown` | `run-owned` | `nothing-to-run`
   */
  converse(id: string, text: string, options: ConverseOptions): Promise<LiveDelegation>;
  /** Asks a run (or one child, `ID.n`) to stop, whoever owns it. Resolves when the request is durable. */
  stop(id: string, by: string): Promise<void>;
  /**
   * Says something to a child, in whatever process it is: it goes with the child's next request. Of a run, to its one
   * open child. Resolves when the message is durable. @throws DeputyError `run-unknown` | `run-ended` | `usage`
   */
  steer(id: string, text: string, by: string): Promise<SteerReceipt>;
  /** What became of a message, once that is known: `queued` only where the signal aborts or nobody works on the run. */
  settleSteer(receipt: SteerReceipt, signal: AbortSignal): Promise<SteerReceipt>;
  /** What children of live runs wait to be allowed, in any process, oldest first. */
  questions: ApprovalRequests["questions"];
  /** The one that is meant, without an answer to it. @throws DeputyError as `answer` */
  question: ApprovalRequests["question"];
  /** Answers one, whoever owns the run, and tells whether the answer counted. @throws DeputyError `run-unknown` | `question-closed` | `usage` */
  answer: ApprovalRequests["answer"];
  /** The newest runs of the journal, newest first; all where no number is given. */
  runs(newest?: number): RunListing[];
  /** How many there are. */
  runCount(): number;
  /** One run by its id, an unambiguous beginning of it, or the id of one of its children. @throws DeputyError `run-unknown` */
  run(id: string): FoundRun;
  /** The whole id of the run that an id means. @throws DeputyError `run-unknown` */
  runId(id: string): string;
  /** Brings a run that was found before up to date. */
  refresh(found: FoundRun): void;
  /** Stored events of a run and those below it as of now; of one child alone for `ID.n`. @throws DeputyError `run-unknown` */
  events(id: string): Iterable<StoredEvent>;
  /**
   * Stored events of a run and those below it from the first, then new ones, from any process, until the run ends or
   * nobody works on it.
   */
  watch(id: string, signal: AbortSignal): AsyncIterable<Event>;
  /** The same, each event with the run that was folded with it. */
  replay(id: string, signal: AbortSignal): AsyncIterable<RunUpdate>;
  /** New events of a run that was found before, folded into it: it is up to date when the iteration ends. */
  follow(found: LoadedRun, signal: AbortSignal): AsyncIterable<RunUpdate>;
  /** Removes past runs from the journal, for good. None that is at work; unfinished ones only where that is asked for. */
  prune(options: PruneOptions): Pruned;
  /** Stops what runs here and lets go of everything. */
  close(): Promise<void>;
}

export function createEngine(deps: EngineDeps): Engine {
  const { clock, journal, scheduler, pid } = deps;
  const here = new Map<string, Promise<DelegationResult>>();
  const { plan, startOf } = createCalls(deps);
  const reopening = createResuming(deps);
  const runNestedWith = createNestedRuns({ ...deps, ...reopening, startOf, own });

  async function submit(asked: Call, options: SubmitOptions): Promise<LiveDelegation> {
    const { setup, start, stored } = await startOf(asked, options);
    journal.claim(start.delegationId);
    await journal.append([start, ...stored]);
    return begin(setup, newRun(start), [start], options);
  }

  async function enqueue(asked: Call, options: SubmitOptions): Promise<string> {
    const { start, stored } = await startOf(asked, options);
    await journal.append([start, ...stored]);
    return start.delegationId;
  }

  async function resume(id: string, options: ResumeOptions): Promise<LiveDelegation> {
    const loaded = findRun(journal, id, pid);
    const { run } = loaded;
    const { delegationId } = run;
    if (run.parent !== undefined) throw partOfTree(delegationId);
    if (run.endedAt !== undefined && !run.children.some(canGoOn)) return asItEnded(run);
    own(delegationId);
    try {
      const setup = withPermissions(deps.setup(), options.permissions);
      const { server } = options;
      catchUp(journal, loaded);
      const resumePlan = reopening.planResume(run, setup, { server });
      refuseBlocked(run, resumePlan);
      await reopening.endAsked(loaded, server);
      if (server !== undefined && !wasCutOff(run)) {
        journal.release(delegationId);
        return asItEnded(run);
      }
      const ends = endsOfStopped(run, clock.now(), server);
      return await continueRun(setup, loaded, factsOf(resumePlan, server), ends, options);
    } catch (error) {
      journal.release(delegationId);
      throw error;
    }
  }

  async function converse(id: string, text: string, options: ConverseOptions): Promise<LiveDelegation> {
    const loaded = findRun(journal, id, pid);
    const { run } = loaded;
    const { delegationId } = run;
    const [session] = run.children;
    if (!isConversation(run) || session === undefined) throw noConversation(delegationId);
    own(delegationId);
    try {
      const setup = withPermissions(deps.setup(), options.permissions);
      catchUp(journal, loaded);
      const { route, maxCostUsd } = options;
      const renewed = nextRoute(session.tally, setup, {
        chosen: route,
        isBudgeted: (maxCostUsd ?? run.call.max_cost_usd) !== undefined,
      });
      return await continueRun(
        setup,
        loaded,
        { renewed, ...(maxCostUsd !== undefined && { maxCostUsd }) },
        turnEvents(loaded, session.tally.childId, text, clock.now()),
        options,
      );
    } catch (error) {
      journal.release(delegationId);
      throw error;
    }
  }

  /** @throws DeputyError `run-owned` */
  function own(delegationId: string): void {
    const claim = journal.claim(delegationId);
    if (!claim.claimed) throw owned(delegationId, claim.owner.pid);
    if (here.has(delegationId)) throw owned(delegationId, pid);
  }

  /** Goes on with a run that this process has claimed. @param more what is on record before its children go on */
  async function continueRun(
    setup: Setup,
    loaded: LoadedRun,
    facts: ResumeFacts,
    more: readonly StoredEvent[],
    options: ResumeOptions,
  ): Promise<LiveDelegation> {
    const begun = await reopening.recordResume(loaded, facts, more);
    return begin(setup, loaded, begun, options);
  }

  function begin(
    setup: Setup,
    loaded: LoadedRun,
    first: readonly StoredEvent[],
    { asker, answersFromElsewhere, concurrency, beside: chatExtras, server }: ResumeOptions,
  ): LiveDelegation {
    const { run } = loaded;
    const { delegationId } = run;
    const broadcast = createBroadcast<Event>();
    const feed = createRunFeed();
    const publish = (update: RunUpdate) => {
      broadcast.push(update.event);
      feed.publish(update);
    };
    scheduler.setCaps(concurrency ?? setup.config.delegation.max_concurrent_children, setup.limitsOf);
    // Before anything `supervise` does on that turn.
    setImmediate(() => {
      for (const event of first) publish({ event, run });
    });
    const result = supervise(deps, setup, loaded, {
      publish,
      approvalOptions: { asker, answersFromElsewhere },
      delegate: runNestedWith({ ...(server !== undefined && { server }) }),
      chatExtras,
    }).finally(() => {
      here.delete(delegationId);
      broadcast.end();
      feed.end();
    });
    result.catch(() => {}); // Whoever holds the delegation hears of it; nobody has to.
    here.set(delegationId, result);
    const stop = (by: string, target?: string) => requestStop(delegationId, by, target);
    return { id: delegationId, run, events: broadcast, follow: feed.follow, result, stop };
  }

  function requestStop(delegationId: string, by: string, target?: string): Promise<void> {
    const request = { kind: "stop-request", at: clock.now(), delegationId, by, ...(target && { target }) } as const;
    return journal.append([request]);
  }

  async function stop(id: string, by: string): Promise<void> {
    const { run, owner } = findRun(journal, id, pid);
    const { delegationId } = run;
    const { taskIndex } = parseRunId(id);
    const target = taskIndex === undefined ? undefined : childIdOf(delegationId, taskIndex);
    if (owner === "none") return;
    await requestStop(delegationId, by, target);
    if (owner === "dead" && journal.claim(delegationId).claimed) await closeAbandonedRun(run, by, target);
  }

  /** A run nobody works on any more is stopped by saying so. */
  async function closeAbandonedRun(run: Run, by: string, target: string | undefined): Promise<void> {
    await journal.append(closeAbandoned(run, by, clock.now(), target));
    journal.release(run.delegationId);
  }

  const talk = { clock, journal, pid, newId: deps.newId };
  return {
    plan,
    submit,
    enqueue,
    orphanedRuns: (server) => orphanedRuns(journal, server),
    resume,
    converse,
    stop,
    ...createSteering(talk),
    ...createApprovalRequests(talk),
    runs: (newest) => listRuns(journal, pid, newest),
    runCount: () => runIds(journal).length,
    run: (id) => findRun(journal, id, pid),
    runId: (id) => resolveRunId(journal, id),
    refresh(found) {
      catchUp(journal, found);
      found.owner = ownerOf(journal, found.run, pid);
    },
    events: (id) => eventsOf(journal, id, pid),
    async *watch(id, signal) {
      yield* watchRun(deps, resolveRunId(journal, id), signal);
    },
    async *replay(id, signal) {
      yield* replayRun(deps, resolveRunId(journal, id), signal);
    },
    follow: (found, signal) => followRun(deps, found, signal),
    prune: (options) => pruneRuns(journal, options, clock.now(), pid),
    async close() {
      await Promise.all([...here.keys()].map((delegationId) => requestStop(delegationId, "close")));
      await Promise.allSettled(here.values());
      await Promise.all([deps.closeTransport(), deps.schemas.close()]);
      await journal.close();
    },
  };
}

/** The end of a run that has one: nothing starts, what was found is told again. */
function asItEnded(run: Run): LiveDelegation {
  const events = createBroadcast<Event>();
  events.end();
  const result = Promise.resolve(resultsOf(run));
  return { id: run.delegationId, run, events, follow: async () => {}, result, stop: async () => {} };
}

function owned(delegationId: string, pid: number): DeputyError {
  return new DeputyError(
    "run-owned",
    `Run ${delegationId} is being worked on by process ${pid}, which is alive. See deputy show ${delegationId}, or stop it with: deputy stop ${delegationId}`,
  );
}

/** What stands under a child goes on with it. */
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
