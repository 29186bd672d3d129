/** The engine: submit · watch · steer · answer · stop · resume. Surfaces start and change runs through it, and read runs with `run/`. */
import { errorMessage } from "../errors.ts";
import type { Event, SteerAuthor, StoredEvent } from "../event.ts";
import type { ChainHead } from "../journal/chain.ts";
import { closeAbandoned } from "../run/close-abandoned.ts";
import { type Pruned, type PruneOptions, pruneRuns } from "../run/prune.ts";
import { namedChild, type Run, type RunUpdate } from "../run/run.ts";
import {
  catchUp,
  eventsOf,
  type LoadedRun,
  laterRuns,
  listRuns,
  orphanedRuns,
  type RunFilter,
  type RunListing,
  resolveRunId,
  runIds,
  wholeId,
} from "../run/run-store.ts";
import { type UsageQuery, type UsageShare, usageShares } from "../run/usage.ts";
import { replayRun, watchRun } from "../run/watch-run.ts";
import type { Call } from "../task.ts";
import { type ApplyOptions, type ApplyResult, applyRun } from "./branches/apply.ts";
import { createDiffs, type Diffs } from "./branches/diff.ts";
import { type ApprovalRequests, createApprovalRequests } from "./control/approval-requests.ts";
import { type Cleaned, type CleanOptions, cleanCopies } from "./control/clean.ts";
import { type ClientCalls, createClientCalls } from "./control/client-calls.ts";
import { type CurrentRuns, createCurrentRuns, type FoundRun } from "./control/current-runs.ts";
import { createSteering, type SteerReceipt } from "./control/messages.ts";
import type { LiveDelegation } from "./delegation.ts";
import { createHooks } from "./hooks/hooks.ts";
import type { ShownRequest } from "./shown-request.ts";
import { type ConverseOptions, createContinueRun, type ResumeOptions } from "./start/continue-run.ts";
import { type Estimates, estimate } from "./start/estimate.ts";
import type { ForkOptions } from "./start/fork.ts";
import { newRun } from "./start/nested-call.ts";
import { createResuming } from "./start/resume.ts";
import { type RetryOptions, retry } from "./start/retry.ts";
import { createRunsHere, type RunOptions } from "./start/runs-here.ts";
import { type CallOptions, type CallsDeps, createCalls, type Plan } from "./start/start-call.ts";
import type { Services } from "./work/services.ts";

export type { ApprovalQuestion } from "../child/child.ts";
export type { Pruned, PruneOptions } from "../run/prune.ts";
export type { RunFilter, RunListing } from "../run/run-store.ts";
export type { UsageQuery, UsageShare } from "../run/usage.ts";
export type { ApplyOptions, ApplyResult } from "./branches/apply.ts";
export type { Answer, Answered, Question, Which } from "./control/approval-requests.ts";
export type { Asker } from "./control/approvals.ts";
export type { Cleaned, CleanOptions } from "./control/clean.ts";
export type { SteerReceipt } from "./control/messages.ts";
export type { Delegation, LiveDelegation } from "./delegation.ts";
export type { ConverseOptions, ResumeOptions } from "./start/continue-run.ts";
export type { Estimates } from "./start/estimate.ts";
export type { RetryOptions } from "./start/retry.ts";
export type { Plan } from "./start/start-call.ts";
export type { ChatExtras } from "./work/toolbox.ts";

export type SubmitOptions = Omit<CallOptions, "surface" | "depth"> &
  RunOptions & {
    /** `chat`: the call's one task is the first message of a conversation. */
    surface: "cli" | "library" | "mcp" | "demo" | "chat";
  };

export type EngineDeps = Services &
  CallsDeps & {
    newId: () => string;
    closeConnections(): Promise<void>;
    /** Warns the user of something that failed outside the runs. */
    warn(message: string): void;
    /** This process. */
    pid: number;
  };

/** The `by` of stops when a process shuts down. */
export const SHUTDOWN = "close";

export interface Engine extends ClientCalls {
  /** Plans a call without starting anything. @throws DeputyError `task-invalid` | `config-invalid` */
  plan(call: Call, options: SubmitOptions): Promise<Plan>;
  /** Plans a call and estimates one request of each task, without starting anything. @throws as `plan` */
  estimate(call: Call, options: SubmitOptions): Promise<Plan & { estimates: Estimates }>;
  /**
   * Plans, journals and starts a call. @throws DeputyError `nothing-to-run` with every problem, if no task can start
   */
  submit(call: Call, options: SubmitOptions): Promise<LiveDelegation>;
  /**
   * Plans and journals a call for another process, which begins it with `resume`.
   * @returns the run's id. @throws DeputyError as `submit`
   */
  enqueue(call: Call, options: SubmitOptions): Promise<string>;
  /**
   * Ids of the unfinished runs that a server owned when its process died, oldest first; continue them with `resume`.
   */
  orphanedRuns(server: string): Promise<string[]>;
  /**
   * Continues a run that was interrupted or whose owner died. A child that cannot continue (its route, image or
   * workspace is gone) stays interrupted. @throws DeputyError `run-unknown` | `run-owned` · `nothing-to-run` if no
   * child can continue: nothing is written then
   */
  resume(id: string, options: ResumeOptions): Promise<LiveDelegation>;
  /**
   * Runs again what an ended run did not complete, as a new run that is linked to it and has a budget of its own.
   * Completed results are carried over. @throws DeputyError `run-unknown` | `usage` | `run-owned` · `nothing-to-run` if
   * every task completed, or none can start
   */
  retry(id: string, options: RetryOptions): Promise<LiveDelegation>;
  /**
   * Starts a new run from a step of a child, on any route. @throws DeputyError `run-unknown` | `usage` | `nothing-to-run`
   */
  fork(id: string, options: ForkOptions): Promise<LiveDelegation>;
  /**
   * Like `resume`, for the server that owned the run: what a user stopped, or asked to stop, stays stopped.
   * @param found the run, which is in use from now on: find it again with `run`
   */
  resumeAfterCrash(found: FoundRun, server: string, options: ResumeOptions): Promise<LiveDelegation>;
  /**
   * Takes the next turn of a conversation (a run whose surface is `chat`) with the user's message. An unfinished turn
   * first ends where it was stopped. @throws DeputyError `run-unknown` | `run-owned` | `nothing-to-run`
   */
  converse(id: string, text: string, options: ConverseOptions): Promise<LiveDelegation>;
  /** Asks a run (or one child, `ID.n`) to stop, whichever process owns it. Resolves when the request is durable. */
  stop(id: string, by: string): Promise<void>;
  /**
   * Sends a message to a child in any process, which receives it with its next request. A run's id means its one open
   * child. Resolves when the message is durable. With `author`, the child is told that a model wrote it. @throws DeputyError `run-unknown` | `run-ended` | `usage`
   */
  steer(id: string, text: string, by: string, author?: SteerAuthor, words?: string): Promise<SteerReceipt>;
  /**
   * Resolves with the receipt of a message once its outcome is known; it is `queued` only if the signal aborts or no
   * process works on the run.
   */
  settleSteer(receipt: SteerReceipt, signal: AbortSignal): Promise<SteerReceipt>;
  /** Pending approval requests of children in any process, oldest first. */
  questions: ApprovalRequests["questions"];
  /** The approval request that is meant, without answering it. @throws DeputyError as `answer` */
  question: ApprovalRequests["question"];
  /**
   * Answers an approval request, whichever process owns the run, and returns whether the answer counted. @throws
   * DeputyError `run-unknown` | `question-closed` | `usage`
   */
  answer: ApprovalRequests["answer"];
  /** The newest runs in the journal, newest first; all runs without a number. */
  runs(newest?: number, among?: RunFilter): Promise<RunListing[]>;
  /** Ids of the runs that only a later Deputy can read, which `runs` omits. */
  laterRuns(): Promise<string[]>;
  /** The number of runs. */
  runCount(): Promise<number>;
  /** Usage of all requests in the journal, in shares, oldest run first. Holds one run at a time. */
  usage(query: UsageQuery): AsyncIterable<UsageShare>;
  /**
   * Finds a run by its id, an unambiguous prefix of it, or the id of one of its children. @throws DeputyError
   * `run-unknown`
   */
  run: CurrentRuns["find"];
  /**
   * An id with its first part completed, among the runs that match; any other run is as unknown as one that does not
   * exist. @throws DeputyError `run-unknown`
   */
  wholeId(id: string, among: RunFilter): Promise<string>;
  /** The full id of the run that an id means. @throws DeputyError `run-unknown` */
  runId(id: string): Promise<string>;
  refresh: CurrentRuns["refresh"];
  follow: CurrentRuns["follow"];
  /** The head of a run's chain of events. Its nested runs have chains of their own. */
  head(delegationId: string): Promise<ChainHead | undefined>;
  /**
   * Stored events so far of a run and the runs below it, or of one child for `ID.n`. @throws DeputyError `run-unknown`
   */
  events(id: string): AsyncIterable<StoredEvent>;
  /**
   * A request that a child sent, written again. @param number 1 is its first request @throws DeputyError `run-unknown` |
   * `task-invalid`
   */
  request(id: string, number: number): Promise<ShownRequest>;
  /**
   * Stored events of a run and the runs below it from the first on, from any process, until the run ends or no process
   * works on it.
   */
  watch(id: string, signal: AbortSignal): AsyncIterable<Event>;
  /** Like `watch`, each event with the run as folded so far. */
  replay(id: string, signal: AbortSignal): AsyncIterable<RunUpdate>;
  /** Saves and removes the working copies of children that have ended. */
  clean(options: CleanOptions): Promise<Cleaned>;
  /**
   * Permanently removes past runs from the journal, with their working copies. Running ones stay, and those with a copy
   * that has to be kept; unfinished ones go only on request.
   */
  prune(options: PruneOptions): Promise<Pruned>;
  /** The changes on the branches of a run's children, or of one child. */
  diff: Diffs["diff"];
  patch: Diffs["patch"];
  /**
   * Applies the work of a run's children, in task order, or of one child. @throws DeputyError `run-unknown` |
   * `branch-unavailable`
   */
  apply(id: string, options: ApplyOptions): Promise<ApplyResult>;
  /** Resolves when the commands and requests that events have caused (`hooks:`, `notify:`) have ended. */
  hooksSettled(): Promise<void>;
  /** Stops the runs of this process and releases all resources. */
  close(): Promise<void>;
}

export function createEngine(deps: EngineDeps): Engine {
  const { clock, journal, pid } = deps;
  const { plan, prepare } = createCalls(deps);
  const resuming = createResuming(deps);
  const hooks = createHooks(deps);
  const { own, disown, begin, live, requestStop, stopAll } = createRunsHere({ ...deps, ...resuming, prepare, hooks });
  const current = createCurrentRuns({ clock, journal, pid, live });

  async function submit(asked: Call, options: SubmitOptions): Promise<LiveDelegation> {
    const { setup, firstEvents } = await prepare(asked, options);
    const [start] = await journal.begin({ id: deps.newId() }, firstEvents);
    return begin(setup, newRun([start]), [start], options);
  }

  async function enqueue(asked: Call, options: SubmitOptions): Promise<string> {
    const { setup, firstEvents } = await prepare(asked, options);
    const id = deps.newId();
    const events = firstEvents(id);
    await journal.append(events);
    const { run } = newRun([events[0]]);
    hooks.tell(setup, run, events);
    return id;
  }

  async function stop(id: string, by: string): Promise<void> {
    const { run, owner, loaded } = await current.find(id);
    const { delegationId } = run;
    const target = namedChild(delegationId, id);
    if (owner === "none") return;
    await requestStop(delegationId, by, target);
    if (owner !== "dead" || loaded === undefined) return;
    if ((await journal.claim(delegationId)).claimed) await closeAbandonedRun(loaded, by, target);
  }

  /** Stops an abandoned run by writing its end, unless another process continued and ended it meanwhile. */
  async function closeAbandonedRun(loaded: LoadedRun, by: string, target: string | undefined): Promise<void> {
    await catchUp(journal, loaded);
    const { run } = loaded;
    const ends = run.endedAt === undefined ? closeAbandoned(run, by, clock.now(), target) : [];
    await journal.append(ends);
    await journal.release(run.delegationId);
    tellHooks(run, ends);
  }

  /** With the config of now. The events have happened even if that config is invalid. */
  function tellHooks(run: Run, events: readonly StoredEvent[]): void {
    try {
      hooks.tell(deps.setup(), run, events);
    } catch (error) {
      deps.warn(`No hook was run for ${run.delegationId}: ${errorMessage(error)}`);
    }
  }

  /** Removes the working copies of a run. @returns whether none is left */
  async function clean(id: string, { dryRun = false }: PruneOptions): Promise<boolean> {
    const { kept } = await cleanCopies({ ...deps, ...current }, { id, dryRun });
    return kept.length === 0;
  }

  const talk = { clock, journal, newId: deps.newId, redact: (text: string) => deps.setup().redact(text), ...current };
  return {
    plan,
    async estimate(call, options) {
      const prepared = await plan(call, options);
      return { ...prepared, estimates: await estimate(prepared, options.surface) };
    },
    submit,
    enqueue,
    orphanedRuns: (server) => orphanedRuns(journal, server),
    async fork(id, options) {
      const { fork } = await import("./start/fork.ts");
      return fork({ ...deps, prepare, begin }, id, options);
    },
    retry: (id, options) => retry({ ...deps, ...current, prepare, begin }, id, options),
    ...createContinueRun({ ...deps, ...resuming, ...current, own, disown, begin, hooks }),
    stop,
    ...createSteering(talk),
    ...createApprovalRequests(talk),
    ...createClientCalls(talk),
    runs: (newest, among) => listRuns(journal, pid, newest, among),
    laterRuns: () => laterRuns(journal),
    runCount: async () => (await runIds(journal)).length,
    usage: (query) => usageShares(journal, query),
    run: current.find,
    wholeId: (id, among) => wholeId(journal, id, among),
    runId: (id) => resolveRunId(journal, id),
    refresh: current.refresh,
    follow: current.follow,
    events: (id) => eventsOf(journal, id),
    async request(id, number) {
      const { shownRequest } = await import("./shown-request.ts");
      return shownRequest(journal, id, number);
    },
    head: (delegationId) => journal.head(delegationId),
    async *watch(id, signal) {
      yield* watchRun(deps, await resolveRunId(journal, id), signal);
    },
    async *replay(id, signal) {
      yield* replayRun(deps, await resolveRunId(journal, id), signal);
    },
    clean: (options) => cleanCopies({ ...deps, ...current }, options),
    prune: (options) =>
      pruneRuns(journal, options, { now: clock.now(), pid, mayPrune: (root) => clean(root, options) }),
    ...createDiffs({ ...deps, ...current }),
    apply: (id, options) => applyRun({ ...deps, ...current, tell: tellHooks }, id, options),
    hooksSettled: hooks.settled,
    async close() {
      await stopAll(SHUTDOWN);
      await hooks.close();
      await Promise.all([deps.closeConnections(), deps.schemas.close()]);
      await journal.close();
    },
  };
}
