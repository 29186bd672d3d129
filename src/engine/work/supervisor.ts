/**
 * One delegation under way in this process: its children queue, run and end; each event they say is journaled, folded
 * and shown, in that order. Nothing it started outlives it.
 */
import type { ChildDeps, ChildInput, EmittedEvent, StopReason } from "../../child/child.ts";
import { runChild } from "../../child/loop.ts";
import { childPrompt, conversationPrompt, type Notes, taskPrompt } from "../../child/prompt.ts";
import type { SchemaChecker } from "../../child/schema/schema-checker.ts";
import type { Model } from "../../child/wire/model.ts";
import type { Clock } from "../../clock.ts";
import { DeputyError, type Failure } from "../../errors.ts";
import { DURABILITY, type Event, isStored, REQUESTS, type StoredEvent } from "../../event.ts";
import type { Journal } from "../../journal/journal.ts";
import type { Ready } from "../../plan.ts";
import type { Report } from "../../report.ts";
import { type DelegationResult, routeAt } from "../../result.ts";
import type { Route } from "../../route.ts";
import type { Bounds } from "../../routing/plan.ts";
import {
  budgetOf,
  foldRun,
  hasEnded,
  interruption,
  isConversation,
  nestedUsage,
  parseRunId,
  type Run,
  type RunChild,
  resultsOf,
  spentIn,
  workedMs,
} from "../../run/run.ts";
import { reportOf } from "../../run/run-report.ts";
import type { LoadedRun } from "../../run/run-store.ts";
import type { Call } from "../../task.ts";
import type { Tool, ToolContext } from "../../tool.ts";
import { createDelegate } from "../../tools/delegation/delegate.ts";
import { createListModels } from "../../tools/delegation/list-models.ts";
import { type ApprovalOptions, createApprovals } from "../control/approvals.ts";
import { type Budget, createBudget, reserve, tightestUsd } from "../limits/budget.ts";
import { type ChildSlot, createChildSlot } from "../limits/child-slot.ts";
import { createDeadline, type Deadline } from "../limits/deadline.ts";
import { retryPolicy } from "../limits/retry-policy.ts";
import type { Scheduler, WaitStatus } from "../limits/scheduler.ts";
import type { Setup } from "../setup/setup.ts";
import { loadImages } from "../start/images.ts";
import { abortedBy, type ParentContext, type RunNested, restOf } from "../start/nested-call.ts";

export type Services = {
  clock: Clock;
  random: () => number;
  journal: Journal;
  scheduler: Scheduler;
  model: Model;
  schemas: Pick<SchemaChecker, "check">;
};

/** What a surface adds to what the agent of a conversation can do. */
export type ChatExtras = {
  tools: readonly Tool[];
  /** Where the agent finds the rest of an answer that was cut. */
  restOf(childId: string, offset: number): string;
  /** Has a process of its own begin a call that is not waited for. @throws DeputyError where nothing can start */
  background(call: Call, from: { parentRoute: Route; workspace: string; bounds: Bounds }): Promise<Report>;
};

/** What is beside the run itself. */
type RunHooks = {
  chatExtras?: ChatExtras | undefined;
  /** Sees every event, live ones included, in order. */
  publish(event: Event): void;
  approvalOptions: ApprovalOptions;
  /** Runs what the children delegate in their turn. */
  delegate: RunNested;
  /** Where a child made this delegation. */
  parent?: ParentContext;
};

/**
 * Runs what is left of a run to its end. Everything begins on the next turn of the event loop, so that whoever asked can
 * watch from the first event.
 * @param recalled the run so far; further events are folded into it
 * @returns the result; rejects only where the journal broke its promise
 */
export async function supervise(
  services: Services,
  setup: Setup,
  { run, past, lastSeq }: LoadedRun,
  { publish, approvalOptions, delegate, parent, chatExtras }: RunHooks,
): Promise<DelegationResult> {
  const { clock, journal, scheduler } = services;
  const { delegationId } = run;
  const { delegation } = setup.config;
  const controllers = new Map<string, AbortController>();
  /** Delegations under way, by the child that made them. */
  const nestedRuns = new Map<string, Promise<unknown>[]>();
  /** Settles when the delegation that a child has asked for last has begun, or will not. */
  const begun = new Map<string, Promise<void>>();
  const budgets = [...(parent?.budgets ?? []), createBudget(budgetOf(run, setup.config), spentIn(run.children))];
  const approvals = createApprovals(approvalOptions, delegation.approval_timeout_seconds * 1000, clock);
  const prompts = createPrompts(run, setup);
  let broken: { error: unknown } | undefined;
  /** Set once everything is to stop: what begins later is stopped too. */
  let stopping: StopReason | undefined;

  /** Journals, folds and shows. Resolves when the event is as durable as its kind demands. */
  async function record(event: Event): Promise<void> {
    if (isStored(event)) {
      const durable = journal.append([event]);
      if (DURABILITY[event.kind] === "barrier") await durable;
      else durable.catch(abortRun);
    }
    foldRun(run, event);
    publish(event);
  }

  /** The journal's promise is broken: nothing that is not recorded may go on. */
  function abortRun(error: unknown): void {
    broken ??= { error };
    stop("the journal failed");
  }

  /** Stops one child or all; those that wait never start. */
  function stop(by: string, target?: string): void {
    const reason: StopReason = { status: "interrupted", by };
    if (target === undefined) stopping ??= reason;
    for (const [childId, controller] of controllers) {
      if (target === undefined || target === childId) controller.abort(reason);
    }
  }

  /** @param earlierMs what it had worked before it was interrupted: that counts */
  async function superviseChild(child: RunChild, planned: Ready, earlierMs: number): Promise<void> {
    const { childId, taskIndex } = child.tally;
    const controller = new AbortController();
    const { signal } = controller;
    controllers.set(childId, controller);
    if (stopping !== undefined) controller.abort(stopping);
    const about = { delegationId, childId };
    const slot = createChildSlot(scheduler, clock, (provider, what) => void record(waitEvent(provider, what, about)));
    const { timeoutMs } = planned.limits;
    const outOfTime = () => controller.abort({ status: "timeout" } satisfies StopReason);
    const deadline = createDeadline(clock, timeoutMs, earlierMs - child.tally.pausedMs, outOfTime);
    const deps = depsOf(planned, slot, deadline, child);
    try {
      if (!(await slot.acquire(planned.route.provider, signal))) return await record(neverStarted(childId, signal));
      const images = loadImages(planned, { delegationId, journal, readImage: setup.readImage });
      if ("failure" in images) return await record(failedEnd(childId, images.failure));
      deadline.resume();
      const input: ChildInput = {
        delegationId,
        childId,
        taskIndex,
        planned,
        ...(await prompts(planned, deps.tools, signal)),
        images,
        past: past.get(childId) ?? [],
        earlierMs,
      };
      await recordAll(runChild(input, deps, signal));
    } catch (error) {
      if (error instanceof DeputyError) abortRun(error);
      else await record(internalFailure(childId, error)).catch(abortRun);
    } finally {
      deadline.pause();
      slot.release();
      // Where it failed in the middle, what it delegated still has to end.
      controller.abort({ status: "interrupted", by: "parent-end" } satisfies StopReason);
      await Promise.allSettled(nestedRuns.get(childId) ?? []);
      nestedRuns.delete(childId);
      begun.delete(childId);
      controllers.delete(childId);
    }
  }

  async function recordAll(events: AsyncGenerator<EmittedEvent, unknown>): Promise<void> {
    for await (const event of events) await record(event);
  }

  function neverStarted(childId: string, signal: AbortSignal): StoredEvent {
    const { by } = signal.reason as StopReason & { status: "interrupted" };
    return interruption(delegationId, childId, by, clock.now());
  }

  /** A bug in Deputy costs the child that met it, and no other. */
  function internalFailure(childId: string, error: unknown): StoredEvent {
    const message = `Deputy failed by a fault of its own: ${error instanceof Error ? error.stack : error}`;
    return failedEnd(childId, { kind: "invalid-request", message });
  }

  function failedEnd(childId: string, failure: Failure): StoredEvent {
    const ending = { status: "failed", failure, text: "" } as const;
    return { kind: "child-end", at: clock.now(), delegationId, childId, ending, durationMs: 0 };
  }

  function waitEvent(provider: string, what: WaitStatus, about: { delegationId: string; childId: string }): Event {
    const at = clock.now();
    const { taskIndex = -1 } = parseRunId(about.childId);
    if ("place" in what) return { kind: "queue-move", at, ...about, taskIndex, place: what.place };
    const { limit, forMs } = what;
    return { kind: "gate-wait", at, ...about, provider, limit, ...(Number.isFinite(forMs) && { delayMs: forMs }) };
  }

  function depsOf(planned: Ready, slot: ChildSlot, deadline: Deadline, child: RunChild): ChildDeps {
    const ownBudgets = [...budgets, createBudget(planned.limits.maxCostUsd, spentIn([child]))];
    return {
      clock,
      model: services.model,
      tools: toolsOf(planned, slot, child, ownBudgets),
      permissions: { rules: setup.permissions, otherwise: delegation.approvals },
      approve: approvals.approve,
      answerBy: approvals.answerBy,
      steered: () => child.steers.find(({ state }) => state === "queued"),
      lease: setup.lease,
      price: setup.price,
      async reserve(worst, isFinalAnswer, signal) {
        deadline.pause();
        const reservation = await reserve(ownBudgets, worst, isFinalAnswer, signal);
        deadline.resume();
        return reservation;
      },
      async admit(provider, tokens, signal) {
        deadline.pause();
        const permit = await slot.admit(provider, tokens, signal);
        deadline.resume();
        return permit;
      },
      budgetUsd: () => tightestUsd(ownBudgets),
      recover: (situation) => retryPolicy(situation, services.random, delegation.on_quota),
      pause: slot.pause,
      async sleepUntil(until, signal) {
        deadline.pause();
        await slot.sleepUntil(until, signal);
        deadline.resume();
      },
      schemas: services.schemas,
      onServedMismatch: delegation.on_served_mismatch,
    };
  }

  /** What the child's toolsets hold, and of that what its agent may have. A conversation may be at a model without tools. */
  function toolsOf(
    planned: Ready,
    slot: ChildSlot,
    child: RunChild,
    inheritedBudgets: readonly Budget[],
  ): readonly Tool[] {
    const { route, toolsets, workspace, role, tools: named } = planned;
    if (route.facts.tools === false) return [];
    const all = setup.tools(toolsets, workspace);
    const tools = named === undefined ? all : all.filter(({ name }) => named.includes(name));
    const delegates = role === "orchestrator" || isConversation(run);
    if (!delegates || run.depth >= delegation.max_spawn_depth) return tools;
    const listModels = createListModels({ listModels: setup.listModels });
    const added = isConversation(run) ? (chatExtras?.tools ?? []) : [];
    return [...tools, delegateTool(planned, slot, child, inheritedBudgets) as Tool, listModels as Tool, ...added];
  }

  function delegateTool(planned: Ready, slot: ChildSlot, child: RunChild, inheritedBudgets: readonly Budget[]) {
    return createDelegate({
      available: setup.listModels(),
      maxTasks: delegation.max_tasks_per_call,
      maxConcurrent: delegation.max_concurrent_children,
      mayOrchestrate: run.depth + 1 < delegation.max_spawn_depth,
      maxSummaryChars: delegation.max_summary_chars,
      restOf: chatExtras?.restOf ?? restOf,
      supportsBackground: chatExtras !== undefined,
      async submit(call, context, { background }) {
        const { childId } = child.tally;
        if (background && chatExtras !== undefined) {
          const { toolsets, workspace } = planned;
          const bounds = { toolsets, isBudgeted: inheritedBudgets.some(({ limitUsd }) => limitUsd !== undefined) };
          return chatExtras.background(call, {
            parentRoute: routeAt(planned, child.tally.position),
            workspace,
            bounds,
          });
        }
        const nested = runNested(planned, child, call, context, inheritedBudgets);
        nestedRuns.set(childId, [...(nestedRuns.get(childId) ?? []), nested]);
        slot.release();
        return reportOf({ run: await nested, owner: "none" }, clock.now());
      },
    });
  }

  /**
   * What a child delegates, to its end. What it has used is on record before the child hears of it. Several at once begin
   * one after another, so that they are numbered in the order they were asked for.
   */
  async function runNested(
    planned: Ready,
    child: RunChild,
    call: Call,
    { callId = "", step = 0, signal }: ToolContext,
    inheritedBudgets: readonly Budget[],
  ): Promise<Run> {
    const { childId } = child.tally;
    const before = begun.get(childId);
    const { promise: hasBegun, resolve: letNextBegin } = Promise.withResolvers<void>();
    begun.set(childId, hasBegun);
    await before;
    const nested = await delegate({
      call,
      by: { childId, step, callId },
      planned,
      route: routeAt(planned, child.tally.position),
      depth: run.depth + 1,
      parent: { budgets: inheritedBudgets, signal, publish, approvalOptions },
      setup,
      onStart(run) {
        const known = child.delegations.findIndex(({ delegationId }) => delegationId === run.delegationId);
        child.delegations.splice(known < 0 ? child.delegations.length : known, 1, run);
        letNextBegin();
      },
    }).finally(letNextBegin);
    const charge = nestedUsage(nested, planned);
    await record({ kind: "delegation-charge", at: clock.now(), delegationId, childId, charge });
    return nested;
  }

  /** What people ask of a run comes through the journal, from this process as from any other. */
  async function readInbox(signal: AbortSignal): Promise<void> {
    for await (const { event } of journal.watch({ delegationId, kinds: REQUESTS, after: lastSeq }, signal)) {
      foldRun(run, event);
      publish(event);
      if (event.kind === "stop-request") stop(event.by, event.target);
      if (event.kind === "approval-answer") approvals.resolve(event);
    }
  }

  const open = run.children.flatMap((child) => {
    const { planned } = child.tally;
    const { startedAt = run.lastEventAt } = child.tally;
    const earlierMs = Math.max(0, run.lastEventAt - startedAt);
    return hasEnded(child) || "problem" in planned ? [] : [{ child, planned, earlierMs }];
  });
  const begunAt = clock.elapsed() - workedMs(run);
  await new Promise((resolve) => setImmediate(resolve));
  const stopWithParent = () => parent && stop(abortedBy(parent.signal));
  if (parent?.signal.aborted) stopWithParent();
  parent?.signal.addEventListener("abort", stopWithParent, { once: true });
  const over = new AbortController();
  const inbox = readInbox(over.signal).catch(abortRun);
  await Promise.all(open.map(({ child, planned, earlierMs }) => superviseChild(child, planned, earlierMs)));
  parent?.signal.removeEventListener("abort", stopWithParent);
  over.abort();
  await inbox;
  if (broken !== undefined) throw broken.error;
  const durationMs = Math.round(clock.elapsed() - begunAt);
  await record({ kind: "delegation-end", at: clock.now(), delegationId, durationMs });
  journal.release(delegationId);
  return resultsOf(run);
}

/** System and task prompts; the project's notes are read once for each workspace. A child that is stopped does not wait. */
function createPrompts(run: Run, { readNotes }: Setup) {
  const { call, agents } = run;
  const systemPrompt = isConversation(run) ? conversationPrompt : childPrompt;
  const notes = new Map<string, Promise<Notes>>();
  return async (
    { task, workspace, agent, images }: Ready,
    tools: readonly { name: string }[],
    signal: AbortSignal,
  ): Promise<Pick<ChildInput, "prompt" | "warnings">> => {
    const known = notes.get(workspace) ?? readNotes(workspace);
    notes.set(workspace, known);
    const { text, warnings } = await Promise.race([known, noNotesOnce(signal)]);
    const names = tools.map(({ name }) => name);
    const part = agent === undefined ? undefined : agents[agent];
    return {
      prompt: { system: systemPrompt(workspace, names, text, part), user: taskPrompt(task, call.context, images) },
      warnings,
    };
  };
}

function noNotesOnce(signal: AbortSignal): Promise<Notes> {
  return new Promise((resolve) => {
    const giveUp = () => resolve({ warnings: [] });
    if (signal.aborted) giveUp();
    signal.addEventListener("abort", giveUp, { once: true });
  });
}
