/**
 * Runs again what a run did not complete, as a new run that is linked to it. Completed children are carried over: their
 * start and end are copied into the new run, in which they cost nothing. The rest is planned like any call.
 */
import type { Clock } from "../../clock.ts";
import { DeputyError } from "../../errors.ts";
import type { ChildEvent, RetryOf, StoredEvent } from "../../event.ts";
import type { Journal } from "../../journal/journal.ts";
import type { Planned } from "../../plan.ts";
import type { Wish } from "../../route.ts";
import { childIdOf, isConversation, parseRunId, type Run, type RunChild, rootIdOf } from "../../run/run.ts";
import { isAtWork, type LoadedRun, loadRun } from "../../run/run-store.ts";
import type { Call, Task } from "../../task.ts";
import { present } from "../../values/present.ts";
import type { CurrentRuns } from "../control/current-runs.ts";
import type { LiveDelegation } from "../delegation.ts";
import { restoredImages } from "./images.ts";
import { newRun } from "./nested-call.ts";
import type { RunOptions, RunsHere } from "./runs-here.ts";
import type { CallOptions, Calls, StartEvent } from "./start-call.ts";

export type RetryOptions = Omit<CallOptions, "depth" | "bounds" | "parentRoute" | "parent"> &
  RunOptions & {
    /** Replaces the model, provider or effort of every task that runs again. */
    route?: Wish;
  };

export type RetryDeps = Pick<Calls, "prepare"> &
  Pick<CurrentRuns, "find"> &
  Pick<RunsHere, "begin"> & { clock: Clock; journal: Journal; newId(): string };

/**
 * @throws DeputyError `run-unknown` · `usage` for a child, a conversation or a child's delegation · `run-owned` if the run
 * has not ended · `nothing-to-run` if every task completed, or none can start
 */
export async function retry(deps: RetryDeps, id: string, options: RetryOptions): Promise<LiveDelegation> {
  const found = await deps.find(id);
  refuseUnfit(found.run, id, isAtWork(found));
  const { journal } = deps;
  const { run, past } = await loadRun(journal, found.run.delegationId);
  const again = run.children.filter((child) => !isCompleted(child));
  if (again.length === 0) {
    const message = `Every task of ${run.delegationId} completed: there is nothing to run again. See deputy show ${run.delegationId}.`;
    throw new DeputyError("nothing-to-run", message);
  }
  const { route, maxCostUsd, ...rest } = options;
  const tasks = await Promise.all(again.map((child) => taskAgain(child, run, journal, route)));
  const { setup, firstEvents } = await deps.prepare(
    { ...callAgain(run.call, route), tasks, ...present({ max_cost_usd: maxCostUsd ?? run.call.max_cost_usd }) },
    {
      ...rest,
      workspace: run.directory ?? options.workspace,
      hosts: hostsNamedTo(again),
      ...present({ parent: parentOf(run, again, route) }),
    },
  );
  const events = await journal.begin({ id: deps.newId() }, (delegationId) =>
    withCarried(firstEvents(delegationId), { run, past }),
  );
  const shown = events.filter(({ kind }) => kind !== "image-add");
  return deps.begin(setup, newRun(events), shown, rest);
}

/** The hosts that the user named when the tasks were first planned: a model may have written their texts. */
export function hostsNamedTo(children: readonly RunChild[]): string[] {
  return children.flatMap(({ tally: { planned } }) => ("hosts" in planned ? (planned.hosts ?? []) : []));
}

function isCompleted({ tally }: RunChild): boolean {
  return tally.ending?.status === "completed";
}

function refuseUnfit(run: Run, id: string, isRunning: boolean): void {
  const { delegationId, parent } = run;
  const usage = (message: string) => new DeputyError("usage", message);
  if (parseRunId(id).taskIndex !== undefined)
    throw usage(`Expected a run; ${id} is one child of it. Use deputy retry ${delegationId}.`);
  if (parent !== undefined) {
    const rootId = rootIdOf(delegationId);
    throw usage(`Expected a run that no child made; ${delegationId} is part of ${rootId}. Use deputy retry ${rootId}.`);
  }
  if (isConversation(run))
    throw usage(`${delegationId} is a conversation. Continue it with: deputy chat --resume ${delegationId}`);
  if (run.endedAt !== undefined) return;
  const hint = isRunning
    ? `Run ${delegationId} is still active. Wait for its end (deputy watch ${delegationId}), or stop it first: deputy stop ${delegationId}`
    : `Run ${delegationId} is unfinished. Continue it with deputy resume ${delegationId}, or end it first: deputy stop ${delegationId}`;
  throw new DeputyError("run-owned", hint);
}

/** The task as it was written, in the directory where it ran, on another route if one was chosen. */
export async function taskAgain(
  { tally }: RunChild,
  { call, delegationId }: Run,
  journal: Journal,
  route: Wish | undefined,
): Promise<Task> {
  const { planned, taskIndex } = tally;
  const { model, provider, reasoning_effort, ...task } = call.tasks[taskIndex] ?? planned.task;
  const images = await restoredImages(task.images, planned, { journal, delegationId });
  const workspace = "workspace" in planned ? planned.workspace : undefined;
  const written = changesModel(route) ? {} : present({ model, provider });
  return {
    ...task,
    ...written,
    ...present({ reasoning_effort: route?.effort ?? reasoning_effort, workspace, images }),
    ...present({ model: route?.model, provider: route?.provider }),
  };
}

function changesModel(route: Wish = {}): boolean {
  return route.model !== undefined || route.provider !== undefined;
}

/** The call's own route gives way to a chosen one. */
export function callAgain({ model, provider, ...call }: Call, route: Wish | undefined): Omit<Call, "tasks"> {
  return changesModel(route) ? call : { ...call, ...present({ model, provider }) };
}

/** A chosen model without a provider stays at the provider that all tasks had. Otherwise the flags of the run apply. */
export function parentOf(run: Run, again: readonly RunChild[], route: Wish | undefined): Wish | undefined {
  if (route?.model === undefined || route.provider !== undefined) return run.wish;
  const providers = new Set(again.flatMap(({ tally: { planned } }) => providerOf(planned)));
  const [provider] = providers;
  return provider === undefined || providers.size > 1
    ? run.wish
    : { ...present({ effort: run.wish?.effort }), provider };
}

function providerOf(planned: Planned): string[] {
  return "route" in planned ? [planned.route.provider] : [];
}

/** Puts the carried children between the planned ones, in the order of the earlier run's tasks. */
export function withCarried(
  [start, ...stored]: [StartEvent, ...StoredEvent[]],
  { run, past }: Pick<LoadedRun, "run" | "past">,
): [StartEvent, ...StoredEvent[]] {
  const { at, delegationId } = start;
  const carried: RetryOf["carried"] = {};
  const events: ChildEvent[] = [];
  let next = 0;
  const entries = run.children.map((child, index) => {
    if (!isCompleted(child)) {
      const entry = { task: start.call.tasks[next], planned: start.planned[next] };
      next += 1;
      return entry;
    }
    const { childId: from, carriedFrom, filesChanged, planned } = child.tally;
    const childId = childIdOf(delegationId, index);
    carried[childId] = { from: carriedFrom ?? from, filesChanged: [...filesChanged] };
    events.push(...startAndEnd(past.get(from) ?? [], { at, delegationId, childId }));
    return { task: run.call.tasks[index], planned };
  });
  const tasks = entries.flatMap(({ task }) => (task === undefined ? [] : [task]));
  const planned = entries.flatMap((entry) => (entry.planned === undefined ? [] : [entry.planned]));
  const retry = { delegationId: run.delegationId, carried };
  return [{ ...start, call: { ...start.call, tasks }, planned, retry }, ...stored, ...events];
}

/** The events that say which route a child ran on and how it ended; its requests and tools stay in the earlier run. */
function startAndEnd(
  past: readonly ChildEvent[],
  about: { at: number; delegationId: string; childId: string },
): ChildEvent[] {
  const started = past.find(({ kind }) => kind === "child-start");
  const attempt = past.findLast(({ kind }) => kind === "attempt-start");
  const copy = past.findLast(({ kind }) => kind === "worktree-add");
  const saved = past.findLast(({ kind }) => kind === "worktree-save");
  const end = past.findLast(({ kind }) => kind === "child-end");
  const kept = [copy, started, attempt, saved, end].filter((event) => event !== undefined);
  return kept.map((event) => ({ ...event, ...about, ...(event.kind === "child-end" && { durationMs: 0 }) }));
}
