/** The engine: submit · watch · steer · answer · stop · resume. Every surface stands on this and on nothing below it. */
import { isDeepStrictEqual } from "node:util";
import { schemaMistake } from "../child/answer.ts";
import { DeputyError, type Warning } from "../errors.ts";
import type { Event, StoredEvent } from "../event.ts";
import type { Planned } from "../plan.ts";
import type { DelegationResult, Tally } from "../result.ts";
import type { Route, Wish } from "../route.ts";
import { askHook, type RouteHook } from "../routing/hook.ts";
import type { Bounds } from "../routing/plan.ts";
import type { Call } from "../task.ts";
import type { PermissionRule } from "../tool.ts";
import type { Answering } from "./approvals.ts";
import { burial } from "./burial.ts";
import { type Beside, conduct, type Stage } from "./conduct.ts";
import { createFeed } from "./feed.ts";
import { imagesApart } from "./images.ts";
import { begunBy, boundsOf, type Delegate, firstOf, isOver, nextIdUnder, type Order } from "./nested.ts";
import { type Pruned, type PruneOptions, prunable } from "./prune.ts";
import { createQuestions, type Questions } from "./questions.ts";
import {
  eventsOf,
  findRun,
  leftBy,
  listAllRuns,
  listRuns,
  type Recalled,
  type RunListing,
  recallRun,
  runIds,
} from "./register.ts";
import {
  canGoOn,
  childIdOf,
  foldRun,
  hasEnded,
  isChildEvent,
  isConversation,
  parseRunId,
  type Run,
  resultsOf,
  rootIdOf,
  wasCutOff,
} from "./run.ts";
import type { Setup } from "./setup.ts";
import { createSteering, type SteerReceipt } from "./steering.ts";
import { turnEvents } from "./turn.ts";
import { watchRun } from "./watch-run.ts";

export type { ApprovalQuestion } from "../child/child.ts";
export type { Asker } from "./approvals.ts";
export type { Beside } from "./conduct.ts";
export type { Pruned, PruneOptions } from "./prune.ts";
export type { Answer, Answered, Question } from "./questions.ts";
export type { RunListing } from "./register.ts";
export type { SteerReceipt } from "./steering.ts";

export type SubmitOptions = {
  /** What this surface's caller runs on: flags. */
  parent?: Wish;
  /** The route the caller runs on, in place of `parent` and the config's top level. */
  parentRoute?: Route;
  /** `chat`: the call is the first message of a conversation, its one task the message. */
  surface: "cli" | "library" | "mcp" | "demo" | "chat";
  /** Who wrote the call: `delegation.allow` and `deny` bind a model. Default: the operator. */
  askedBy?: "operator" | "model";
  /** Directory the tasks' workspaces are relative to. */
  workspace: string;
  /** Children at once, in place of the config's. */
  concurrency?: number;
  /** USD for the whole call; the lower of this, the call's and the config's wins. */
  maxCostUsd?: number;
  /** One task that cannot start keeps all from starting. */
  strict?: boolean;
  /** Permission rules that go before the config's. */
  permissions?: PermissionRule[];
  /** What the tasks may not leave, beside the config. */
  bounds?: Bounds;
  /** What this surface adds to what the agent of a conversation can do. */
  beside?: Beside;
  /** The server that owns the run: after a crash its next process finds it with `leftBy`. */
  server?: string;
} & Answering;

type StartEvent = Extract<StoredEvent, { kind: "delegation-start" }>;
type PlanOptions = Omit<SubmitOptions, "surface"> & { surface: string; depth?: number };

export type Plan = { planned: Planned[]; warnings: Warning[] };
type ResumeFacts = Pick<Extract<StoredEvent, { kind: "delegation-resume" }>, "renewed" | "maxCostUsd" | "server">;
type Start = { setup: Setup; start: StoredEvent; stored: StoredEvent[] };
type Prepared = Plan & { call: Call; setup: Setup; agents: Record<string, string> };

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

export type ResumeOptions = Answering &
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

export type EngineDeps = Stage & {
  newId: () => string;
  /** Reads config and environment as they are now. */
  setup(): Setup;
  /** A program's own choice of route for each task. */
  route?: RouteHook;
  closeTransport(): Promise<void>;
  /** This process. */
  pid: number;
};

export interface Engine {
  /** Plans a call and starts nothing. @throws DeputyError `task-invalid` | `config-invalid` */
  plan(call: Call, options: SubmitOptions): Promise<Plan>;
  /** Plans, journals and starts. @throws DeputyError `nothing-to-run` with every problem, where no task can start */
  submit(call: Call, options: SubmitOptions): Promise<Delegation>;
  /**
   * Plans and journals a call for another process to begin: its `resume` does.
   * @returns the run's id. @throws DeputyError as `submit`
   */
  leave(call: Call, options: SubmitOptions): Promise<string>;
  /** Ids of the unfinished runs that a server owned when its process died, oldest first: `resume` goes on with them. */
  leftBy(server: string): string[];
  /** Goes on with a run that was interrupted or whose owner died. @throws DeputyError `run-unknown` | `run-owned` */
  resume(id: string, options: ResumeOptions): Promise<Delegation>;
  /**
   * The next turn of a conversation (a run whose surface is `chat`): the user's message, and what follows from it. An
   * unfinished turn ends where it was stopped. @throws DeputyError `run-unknown` | `run-owned` | `nothing-to-run`
   */
  converse(id: string, text: string, options: ConverseOptions): Promise<Delegation>;
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
  questions: Questions["questions"];
  /** Answers one, whoever owns the run, and tells whether the answer counted. @throws DeputyError `run-unknown` | `question-closed` | `usage` */
  answer: Questions["answer"];
  /** The newest runs of the journal, newest first; all where no number is given. */
  runs(newest?: number): RunListing[];
  /** How many there are. */
  runCount(): number;
  /** One run by its id, an unambiguous beginning of it, or the id of one of its children. @throws DeputyError `run-unknown` */
  run(id: string): RunListing;
  /** Stored events of a run and those below it as of now; of one child alone for `ID.n`. @throws DeputyError `run-unknown` */
  events(id: string): Iterable<StoredEvent>;
  /**
   * Stored events of a run and those below it from the first, then new ones, from any process, until the run ends or
   * nobody works on it.
   */
  watch(id: string, signal: AbortSignal): AsyncIterable<Event>;
  /** Removes past runs from the journal, for good. None that is at work; unfinished ones only where that is asked for. */
  prune(options: PruneOptions): Pruned;
  /** Stops what runs here and lets go of everything. */
  close(): Promise<void>;
}

export function createEngine(deps: EngineDeps): Engine {
  const { clock, journal, scheduler, pid } = deps;
  const here = new Map<string, Promise<DelegationResult>>();

  async function prepare(asked: Call, options: PlanOptions): Promise<Prepared> {
    await refuseBrokenSchemas(asked);
    const call = withBudget(asked, options.maxCostUsd);
    const setup = withPermissions(deps.setup(), options.permissions);
    const { parent, parentRoute, askedBy, depth = 1, bounds, workspace: cwd } = options;
    if (askedBy === "model") refuseDepth(depth, setup);
    const { planned, warnings, agents } = setup.plan(call, {
      cwd,
      ...(parent && { parent }),
      ...(parentRoute && { parentRoute }),
      ...(askedBy && { askedBy }),
      ...(bounds && { bounds }),
      depth,
      ...(isConversation(options)
        ? { isConversation: true }
        : deps.route && { decisions: await askHook(deps.route, call.tasks, setup.candidates()) }),
    });
    const ofAgents = call.tasks.some(({ agent }) => agent !== undefined) ? setup.agentWarnings : [];
    const all = [...setup.warnings, ...ofAgents, ...overruled(parent, planned), ...warnings];
    return { planned, warnings: all, call, setup, agents };
  }

  async function submit(asked: Call, options: SubmitOptions): Promise<Delegation> {
    const { setup, start, stored } = await startOf(asked, options);
    journal.claim(start.delegationId);
    await journal.append([start, ...stored]);
    const run = foldRun(undefined, start);
    return begin(setup, { run, past: new Map(), lastSeq: 0 }, [start], options);
  }

  async function leave(asked: Call, options: SubmitOptions): Promise<string> {
    const { start, stored } = await startOf(asked, options);
    await journal.append([start, ...stored]);
    return start.delegationId;
  }

  /** A run's first event, and the images it names by their hash. Nothing has started yet. */
  async function startOf(asked: Call, options: PlanOptions, nested?: Order): Promise<Start> {
    const { planned, warnings, call, setup, agents } = await prepare(asked, options);
    refuseUnresolved(planned, options.strict === true || setup.config.delegation.on_unresolved === "reject");
    const { surface, server } = options;
    const about = { at: clock.now(), delegationId: nested ? nextIdUnder(journal, nested.by.childId) : deps.newId() };
    const { stored, ...light } = imagesApart(call, planned, about);
    const start: StartEvent = {
      kind: "delegation-start",
      ...about,
      ...light,
      surface,
      warnings,
      ...(Object.keys(agents).length > 0 && { agents }),
      ...(nested && { parent: nested.by }),
      ...(isConversation(options) ? { depth: 0 } : nested && { depth: nested.depth }),
      ...(server !== undefined && { server }),
    };
    return { setup, start, stored };
  }

  async function resume(id: string, options: ResumeOptions): Promise<Delegation> {
    const { run } = findRun(journal, id, pid);
    const { delegationId } = run;
    if (run.parent !== undefined) throw partOfTree(delegationId);
    if (run.endedAt !== undefined && !run.children.some(canGoOn)) return asItEnded(run);
    own(delegationId);
    try {
      const setup = withPermissions(deps.setup(), options.permissions);
      const { server } = options;
      const recalled = await recalledFor(delegationId, server);
      if (server !== undefined && !wasCutOff(recalled.run)) {
        journal.release(delegationId);
        return asItEnded(recalled.run);
      }
      const { renewed, ends } = renewRoutes(recalled.run, setup, clock.now(), server);
      return await goOn(setup, recalled, { renewed, ...(server !== undefined && { server }) }, ends, options);
    } catch (error) {
      journal.release(delegationId);
      throw error;
    }
  }

  async function converse(id: string, text: string, options: ConverseOptions): Promise<Delegation> {
    const { run } = findRun(journal, id, pid);
    const { delegationId } = run;
    const [session] = run.children;
    if (!isConversation(run) || session === undefined) throw noConversation(delegationId);
    own(delegationId);
    try {
      const setup = withPermissions(deps.setup(), options.permissions);
      const recalled = recallRun(journal, delegationId);
      const { route, maxCostUsd } = options;
      const renewed = nextRoute(session.tally, setup, route);
      return await goOn(
        setup,
        recalled,
        { renewed, ...(maxCostUsd !== undefined && { maxCostUsd }) },
        turnEvents(recalled, session.tally.childId, text, clock.now()),
        options,
      );
    } catch (error) {
      journal.release(delegationId);
      throw error;
    }
  }

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

  /** @throws DeputyError `run-owned` */
  function own(delegationId: string): void {
    const claim = journal.claim(delegationId);
    if (!claim.claimed) throw owned(delegationId, claim.owner.pid);
    if (here.has(delegationId)) throw owned(delegationId, pid);
  }

  /** Goes on with a run that this process has claimed. @param more what is on record before its children go on */
  async function goOn(
    setup: Setup,
    recalled: Recalled,
    facts: ResumeFacts,
    more: readonly StoredEvent[],
    options: ResumeOptions,
  ): Promise<Delegation> {
    const begun = await reopen(recalled, facts, more);
    return begin(setup, recalled, begun, options);
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

  /** What a child delegates: planned within its bounds, run to the end; one that a crash cut off goes on. */
  function delegating(options: Pick<ResumeOptions, "permissions" | "server">): Delegate {
    return async (order) => {
      const { above, begun } = order;
      const { show } = above;
      const before = begunBy(journal, order.by);
      if (before !== undefined && isOver(before.run)) return before.run;
      const { setup, recalled, first } =
        before === undefined ? await start(order, options) : await rejoin(before, options);
      begun(recalled.run);
      first.forEach(show);
      const { answering } = above;
      await conduct(deps, setup, recalled, { show, answering, above, delegate: delegating(options) });
      return recalled.run;
    };
  }

  async function start(order: Order, { permissions }: Pick<ResumeOptions, "permissions">) {
    const { depth, route, planned, above } = order;
    const options: PlanOptions = {
      surface: "child",
      askedBy: "model",
      workspace: planned.workspace,
      parentRoute: route,
      depth,
      bounds: boundsOf(order),
      ...(permissions && { permissions }),
    };
    const { setup, start, stored } = await startOf(order.call, options, order);
    if (above.signal.aborted) throw new DeputyError("nothing-to-run", "Stopped before anything was started.");
    journal.claim(start.delegationId);
    await journal.append([start, ...stored]);
    return { setup, recalled: firstOf(start), first: [start] };
  }

  async function rejoin(before: Recalled, { permissions, server }: Pick<ResumeOptions, "permissions" | "server">) {
    const { delegationId } = before.run;
    const claim = journal.claim(delegationId);
    if (!claim.claimed) throw owned(delegationId, claim.owner.pid);
    const setup = withPermissions(deps.setup(), permissions);
    const recalled = await recalledFor(delegationId, server);
    const { renewed, ends } = renewRoutes(recalled.run, setup, clock.now(), server);
    return { setup, recalled, first: await reopen(recalled, { renewed }, ends) };
  }

  function begin(
    setup: Setup,
    recalled: Recalled,
    first: readonly StoredEvent[],
    { asker, answersFromElsewhere, concurrency, permissions, beside, server }: ResumeOptions,
  ): Delegation {
    const { delegationId } = recalled.run;
    const feed = createFeed<Event>();
    scheduler.setCaps(concurrency ?? setup.config.delegation.max_concurrent_children, setup.limitsOf);
    setImmediate(() => first.forEach(feed.push)); // Before anything `conduct` does on that turn.
    const result = conduct(deps, setup, recalled, {
      show: feed.push,
      answering: { asker, answersFromElsewhere },
      delegate: delegating({ ...(permissions && { permissions }), ...(server !== undefined && { server }) }),
      beside,
    }).finally(() => {
      here.delete(delegationId);
      feed.end();
    });
    result.catch(() => {}); // Whoever holds the delegation hears of it; nobody has to.
    here.set(delegationId, result);
    return { id: delegationId, events: feed, result, stop: (by, target) => requestStop(delegationId, by, target) };
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
    if (owner === "dead" && journal.claim(delegationId).claimed) await bury(run, by, target);
  }

  /** A run nobody works on any more is stopped by saying so. */
  async function bury(run: Run, by: string, target: string | undefined): Promise<void> {
    await journal.append(burial(run, by, clock.now(), target));
    journal.release(run.delegationId);
  }

  async function* watch(id: string, signal: AbortSignal): AsyncGenerator<Event> {
    const { delegationId } = findRun(journal, id, pid).run;
    yield* watchRun({ journal, clock }, delegationId, signal);
  }

  function prune(options: PruneOptions): Pruned {
    const listings = listAllRuns(journal, pid);
    const families = prunable(listings, options, clock.now());
    const asked = families.flatMap((family) => family.listings.map(({ run }) => run.delegationId));
    const bytes = new Map(asked.map((delegationId) => [delegationId, sizeOf(delegationId)]));
    const delegationIds = options.dryRun ? asked : journal.remove(asked);
    return {
      runs: families.map(({ root }) => root).filter((root) => delegationIds.includes(root)),
      delegationIds,
      bytes: delegationIds.reduce((sum, delegationId) => sum + (bytes.get(delegationId) ?? 0), 0),
      kept: new Set(listings.map(({ run }) => rootIdOf(run.delegationId))).size - families.length,
    };
  }

  function sizeOf(delegationId: string): number {
    let bytes = 0;
    for (const { event } of journal.read({ delegationId })) bytes += Buffer.byteLength(JSON.stringify(event));
    return bytes;
  }

  const talk = { clock, journal, pid, newId: deps.newId, watch };
  return {
    plan: prepare,
    submit,
    leave,
    leftBy: (server) => leftBy(journal, server),
    resume,
    converse,
    stop,
    ...createSteering(talk),
    ...createQuestions(talk),
    runs: (newest) => listRuns(journal, pid, newest),
    runCount: () => runIds(journal).length,
    run: (id) => findRun(journal, id, pid),
    events: (id) => eventsOf(journal, id, pid),
    watch,
    prune,
    async close() {
      await Promise.all([...here.keys()].map((delegationId) => requestStop(delegationId, "close")));
      await Promise.allSettled(here.values());
      await deps.closeTransport();
      await journal.close();
    },
  };
}

/** The end of a run that has one: nothing starts, what was found is told again. */
function asItEnded(run: Run): Delegation {
  const events = createFeed<Event>();
  events.end();
  return { id: run.delegationId, events, result: Promise.resolve(resultsOf(run)), stop: async () => {} };
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
    `Expected a run that no child made; ${delegationId} is part of ${rootId} and goes on with it: deputy resume ${rootId}`,
  );
}

/** @throws DeputyError `nothing-to-run` where no model may delegate so deep */
function refuseDepth(depth: number, { config }: Setup): void {
  const { max_spawn_depth: most } = config.delegation;
  if (depth <= most) return;
  throw new DeputyError(
    "nothing-to-run",
    `No task can start: delegation.max_spawn_depth is ${most}, so that ${most === 0 ? "no model may delegate" : `children at depth ${depth - 1} may not delegate`}. The user can raise it in the config.`,
  );
}

function noConversation(delegationId: string): DeputyError {
  return new DeputyError(
    "run-unknown",
    `Expected a conversation; ${delegationId} is a delegation. See what it did with: deputy show ${delegationId}`,
  );
}

/**
 * The route of a conversation's next turn, where it differs from the last one's: another that was chosen, or the same as
 * it leads today. @throws DeputyError `nothing-to-run` where that cannot be had any more
 */
function nextRoute({ planned, childId }: Tally, setup: Setup, chosen: Route | undefined): Record<string, Route> {
  if ("problem" in planned) throw new Error(`${childId}: a conversation without a route`);
  const next = chosen === undefined ? setup.renew(planned.route) : { route: chosen };
  if ("problem" in next) throw new DeputyError("nothing-to-run", next.problem.message, { details: next.problem });
  return isDeepStrictEqual(next.route, planned.route) ? {} : { [childId]: next.route };
}

/** Flags stand for the parent: where the config says what children run on, that holds, and nobody should wonder. */
function overruled(parent: Wish = {}, planned: readonly Planned[]): Warning[] {
  const asked = parent.model ?? parent.provider;
  const route = planned
    .map((entry) => ("route" in entry ? entry.route : undefined))
    .find((route) => route?.chosenBy.model === "delegation" || route?.chosenBy.provider === "delegation");
  if (asked === undefined || route === undefined) return [];
  const message = `${asked} is what the caller runs on; delegation: in the config says that children run on ${route.model} @ ${route.provider}. A task that names its own model runs on that.`;
  return [{ code: "caller-overruled", message }];
}

/** What planning cannot see in a call: an output_schema that is none. */
async function refuseBrokenSchemas({ tasks }: Call): Promise<void> {
  for (const [index, { output_schema: schema }] of tasks.entries()) {
    const mistake = schema && (await schemaMistake(schema));
    if (mistake === undefined) continue;
    throw new DeputyError("task-invalid", `tasks[${index}].output_schema: Expected a JSON Schema; ${mistake}.`);
  }
}

/** @throws DeputyError `nothing-to-run` where no task can start or, with `all`, where one cannot */
function refuseUnresolved(planned: readonly Planned[], all: boolean): void {
  const problems = planned.flatMap((entry, index) => ("problem" in entry ? [{ index, ...entry }] : []));
  if (problems.length === 0 || (!all && problems.length < planned.length)) return;
  const lines = problems.map(
    ({ index, task, problem }) => `tasks[${index}] (${inShort(task.goal)}), ${problem.field}: ${problem.message}`,
  );
  const head = problems.length === planned.length ? "No task can start:" : "Nothing was started, because not all can:";
  throw new DeputyError("nothing-to-run", [head, ...lines].join("\n"), { details: problems });
}

function inShort(goal: string): string {
  const line = goal.replace(/\s+/g, " ").trim();
  return line.length <= 60 ? line : `${line.slice(0, 59)}…`;
}

function withPermissions(setup: Setup, permissions: PermissionRule[] = []): Setup {
  return { ...setup, permissions: [...permissions, ...setup.permissions] };
}

function withBudget(call: Call, maxCostUsd: number | undefined): Call {
  if (maxCostUsd === undefined) return call;
  return { ...call, max_cost_usd: Math.min(maxCostUsd, call.max_cost_usd ?? Number.POSITIVE_INFINITY) };
}

type Renewal = { renewed: Record<string, Route>; ends: StoredEvent[] };

/**
 * The routes of a run's open children as they lead today. A child whose route is gone ends, and its ending says why. Where
 * a server goes on by itself, one that was stopped ends once more as it had ended.
 */
function renewRoutes({ delegationId, children }: Run, setup: Setup, at: number, server?: string): Renewal {
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
