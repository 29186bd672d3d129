/**
 * A run: the state of a delegation, folded from its events. Results, the live tree, listings and resume read this and
 * nothing else. It holds no message of any child.
 */
import { relative, resolve } from "node:path";
import { type ApprovalFacts, requestCode } from "../approval-request.ts";
import type { Config } from "../config-schema.ts";
import type { Warning } from "../errors.ts";
import {
  type Blocked,
  type ChildEvent,
  type Event,
  type EventKind,
  isStored,
  type LiveEvent,
  type NestedUsage,
  type StoredEvent,
} from "../event.ts";
import { formatUsd } from "../money.ts";
import type { Planned } from "../plan.ts";
import { present } from "../present.ts";
import {
  applyToStats,
  type ChildStats,
  costOf,
  createChildStats,
  type DelegationResult,
  delegationResult,
  endPause,
  type Result,
  resultOf,
  sumOf,
  usageTotals,
  usedAlone,
} from "../result.ts";
import type { Call } from "../task.ts";

export type RunChild = {
  readonly tally: ChildStats;
  /** What it is asked to do: its task's goal, or the newest message of a conversation. */
  asked: string;
  /** What it is doing right now, in words: `waiting (place 3)`, `asking glm-4.7`, `running grep`. */
  activity: string;
  /** What was said to it, oldest first. */
  readonly steers: Steer[];
  /** What it asks and nobody has answered yet. */
  questions: OpenQuestion[];
  /** Delegations it made itself, oldest first. */
  readonly delegations: Run[];
  /** Who has asked since the run was last begun that it stop. */
  stopAskedBy?: string;
  /** Times that a server went on with it since it, or anything below it, last got further. */
  resumedHere: number;
  /** Ids of tool calls that have begun and not ended. */
  readonly openCalls: Set<string>;
  /** It was interrupted then (milliseconds since the epoch), and nobody has worked on it since. */
  idleSince?: number;
  /** Why it was left out when its run was last resumed, where nobody had stopped it before. */
  blocked?: Blocked;
};

/**
 * Something said to a child. `queued`: it is not in its conversation yet. `delivered`: it is, and goes with the next
 * request. `missed`: the child ended first.
 */
export type Steer = { id: string; text: string; by: string; state: "queued" | "delivered" | "missed" };

/** A tool call that waits for a person's word. `answerBy` is absent where nobody could give it. */
export type OpenQuestion = Omit<ApprovalFacts, "childId"> & { request: string; answerBy?: number };

export type Run = {
  readonly delegationId: string;
  /** The child that made it, where one did. */
  readonly parent?: { childId: string; step: number; callId: string };
  /** Of its children: 1 where no child made it, 0 for a conversation. */
  readonly depth: number;
  call: Call;
  readonly surface: string;
  /** Prompts of the agent definitions that tasks work by, by name. */
  readonly agents: Readonly<Record<string, string>>;
  readonly startedAt: number;
  /** Absent while the run goes on, or where its owner died before the end. */
  endedAt?: number;
  /** As its owner measured it, once it has ended. */
  durationMs?: number;
  lastEventAt: number;
  /** Time in which nobody worked on it, between an interruption and a resume. */
  downtimeMs: number;
  /** Who has asked since it was last begun that all of it stop. */
  stopAskedBy?: string;
  /** Times that a server went on with it since anything in it last got further. */
  resumedHere: number;
  /** In task order. A rejected task is a child without events. */
  readonly children: RunChild[];
  readonly warnings: Warning[];
};

/** An event, and the run that was folded with it just now. The event may be of a delegation below the run. */
export type RunUpdate = { event: Event; run: Run };

/** The id of a delegation's child. Children count from 1, as the live lines do. */
export function childIdOf(delegationId: string, taskIndex: number): string {
  return `${delegationId}.${taskIndex + 1}`;
}

/**
 * The delegation and, where the id names a child, its task index. Runs have an odd number of parts: `abc.2` is the second
 * child of `abc`, `abc.2.1` the first delegation that child made.
 */
export function parseRunId(id: string): { delegationId: string; taskIndex?: number } {
  const parts = id.split(".");
  if (parts.length % 2 === 1) return { delegationId: id };
  return { delegationId: parts.slice(0, -1).join("."), taskIndex: Number(parts.at(-1)) - 1 };
}

/**
 * Where a run stands in its tree, for people: `2›` is below the second child, `2.3›` the third delegation that child made.
 * Empty at the root, and for what a conversation's one child delegates, which goes without saying.
 */
export function ancestorPrefix({ delegationId, depth }: Pick<Run, "delegationId" | "depth">): string {
  const [, ...parts] = delegationId.split(".");
  const makers = parts.flatMap((child, at) => {
    const number = parts[at + 1];
    return at % 2 === 1 || number === undefined ? [] : [number === "1" ? `${child}›` : `${child}.${number}›`];
  });
  return makers.slice(makers.length - Math.max(0, depth - 1)).join("");
}

/** The run at the root of the tree that an id belongs to. */
export function rootIdOf(id: string): string {
  return id.split(".", 1)[0] ?? id;
}

/** Whether the run is a conversation with the user: one child, and each message of the user a turn of it. */
export function isConversation({ surface }: Pick<Run, "surface">): boolean {
  return surface === "chat";
}

/** Folds events into runs, one at a time. The first event must be `delegation-start`. */
export function foldRun(run: Run | undefined, event: Event): Run {
  if (run !== undefined && event.delegationId !== run.delegationId) return foldNested(run, event);
  if (event.kind === "delegation-start") {
    return {
      delegationId: event.delegationId,
      ...present({ parent: event.parent }),
      depth: event.depth ?? 1,
      call: event.call,
      surface: event.surface,
      agents: event.agents ?? {},
      startedAt: event.at,
      lastEventAt: event.at,
      downtimeMs: 0,
      resumedHere: 0,
      warnings: [...event.warnings],
      children: event.planned.map((planned, index) => ({
        tally: createChildStats(childIdOf(event.delegationId, index), index, planned),
        asked: planned.task.goal,
        activity: "waiting",
        steers: [],
        questions: [],
        delegations: [],
        resumedHere: 0,
        openCalls: new Set(),
      })),
    };
  }
  if (run === undefined) throw new Error(`${event.delegationId}: ${event.kind} before delegation-start`);
  // The system's clock may have been set back.
  const sinceLastMs = Math.max(0, event.at - run.lastEventAt);
  run.lastEventAt = event.at;
  switch (event.kind) {
    case "delegation-resume":
      applyResume(run, event, sinceLastMs);
      countResume(run, event.server !== undefined);
      if (event.maxCostUsd !== undefined) run.call = { ...run.call, max_cost_usd: event.maxCostUsd };
      return run;
    case "delegation-end":
      run.endedAt = event.at;
      if (event.durationMs !== undefined) run.durationMs = event.durationMs;
      return run;
    case "approval-answer":
    case "image-add":
      return run;
    case "stop-request": {
      const stopped = event.target === undefined ? run : childOf(run, event.target);
      stopped.stopAskedBy = event.by;
      return run;
    }
    case "steer-request": {
      const child = childOf(run, event.target);
      const { id, text, by } = event;
      child.steers.push({ id, text, by, state: hasEnded(child) ? "missed" : "queued" });
      return run;
    }
    default:
      foldChild(childOf(run, event.childId), event);
      if (isProgress(event)) gotFurther(run, event.childId);
      return run;
  }
}

/**
 * Counts an event of a delegation further down the tree: the run above was worked on until then, too.
 * @returns the child that the event is below
 */
export function countNested(run: Run, event: Event): RunChild {
  run.lastEventAt = event.at;
  const [number = ""] = event.delegationId.slice(run.delegationId.length + 1).split(".", 1);
  const child = childOf(run, `${run.delegationId}.${number}`);
  if (isProgress(event)) gotFurther(run, child.tally.childId);
  return child;
}

function foldNested(run: Run, event: Event): Run {
  const { delegations, tally } = countNested(run, event);
  const [nested = ""] = event.delegationId.slice(tally.childId.length + 1).split(".", 1);
  const nestedId = `${tally.childId}.${nested}`;
  const known = delegations.find(({ delegationId }) => delegationId === nestedId);
  if (known === undefined) delegations.push(foldRun(undefined, event));
  else foldRun(known, event);
  return run;
}

/** The run of a tree with this id. */
export function runIn(root: Run, delegationId: string): Run | undefined {
  if (root.delegationId === delegationId) return root;
  if (!delegationId.startsWith(`${root.delegationId}.`)) return undefined;
  for (const { delegations } of root.children)
    for (const nested of delegations) {
      const found = runIn(nested, delegationId);
      if (found !== undefined) return found;
    }
  return undefined;
}

/** Every child of a tree, each before those below it. */
export function allChildren({ children }: Run): RunChild[] {
  return children.flatMap((child) => [child, ...child.delegations.flatMap(allChildren)]);
}

/** USD spent in a tree; a request of which nobody said what it cost counts what was reserved for it. */
export function spentIn(children: readonly RunChild[]): number {
  return children.reduce((sum, { tally, delegations }) => {
    const { costUsd, uncertainUsd = 0 } = usedAlone(tally);
    return sum + costUsd + uncertainUsd + delegations.reduce((below, { children }) => below + spentIn(children), 0);
  }, 0);
}

/** The delegation's own limit in USD: the lower of what the call says and the config allows. */
export function budgetOf(run: Run, { delegation }: Config): number | undefined {
  const ofConfig = isConversation(run) ? undefined : delegation.max_cost_usd;
  const limits = [run.call.max_cost_usd, ofConfig].filter((limit) => limit !== undefined);
  return limits.length === 0 ? undefined : Math.min(...limits);
}

/** What a delegation has used, for the child that made it. */
export function nestedUsage({ delegationId, children }: Run, maker: Planned): NestedUsage {
  const filesChanged = children.flatMap(({ tally }) =>
    [...tally.filesChanged].map((path) => shownFrom(maker, tally.planned, path)),
  );
  const used = sumOf(children.map(({ tally }) => usageTotals(tally)));
  return { delegationId, ...used, filesChanged: [...new Set(filesChanged)] };
}

/** A path in one child's workspace as the child that delegated to it writes it. */
function shownFrom(maker: Planned, child: Planned, path: string): string {
  if (!("workspace" in maker && "workspace" in child)) return path;
  return relative(maker.workspace, resolve(child.workspace, path));
}

type Resume = Extract<StoredEvent, { kind: "delegation-resume" }>;

/** The code of the warning that a child could not continue when its run was resumed. */
const NOT_RESUMED = "not-resumed";

/** Children that were interrupted are open again, but for those that are blocked; the time between is nobody's. */
function applyResume(run: Run, { at, renewed, blocked = {} }: Resume, downtimeMs: number): void {
  const lastWorkedAt = at - downtimeMs;
  delete run.endedAt;
  delete run.durationMs;
  delete run.stopAskedBy;
  run.downtimeMs += downtimeMs;
  run.warnings.splice(0, Infinity, ...run.warnings.filter(({ code }) => code !== NOT_RESUMED));
  for (const child of run.children) {
    const { tally } = child;
    delete child.stopAskedBy;
    const obstacle = blocked[tally.childId];
    if (obstacle !== undefined) {
      leaveOut(run, child, obstacle, lastWorkedAt);
      continue;
    }
    const route = renewed[tally.childId];
    if (tally.startedAt !== undefined) tally.startedAt += Math.max(0, at - (child.idleSince ?? lastWorkedAt));
    endPause(tally, lastWorkedAt);
    if (route !== undefined && "route" in tally.planned) tally.planned = { ...tally.planned, route };
    if (!canGoOn(child)) continue;
    delete tally.ending;
    delete child.idleSince;
    delete child.blocked;
    child.activity = "waiting";
    child.questions = [];
  }
}

/** It stays as it is, or is interrupted from when it was last worked on. What was said to it still waits for it. */
function leaveOut({ delegationId, warnings }: Run, child: RunChild, blocked: Blocked, lastWorkedAt: number): void {
  const { tally } = child;
  warnings.push({ code: NOT_RESUMED, message: leftOutInWords(tally.childId, blocked) });
  if (tally.ending !== undefined) return;
  applyToStats(tally, interruption(delegationId, tally.childId, blocked.reason, lastWorkedAt));
  child.activity = "interrupted";
  child.questions = [];
  child.idleSince = lastWorkedAt;
  child.blocked = blocked;
}

export function leftOutInWords(childId: string, { message }: Blocked): string {
  return `${childId} stays interrupted, and a later resume looks again: ${message}`;
}

/** Kinds of events that only repeat where a child was: it begins, asks or waits once more. */
const REPEATED: readonly EventKind[] = [
  "child-start",
  "attempt-start",
  "step-start",
  "tool-start",
  "approval-ask",
  "pause-start",
  "child-warn",
];

function isProgress(event: Event): boolean {
  return isChildEvent(event) && !REPEATED.includes(event.kind);
}

function gotFurther(run: Run, childId: string): void {
  run.resumedHere = 0;
  childOf(run, childId).resumedHere = 0;
}

/** Whoever goes on by hand wants to see it tried: the count begins anew. */
function countResume(run: Run, byServer: boolean): void {
  run.resumedHere = byServer ? run.resumedHere + 1 : 0;
  for (const child of run.children) child.resumedHere = byServer ? child.resumedHere + 1 : 0;
}

function foldChild(child: RunChild, event: ChildEvent | LiveEvent): void {
  child.activity = activityAfter(event, child.activity);
  if (!isChildEvent(event)) return;
  applyToStats(child.tally, event);
  foldTalk(child, event);
}

/** What goes on between a child and others: messages on their way to it, questions of its own, calls under way. */
function foldTalk(child: RunChild, event: ChildEvent): void {
  switch (event.kind) {
    case "message-add":
      if (event.reason === "steer") settleSteers(child, "delivered", event.steerId);
      if (event.reason === "user") child.asked = event.text;
      return;
    case "approval-ask": {
      const { childId, callId, name: toolName, target, directory = "", at: askedAt, answerBy } = event;
      const facts = { callId, toolName, target, directory, askedAt };
      const request = requestCode({ childId, ...facts });
      const question = { ...facts, request, ...present({ answerBy }) };
      child.questions = [...child.questions.filter((other) => other.callId !== callId), question];
      return;
    }
    case "approval-end":
      child.questions = child.questions.filter(({ callId }) => callId !== event.callId);
      return;
    case "tool-start":
      child.openCalls.add(event.callId);
      return;
    case "tool-end":
      child.openCalls.delete(event.callId);
      return;
    case "child-end":
      settleSteers(child, "missed");
      child.questions = [];
      if (event.ending.status === "interrupted") child.idleSince = event.at;
      return;
    default:
  }
}

function settleSteers({ steers }: RunChild, state: Steer["state"], id?: string): void {
  for (const steer of steers)
    if (steer.state === "queued" && (id === undefined || steer.id === id)) steer.state = state;
}

/** Whether an event is a stored fact about one child. */
export function isChildEvent(event: Event): event is ChildEvent {
  return "childId" in event && isStored(event);
}

/** The last moment that a `Date` knows. */
const LAST_DATE_MS = 8.64e15;

/** `2026-11-21 14:30 UTC`. @param at milliseconds since the epoch */
export function minuteOf(at: number): string {
  return `${new Date(Math.min(at, LAST_DATE_MS)).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

function activityAfter(event: ChildEvent | LiveEvent, before: string): string {
  switch (event.kind) {
    case "queue-move":
      return `waiting (place ${event.place})`;
    case "child-start":
      return "starting";
    case "step-start":
      return "asking";
    case "reasoning-delta":
      return "thinking";
    case "text-delta":
      return "answering";
    case "pause-start":
      return `paused until ${minuteOf(event.until)}: the quota of its provider is used up`;
    case "pause-end":
      return "asking";
    case "gate-wait": {
      const time = event.delayMs === undefined ? "" : ` (${Math.ceil(event.delayMs / 1000)} s)`;
      return `waiting for ${event.provider}'s ${event.limit}${time}`;
    }
    case "budget-wait":
      return `waiting for budget (siblings hold ${formatUsd(event.heldUsd)})`;
    case "retry-wait":
      return `${event.failure.kind}, retrying in ${Math.ceil(event.delayMs / 1000)} s`;
    case "approval-ask":
      return `waiting for approval: ${event.name} ${event.target}`;
    case "tool-start":
      return `running ${event.name} ${event.target}`.trimEnd();
    case "message-add":
      return event.reason === "user" ? "waiting" : before;
    case "child-end":
      return event.ending.status;
    default:
      return before;
  }
}

function childOf(run: Run, childId: string): RunChild {
  const { taskIndex = -1 } = parseRunId(childId);
  const child = run.children[taskIndex];
  if (child === undefined) throw new Error(`${childId}: no such child in ${run.delegationId}`);
  return child;
}

/** Whether a child has ended or was never to start. */
export function hasEnded(child: RunChild): boolean {
  return "problem" in child.tally.planned || child.tally.ending !== undefined;
}

/** The end of a child that was stopped without a word of its own: it waited, or its owner died. */
export function interruption(delegationId: string, childId: string, by: string, at: number): ChildEvent {
  const ending = { status: "interrupted", exitReason: by, text: "" } as const;
  return { kind: "child-end", at, delegationId, childId, ending, durationMs: 0 };
}

/** Whether a run came to no end of its own, and nobody has asked for one. */
export function wasCutOff({ endedAt, stopAskedBy }: Run): boolean {
  return endedAt === undefined && stopAskedBy === undefined;
}

/** Whether a resume goes on with a child: it has not ended, or it was interrupted. */
export function canGoOn(child: RunChild): boolean {
  return !hasEnded(child) || child.tally.ending?.status === "interrupted";
}

/** How long it was worked on so far, as far as the times of its events tell. */
export function workedMs({ endedAt, lastEventAt, startedAt, downtimeMs }: Run): number {
  return Math.max(0, (endedAt ?? lastEventAt) - startedAt - downtimeMs);
}

/** What the caller gets. Of children that have not ended there is only what they cost: nothing is said of them that has not happened. */
export function resultsOf(run: Run): DelegationResult {
  const results: Result[] = run.children.filter(hasEnded).map((child) => resultOf(child.tally));
  const costs = run.children.map(({ tally }) => costOf(tally).usd);
  return delegationResult(run.delegationId, results, costs, run.durationMs ?? workedMs(run), run.warnings);
}
