/** The engine: submit · watch · steer · answer · stop · resume. Surfaces start and change runs through it, and read runs with `run/`. */
import type { Event, StoredEvent } from "../event.ts";
import { closeAbandoned } from "../run/close-abandoned.ts";
import { type Pruned, type PruneOptions, pruneRuns } from "../run/prune.ts";
import { childIdOf, parseRunId, type RunUpdate } from "../run/run.ts";
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
import { createSteering, type SteerReceipt } from "./control/messages.ts";
import type { LiveDelegation } from "./delegation.ts";
import { type ConverseOptions, createContinueRun, type ResumeOptions } from "./start/continue-run.ts";
import { newRun } from "./start/nested-call.ts";
import { createResuming } from "./start/resume.ts";
import { createRunsHere, type RunOptions } from "./start/runs-here.ts";
import { type CallOptions, type CallsDeps, createCalls, type Plan } from "./start/start-call.ts";
import type { Services } from "./work/services.ts";

export type { ApprovalQuestion } from "../child/child.ts";
export type { Pruned, PruneOptions } from "../run/prune.ts";
export type { RunListing } from "../run/run-store.ts";
export type { Answer, Answered, Question, Which } from "./control/approval-requests.ts";
export type { Asker } from "./control/approvals.ts";
export type { SteerReceipt } from "./control/messages.ts";
export type { Delegation, LiveDelegation } from "./delegation.ts";
export type { ConverseOptions, ResumeOptions } from "./start/continue-run.ts";
export type { Plan } from "./start/start-call.ts";
export type { ChatExtras } from "./work/toolbox.ts";

export type SubmitOptions = Omit<CallOptions, "surface" | "depth"> &
  RunOptions & {
    /** `chat`: the call is the first message of a conversation, its one task the message. */
    surface: "cli" | "library" | "mcp" | "demo" | "chat";
  };

export type EngineDeps = Services &
  CallsDeps & {
    newId: () => string;
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
  orphanedRuns(server: string): Promise<string[]>;
  /**
   * Goes on with a run that was interrupted or whose owner died. A child that cannot continue (its route, image or
   * workspace is gone) stays interrupted. @throws DeputyError `run-unknown` | `run-owned` · `nothing-to-run` where none
   * can: nothing is written then
   */
  resume(id: string, options: ResumeOptions): Promise<LiveDelegation>;
  /** As `resume`, by the server that owned the run: what somebody had stopped, or asked to stop, stays stopped. */
  resumeAfterCrash(id: string, server: string, options: ResumeOptions): Promise<LiveDelegation>;
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
  runs(newest?: number): Promise<RunListing[]>;
  /** How many there are. */
  runCount(): Promise<number>;
  /** One run by its id, an unambiguous beginning of it, or the id of one of its children. @throws DeputyError `run-unknown` */
  run(id: string): Promise<FoundRun>;
  /** The whole id of the run that an id means. @throws DeputyError `run-unknown` */
  runId(id: string): Promise<string>;
  /** Brings a run that was found before up to date. */
  refresh(found: FoundRun): Promise<void>;
  /** Stored events of a run and those below it as of now; of one child alone for `ID.n`. @throws DeputyError `run-unknown` */
  events(id: string): AsyncIterable<StoredEvent>;
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
  prune(options: PruneOptions): Promise<Pruned>;
  /** Stops what runs here and lets go of everything. */
  close(): Promise<void>;
}

export function createEngine(deps: EngineDeps): Engine {
  const { clock, journal, pid } = deps;
  const { plan, prepare } = createCalls(deps);
  const resuming = createResuming(deps);
  const { own, disown, begin, requestStop, stopAll } = createRunsHere({ ...deps, ...resuming, prepare });

  async function submit(asked: Call, options: SubmitOptions): Promise<LiveDelegation> {
    const { setup, firstEvents } = await prepare(asked, options);
    const [start] = await journal.begin({ id: deps.newId() }, firstEvents);
    return begin(setup, newRun(start), [start], options);
  }

  async function enqueue(asked: Call, options: SubmitOptions): Promise<string> {
    const { firstEvents } = await prepare(asked, options);
    const id = deps.newId();
    await journal.append(firstEvents(id));
    return id;
  }

  async function stop(id: string, by: string): Promise<void> {
    const loaded = await findRun(journal, id, pid);
    const { run, owner } = loaded;
    const { delegationId } = run;
    const { taskIndex } = parseRunId(id);
    const target = taskIndex === undefined ? undefined : childIdOf(delegationId, taskIndex);
    if (owner === "none") return;
    await requestStop(delegationId, by, target);
    if (owner === "dead" && (await journal.claim(delegationId)).claimed) await closeAbandonedRun(loaded, by, target);
  }

  /** A run nobody works on any more is stopped by saying so, unless somebody took it up and ended it meanwhile. */
  async function closeAbandonedRun(loaded: LoadedRun, by: string, target: string | undefined): Promise<void> {
    await catchUp(journal, loaded);
    const { run } = loaded;
    if (run.endedAt === undefined) await journal.append(closeAbandoned(run, by, clock.now(), target));
    await journal.release(run.delegationId);
  }

  const talk = { clock, journal, pid, newId: deps.newId };
  return {
    plan,
    submit,
    enqueue,
    orphanedRuns: (server) => orphanedRuns(journal, server),
    ...createContinueRun({ ...deps, ...resuming, own, disown, begin }),
    stop,
    ...createSteering(talk),
    ...createApprovalRequests(talk),
    runs: (newest) => listRuns(journal, pid, newest),
    runCount: async () => (await runIds(journal)).length,
    run: (id) => findRun(journal, id, pid),
    runId: (id) => resolveRunId(journal, id),
    async refresh(found) {
      await catchUp(journal, found);
      found.owner = await ownerOf(journal, found.run, pid);
    },
    events: (id) => eventsOf(journal, id, pid),
    async *watch(id, signal) {
      yield* watchRun(deps, await resolveRunId(journal, id), signal);
    },
    async *replay(id, signal) {
      yield* replayRun(deps, await resolveRunId(journal, id), signal);
    },
    follow: (found, signal) => followRun(deps, found, signal),
    prune: (options) => pruneRuns(journal, options, clock.now(), pid),
    async close() {
      await stopAll("close");
      await Promise.all([deps.closeTransport(), deps.schemas.close()]);
      await journal.close();
    },
  };
}
