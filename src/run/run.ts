/**
 * A run: the state of a delegation, folded from its events. Results, the live tree, listings and resume read only this.
 * It holds no messages of children.
 */
import { join, relative, resolve } from "node:path";
import { type ApprovalFacts, requestCode } from "../approval-request.ts";
import type { Config } from "../config-schema.ts";
import { conflictsOf } from "../conflict.ts";
import type { Warning } from "../errors.ts";
import {
  type Blocked,
  type ChildEvent,
  type Event,
  type EventKind,
  isStored,
  type LiveEvent,
  type NestedUsage,
  type SandboxFacts,
  type SteerAuthor,
  type StoredEvent,
} from "../event.ts";
import type { Planned } from "../plan.ts";
import {
  applyToStats,
  type ChildStats,
  costOf,
  createChildStats,
  type DelegationResult,
  delegationResult,
  endPause,
  resultOf,
  sumOf,
  usageTotals,
  usedAlone,
} from "../result.ts";
import type { Wish } from "../route.ts";
import type { Call } from "../task.ts";
import { formatUsd } from "../text/money.ts";
import type { TodoItem } from "../todo.ts";
import { isoTime } from "../values/iso-time.ts";
import { present } from "../values/present.ts";

export type RunChild = {
  readonly tally: ChildStats;
  /** The goal of its task, or the newest message of a conversation. */
  asked: string;
  /** Current activity as text: `waiting (place 3)`, `thinking`, `running grep`. */
  activity: string;
  /** The list that it keeps of its work; absent until it writes one. */
  todo?: readonly TodoItem[];
  /** Messages sent to it, oldest first. */
  readonly steers: Steer[];
  /** Pending approval requests. */
  questions: OpenQuestion[];
  /** Its own delegations, oldest first. */
  readonly delegations: Run[];
  /** The user or process that has asked it to stop since the run last started. */
  stopAskedBy?: string;
  /** Times that a server resumed it since it, or anything below it, made progress. */
  resumedHere: number;
  /** Ids of running tool calls. */
  readonly openCalls: Set<string>;
  /** When it was interrupted (milliseconds since the epoch), if nothing has continued it since. */
  idleSince?: number;
  /** The reason for which the last resume could not continue it, unless a user had stopped it before. */
  blocked?: Blocked;
};

/**
 * A message to a child. `queued`: not in its conversation yet; an interrupted child receives it once it continues.
 * `delivered`: sent with its next request. `missed`: the child ended first.
 */
export type Steer = {
  id: string;
  text: string;
  by: string;
  author?: SteerAuthor;
  hosts?: string[];
  state: "queued" | "delivered" | "missed";
};

/** A tool call that waits for a user's decision. `answerBy` is absent if nobody could answer. `reason` as in `approval-ask`. */
export type OpenQuestion = Omit<ApprovalFacts, "childId"> & {
  request: string;
  answerBy?: number;
  reason?: string;
} & SandboxFacts;

export type Run = {
  readonly delegationId: string;
  /** The child that made this run, if any. */
  readonly parent?: { childId: string; step: number; callId: string };
  /** Depth of its children: 1 for a run that no child made, 0 for a conversation. */
  readonly depth: number;
  call: Call;
  readonly surface: string;
  /** Directory that the tasks' workspaces are relative to; absent in older journals. */
  readonly directory?: string;
  /** The caller's model request, from flags. */
  readonly wish?: Wish;
  /** The run whose tasks this one runs again. */
  readonly retryOf?: string;
  /** The child and step that its child goes on from. */
  readonly forkOf?: { from: string; step: number };
  /** Key of the MCP client's call that started the run, if any. */
  readonly callKey?: string;
  /** MCP clients that have received its end, or no longer want it. */
  readonly closedBy: Set<string>;
  /** Prompts of the agent definitions that tasks use, by name. */
  readonly agents: Readonly<Record<string, string>>;
  readonly startedAt: number;
  /** Absent while the run is in progress, or if its owner died before the end. */
  endedAt?: number;
  /** Measured by its owner when the run ended. */
  durationMs?: number;
  lastEventAt: number;
  /** Time in which no process worked on it, between an interruption and a resume. */
  downtimeMs: number;
  /** The user or process that has asked all of it to stop since it last started. */
  stopAskedBy?: string;
  /** Times that a server resumed it since anything in it made progress. */
  resumedHere: number;
  /** Hashes of the images, files and tool lists that its events contain. */
  readonly stored: Set<string>;
  /** In task order. A rejected task is a child without events. */
  readonly children: RunChild[];
  readonly warnings: Warning[];
};

/** An event, and the run it was folded into. The event may belong to a delegation below the run. */
export type RunUpdate = { event: Event; run: Run };

/** The id of a delegation's child. Children count from 1, as in the live lines. */
export function childIdOf(delegationId: string, taskIndex: number): string {
  return `${delegationId}.${taskIndex + 1}`;
}

/**
 * Splits an id into the delegation and, for a child's id, its task index. Runs have an odd number of parts: `abc.2` is
 * the second child of `abc`, `abc.2.1` the first delegation of that child.
 */
export function parseRunId(id: string): { delegationId: string; taskIndex?: number } {
  const parts = id.split(".");
  if (parts.length % 2 === 1) return { delegationId: id };
  return { delegationId: parts.slice(0, -1).join("."), taskIndex: Number(parts.at(-1)) - 1 };
}

/** The full id of the child that an id names; undefined for the id of a run. @param delegationId the run, in full */
export function namedChild(delegationId: string, id: string): string | undefined {
  const { taskIndex } = parseRunId(id);
  return taskIndex === undefined ? undefined : childIdOf(delegationId, taskIndex);
}

/**
 * Position of a run in its tree, for display: `2›` is below the second child, `2.3›` the third delegation of that
 * child. Empty at the root, and for the delegations of a conversation's only child.
 */
export function ancestorPrefix({ delegationId, depth }: Pick<Run, "delegationId" | "depth">): string {
  const [, ...parts] = delegationId.split(".");
  const makers = parts.flatMap((child, at) => {
    const number = parts[at + 1];
    return at % 2 === 1 || number === undefined ? [] : [number === "1" ? `${child}›` : `${child}.${number}›`];
  });
  return makers.slice(makers.length - Math.max(0, depth - 1)).join("");
}

/** The id of the run at the root of an id's tree. */
export function rootIdOf(id: string): string {
  return id.split(".", 1)[0] ?? id;
}

/** Returns whether the run is a conversation with the user: one child, with one turn per user message. */
export function isConversation({ surface }: Pick<Run, "surface">): boolean {
  return surface === "chat";
}

type Start = Extract<StoredEvent, { kind: "delegation-start" }>;

/** Folds events into runs, one at a time. The first event must be `delegation-start`. */
export function foldRun(run: Run | undefined, event: Event): Run {
  if (run !== undefined && event.delegationId !== run.delegationId) return foldNested(run, event);
  if (event.kind === "delegation-start") return beginRun(event);
  if (run === undefined) throw new Error(`${event.delegationId}: ${event.kind} before delegation-start`);
  // Nobody worked on it then.
  if (event.kind === "call-close") {
    run.closedBy.add(event.client);
    return run;
  }
  if (event.kind === "branch-apply") {
    childOf(run, event.target).tally.applied.push(event);
    return run;
  }
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
      return run;
    case "conflict-check":
      applyConflicts(run, event);
      return run;
    case "image-add":
    case "file-add":
    case "tool-list-add":
      run.stored.add(event.sha256);
      return run;
    case "stop-request": {
      const stopped = event.target === undefined ? run : childOf(run, event.target);
      stopped.stopAskedBy = event.by;
      return run;
    }
    case "steer-request": {
      const child = childOf(run, event.target);
      const { id, text, by, author, hosts } = event;
      const state = mayReceive(child, run) ? "queued" : "missed";
      child.steers.push({ id, text, by, ...present({ author, hosts }), state });
      return run;
    }
    default:
      if ("copied" in event && event.copied) return run;
      foldChild(childOf(run, event.childId), event);
      if (event.kind === "child-end") loseMessages(childOf(run, event.childId), run);
      if (isProgress(event)) gotFurther(run, event.childId);
      return run;
  }
}

function beginRun(event: Start): Run {
  return {
    delegationId: event.delegationId,
    ...present({ parent: event.parent }),
    depth: event.depth ?? 1,
    call: event.call,
    surface: event.surface,
    ...present({
      callKey: event.callKey,
      directory: event.directory,
      wish: event.wish,
      retryOf: event.retry?.delegationId,
      forkOf: event.fork,
    }),
    closedBy: new Set(),
    stored: new Set(),
    agents: event.agents ?? {},
    startedAt: event.at,
    lastEventAt: event.at,
    downtimeMs: 0,
    resumedHere: 0,
    warnings: [...event.warnings],
    children: event.planned.map((planned, index) => ({
      tally: statsOf(event, planned, index),
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

function statsOf({ delegationId, retry }: Start, planned: Planned, index: number): ChildStats {
  const childId = childIdOf(delegationId, index);
  return createChildStats(childId, index, planned, retry?.carried[childId]);
}

/**
 * Applies an event of a delegation below the run: the run above was in progress at that time too.
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

/** Finds the run with this id in a tree. */
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

/** Every child of a tree, each before the children below it. */
export function allChildren({ children }: Run): RunChild[] {
  return children.flatMap((child) => [child, ...child.delegations.flatMap(allChildren)]);
}

/** USD spent in a tree; a request of unknown cost counts as what was reserved for it. */
export function spentIn(children: readonly RunChild[]): number {
  return children.reduce((sum, { tally, delegations }) => {
    const { costUsd, uncertainUsd = 0 } = usedAlone(tally);
    return sum + costUsd + uncertainUsd + delegations.reduce((below, { children }) => below + spentIn(children), 0);
  }, 0);
}

/** The delegation's own limit in USD: the lower of the call's and the config's. */
export function budgetOf(run: Run, { delegation }: Config): number | undefined {
  const ofConfig = isConversation(run) ? undefined : delegation.max_cost_usd;
  const limits = [run.call.max_cost_usd, ofConfig].filter((limit) => limit !== undefined);
  return limits.length === 0 ? undefined : Math.min(...limits);
}

/** Usage of a delegation, for the child that made it. Changes in a child's own copy are on its branch alone. */
export function nestedUsage({ delegationId, children }: Run, maker: ChildStats): NestedUsage {
  const filesChanged = children.flatMap(({ tally }) =>
    tally.worktree === undefined ? [...tally.filesChanged].map((path) => shownFrom(maker, tally, path)) : [],
  );
  const used = sumOf(children.map(({ tally }) => usageTotals(tally)));
  return { delegationId, ...used, filesChanged: [...new Set(filesChanged)] };
}

/** Converts a path in a child's workspace to a path in its parent's workspace. */
function shownFrom(maker: ChildStats, child: ChildStats, path: string): string {
  const [from, to] = [workspaceOf(maker), workspaceOf(child)];
  return from === undefined || to === undefined ? path : relative(from, resolve(to, path));
}

/** Where a child works: in its own copy, if it has one. */
function workspaceOf({ planned, worktree }: ChildStats): string | undefined {
  if (worktree !== undefined) return join(worktree.path, worktree.subdirectory);
  return "workspace" in planned ? planned.workspace : undefined;
}

/** Code of the warning that the branches of a run could not be compared. */
const NOT_COMPARED = "conflicts-unknown";

function applyConflicts(
  { children, warnings }: Run,
  { compared, conflicts, error }: Extract<StoredEvent, { kind: "conflict-check" }>,
): void {
  warnings.splice(0, Infinity, ...warnings.filter(({ code }) => code !== NOT_COMPARED));
  for (const { tally } of children) {
    delete tally.conflicts;
    if (error === undefined && compared.includes(tally.childId))
      tally.conflicts = conflictsOf(tally.childId, conflicts);
  }
  if (error !== undefined)
    warnings.push({
      code: NOT_COMPARED,
      message: `The children's branches could not be compared with each other: ${error}`,
    });
}

type Resume = Extract<StoredEvent, { kind: "delegation-resume" }>;

/** Code of the warning that a child could not continue when its run was resumed. */
const NOT_RESUMED = "not-resumed";

/** Reopens interrupted children, except the blocked ones; the time in between counts for none of them. */
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
    endPause(tally, lastWorkedAt);
    if (route !== undefined && "route" in tally.planned) tally.planned = { ...tally.planned, route };
    if (!canGoOn(child) && !isConversation(run)) continue;
    if (tally.startedAt !== undefined) tally.startedAt += Math.max(0, at - (child.idleSince ?? lastWorkedAt));
    if (!canGoOn(child)) continue;
    delete tally.ending;
    delete tally.endedAt;
    delete child.idleSince;
    delete child.blocked;
    child.activity = "waiting";
    child.questions = [];
  }
}

/** Leaves a blocked child as it is, or interrupted at the time of its last work. Its queued messages stay queued. */
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
  return `${childId} stays interrupted until a later resume: ${message}`;
}

/** Kinds of events that only repeat an earlier state: the child starts, asks or waits again. They are no progress. */
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

/** A resume by a user resets the count. */
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

/** Folds the interactions of a child: its messages, its approval requests, its running calls. */
function foldTalk(child: RunChild, event: ChildEvent): void {
  switch (event.kind) {
    case "message-add":
      if (event.reason === "steer") settleSteers(child, "delivered", event.steerId);
      if (event.reason === "user" || event.reason === "fork") child.asked = event.text;
      return;
    case "approval-ask": {
      const { childId, callId, name: toolName, target, directory = "", at: askedAt, answerBy, reason } = event;
      const { sandboxed, onlyUser } = event;
      const facts = { callId, toolName, target, directory, askedAt };
      const request = requestCode({ childId, ...facts });
      const question = { ...facts, request, ...present({ answerBy, reason, sandboxed, onlyUser }) };
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
      if (event.todo !== undefined) child.todo = event.todo;
      return;
    case "child-end":
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

/** An ended child has missed what it did not receive, unless a resume may continue it. */
function loseMessages(child: RunChild, run: Run): void {
  if (!mayReceive(child, run)) settleSteers(child, "missed");
}

/**
 * Returns whether a message can still reach a child. The next turn of a conversation starts with a message of its own:
 * what came too late for a turn belongs to the user again.
 */
export function mayReceive(child: RunChild, run: Run): boolean {
  return isConversation(run) ? !hasEnded(child) : canGoOn(child);
}

/** Returns whether an event is a stored event of one child. */
export function isChildEvent(event: Event): event is ChildEvent {
  return "childId" in event && isStored(event);
}

/** Formats a time as `2026-11-21 14:30 UTC`. @param at milliseconds since the epoch */
export function minuteOf(at: number): string {
  return `${isoTime(at).slice(0, 16).replace("T", " ")} UTC`;
}

function activityAfter(event: ChildEvent | LiveEvent, before: string): string {
  switch (event.kind) {
    case "queue-move":
      return `waiting (place ${event.place})`;
    case "child-start":
      return "starting";
    case "step-start":
      return "thinking";
    case "reasoning-delta":
      return "thinking";
    case "text-delta":
      return "answering";
    case "pause-start":
      return `paused until ${minuteOf(event.until)}: its provider's quota is used up`;
    case "pause-end":
      return "thinking";
    case "gate-wait": {
      const time = event.delayMs === undefined ? "" : ` (${Math.ceil(event.delayMs / 1000)} s)`;
      return `waiting for ${event.provider}'s ${event.limit}${time}`;
    }
    case "budget-wait":
      return `waiting for budget (siblings have reserved ${formatUsd(event.heldUsd)})`;
    case "retry-wait":
      return `${event.failure.kind}, retrying in ${Math.ceil(event.delayMs / 1000)} s`;
    case "approval-ask":
      return `waiting for approval: ${event.name} ${event.target}`;
    case "tool-start":
      return `running ${callInWords(event)}`.trimEnd();
    case "message-add":
      return event.reason === "user" ? "waiting" : before;
    case "child-end":
      return event.ending.status;
    default:
      return before;
  }
}

/** `terminal npm test`, `grep "TODO" in src`. */
export function callInWords({ name, target, searched }: { name: string; target: string; searched?: string }): string {
  return searched === undefined ? `${name} ${target}` : `${name} ${JSON.stringify(searched)} in ${target}`;
}

/** Every event of a child comes here. */
function childOf(run: Run, childId: string): RunChild {
  const child = run.children[Number(childId.slice(childId.lastIndexOf(".") + 1)) - 1];
  if (child === undefined) throw new Error(`${childId}: no such child in ${run.delegationId}`);
  return child;
}

/** Returns whether a child has ended or was rejected. */
export function hasEnded(child: RunChild): boolean {
  return isRejected(child) || child.tally.ending !== undefined;
}

/** How each child of the run ended, as far as they have. A rejected task counts as one that ended. */
export function endingsIn({ children }: Run): { status: string }[] {
  return children.filter(hasEnded).map(({ tally }) => ({ status: tally.ending?.status ?? "rejected" }));
}

/** Returns whether a task could not start. */
export function isRejected({ tally }: RunChild): boolean {
  return "problem" in tally.planned;
}

/** Ends a child that was stopped without writing its own end: it was queued, or its owner died. */
export function interruption(delegationId: string, childId: string, by: string, at: number): ChildEvent {
  const ending = { status: "interrupted", exitReason: by, text: "" } as const;
  return { kind: "child-end", at, delegationId, childId, ending, durationMs: 0 };
}

/** Returns whether a run has no end and nobody has asked for one. */
export function wasCutOff({ endedAt, stopAskedBy }: Run): boolean {
  return endedAt === undefined && stopAskedBy === undefined;
}

/** Returns whether a resume can continue a child: it has not ended, or was interrupted. */
export function canGoOn(child: RunChild): boolean {
  return !hasEnded(child) || child.tally.ending?.status === "interrupted";
}

/** Returns whether a run has ended with nothing left that a resume could continue. */
export function isOver({ endedAt, children }: Run): boolean {
  return endedAt !== undefined && !children.some(canGoOn);
}

/** Working time of a run so far, according to its events. */
export function workedMs({ endedAt, lastEventAt, startedAt, downtimeMs }: Run): number {
  return Math.max(0, (endedAt ?? lastEventAt) - startedAt - downtimeMs);
}

/** The results for the caller. Children that have not ended contribute only their cost. */
export function resultsOf(run: Run): DelegationResult {
  return resultsWith(run, run.children.filter(hasEnded), run.warnings);
}

/** The results of a run that cannot record any more: children that have not ended are interrupted by its failure. */
export function resultsAtFailure(run: Run, failure: Warning): DelegationResult {
  const children = run.children.map((child) => {
    if (hasEnded(child)) return child;
    const ending = { status: "interrupted", exitReason: failure.code, text: "" } as const;
    return { tally: { ...child.tally, ending } };
  });
  return resultsWith(run, children, [...run.warnings, failure]);
}

function resultsWith(run: Run, ended: readonly Pick<RunChild, "tally">[], warnings: Warning[]): DelegationResult {
  const results = ended.map(({ tally }) => resultOf(tally));
  const costs = run.children.map(({ tally }) => costOf(tally).usd);
  const result = delegationResult(run.delegationId, results, costs, run.durationMs ?? workedMs(run), warnings);
  const { retryOf, forkOf } = run;
  return { ...result, ...present({ retry_of: retryOf, forked_from: forkOf && `${forkOf.from}@${forkOf.step}` }) };
}
