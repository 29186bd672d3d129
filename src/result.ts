/**
 * A child's result, as every surface returns it, folded from the child's events. Field names are the names users see.
 * Everything here derives from events.
 */

import type { ChildConflict } from "./conflict.ts";
import type { Failure, FailureKind, Problem, Warning } from "./errors.ts";
import type { ChildEvent, DelegationEvent, Ending, NestedUsage, RetryOf, SchemaCheck, Usage } from "./event.ts";
import type { SavedWork, WorktreeFacts } from "./isolation.ts";
import type { Planned, Ready } from "./plan.ts";
import type { Effort, Level, Route, Wish } from "./route.ts";
import { roundUsd } from "./text/money.ts";
import type { LinesChanged } from "./tool.ts";
import { isoTime } from "./values/iso-time.ts";
import { present } from "./values/present.ts";
import { secondsIn } from "./values/seconds.ts";

export type Status = Ending["status"] | "rejected";

export type TokenCount = { input: number; output: number; cached: number; reasoning: number };
/** `known`: every request was priced. `estimated`: a failed request may have been charged. `unknown`: no price or usage. */
export type CostStatus = "known" | "estimated" | "unknown";

/**
 * One tool call in the trace; `bytes` is the length of the text that the model read. `denied`: a rule or a user did not
 * allow it.
 */
export type ToolTrace = { name: string; target: string; bytes: number; ok: boolean; denied?: true };

export type RouteReport = {
  /** The request as written. */
  requested: { model?: string; provider?: string; reasoning_effort?: Effort };
  /** The route that ran. */
  effective: { provider: string; model: string; reasoning_effort: Effort | null };
  /** The level that decided each field. */
  chosen_by: { provider: Level; model: Level; reasoning_effort: Level | null };
  /** Host (and port) of the requests. */
  endpoint: string;
  /** Name of the key that the last request carried; before any request, of the planned key. */
  key_name: string | null;
  /** Names of all keys that requests carried, in the order of their first use. */
  key_names: string[];
  /** The model names in the provider's responses. */
  served_models: string[];
  /** Whether a declared fallback ran. */
  fallback_used: boolean;
  /** The routes that were tried, in order, with the kinds of their failures. */
  attempts: { provider: string; model: string; requests: number; failures: Failure["kind"][] }[];
};

/**
 * `empty_answer`: it ended without a word after tool results, and was asked to go on. `text_call`: a call was written into
 * the text, and read there; `unreadable_call`: it could not be read. `unknown_tool`: it called a tool that it does not
 * have. `repeated_call`: it was told that it repeats one call or a few.
 */
export type Quirks = Partial<
  Record<"empty_answer" | "text_call" | "unreadable_call" | "unknown_tool" | "repeated_call", number>
>;

export type FailureReport = { kind: FailureKind; message: string; http_status?: number; retry_after_ms?: number };

/** What every result says, whatever its status. */
type ResultFacts = {
  /** Index of the task in its call, from 0. */
  task_index: number;
  /** The run's id and the child's number, from 1: `k7ezchdk.1`. */
  child_id: string;
  /** The task's goal, in full. */
  goal: string;
  /** The task's words for routing rules. */
  tags: string[];
  /** `answered`, the limit that was reached, the failure's kind, who stopped it, or the problem's code. */
  exit_reason: string;
  /** The value of a reached limit, in requests, USD or seconds. */
  limit?: number;
  /** The child's final answer, complete. Empty if there was none. */
  summary: string;
  /** With an `output_schema`: the answer as JSON. Absent if it could not be parsed. */
  output?: unknown;
  /** With an `output_schema`: whether the answer is known to match. */
  schema_valid?: boolean;
  /** With an `output_schema`: what does not match, or why it could not be checked. */
  schema_errors?: string[];
  /** Model requests sent, including failed ones and those of its delegations. */
  api_calls: number;
  /** Times that the child's conversation was made shorter to fit its model's context window; absent = never. */
  compactions?: number;
  /** What the model did wrong and Deputy made up for, by kind; absent = nothing. */
  quirks?: Quirks;
  /** As counted by the provider; `input` includes `cached`, `output` includes `reasoning`. */
  tokens: TokenCount;
  /** Share of the input that providers read from their caches, from 0 to 1; absent without input. */
  cached_share?: number;
  /** Cost in USD, with at most six decimals; null if unknown. */
  cost_usd: number | null;
  /** Whether the cost is known, an estimate, or unknown. */
  cost_status: CostStatus;
  /** Start in UTC, as ISO 8601; null if it never started. */
  started_at: string | null;
  /** End in UTC, as ISO 8601; null if it has not been recorded. */
  ended_at: string | null;
  /** Time from the child's start to its end, without the queue, to the millisecond. */
  duration_seconds: number;
  /** Every tool call, in order. */
  tool_trace: ToolTrace[];
  /** Paths that file tools changed, relative to the workspace; with `isolation: worktree`, what git finds changed. */
  files_changed: string[];
  /** Lines added and removed, by path, by the file tools or on the branch. A file changed in another way is absent. */
  lines_changed?: LinesChanged;
  /** With `isolation: worktree`: the branch with the child's work. Absent if it changed nothing. */
  branch?: string;
  /** With `isolation: worktree`: the commit that the child started from. */
  base?: string;
  /** With `isolation: worktree`: commits on the branch since then. */
  commits?: number;
  /** Siblings whose branches do not merge with this one, and where; absent if it was not compared. */
  conflicts?: ChildConflict[];
  /** Ids of the delegations that the child made. Their usage is included in its calls, tokens, cost and files. */
  delegations: string[];
  /** What the user should know about this child, such as a fallback that was used. */
  warnings: Warning[];
  /** The command that shows the child's full transcript. */
  transcript: string;
  /** In a retry: the child of an earlier run whose result this is. It cost nothing again. */
  carried_from?: string;
};

/** Where a child ran. */
type RanOn = {
  /** The effective model. */
  model: string;
  /** The effective provider. */
  provider: string;
  /** The effective reasoning effort; null = the model's default. */
  reasoning_effort: Effort | null;
  /** Where it ran, why, with which key, and what served it. */
  route: RouteReport;
};
type RanNowhere = { [Field in keyof RanOn]: null };

/** The result of one task. `status` tells the kinds apart: only a failure and a rejected task have an `error`. */
export type Result = ResultFacts &
  (
    | ({ status: Exclude<Ending["status"], "failed">; error: null } & RanOn)
    | ({ status: "failed"; error: FailureReport } & RanOn)
    | ({ status: "rejected"; error: Problem } & RanNowhere)
  );

/** The results of one call. */
export type DelegationResult = {
  /** The run's id, for every command. */
  delegation_id: string;
  /** In task order. */
  results: Result[];
  /** Working time of the run, without the time in which no process ran it. */
  total_duration_seconds: number;
  /** Total cost in USD, with at most six decimals; null if the cost of any child is unknown. */
  total_cost_usd: number | null;
  /** Warnings about the whole call. */
  warnings: Warning[];
  /** The run whose tasks this one ran again. */
  retry_of?: string;
  /** The child and step that its child went on from: `k7ezchdk.1@3`. */
  forked_from?: string;
};

/** Usage and activity of a child so far: the running fold from which a `Result` is made. It holds no messages. */
export type ChildStats = {
  readonly childId: string;
  readonly taskIndex: number;
  /** The child of an earlier run whose result this one takes over. It makes no request of its own. */
  readonly carriedFrom?: string;
  planned: Planned;
  startedAt?: number;
  endedAt?: number;
  ending?: Ending;
  durationMs: number;
  /** The child pauses until then because its provider's quota is exhausted (milliseconds since the epoch). */
  pausedUntil?: number;
  /** Start of the current pause, and total length of earlier ones. */
  pausedAt?: number;
  pausedMs: number;
  position: number;
  apiCalls: number;
  /** Times that the conversation was made shorter. */
  compactions: number;
  quirks: Quirks;
  tokens: TokenCount;
  costUsd: number;
  unpriced: number;
  uncertain: number;
  /** USD that budgets reserved for requests whose cost is unknown. */
  uncertainUsd: number;
  /** Set while a request is in flight without a response. */
  asking?: { reservedUsd: number };
  keyNames: Set<string>;
  lastKeyName?: string;
  servedModels: Set<string>;
  attempts: { provider: string; model: string; requests: number; failures: Failure["kind"][] }[];
  toolTrace: ToolTrace[];
  filesChanged: Set<string>;
  linesChanged: LinesChanged;
  /** Its own working copy, and what was last saved of it. */
  worktree?: Pick<WorktreeFacts, "path" | "repository" | "subdirectory" | "branch" | "base"> & {
    /** The commit that the child started on. */
    start: string;
    saved?: SavedWork;
  };
  /** Siblings whose branches do not merge with its own; absent if nothing was compared. */
  conflicts?: ChildConflict[];
  /** Times that its work was applied, oldest first. */
  applied: Pick<Extract<DelegationEvent, { kind: "branch-apply" }>, "at" | "head" | "directory" | "to">[];
  /** Usage of its own delegations, by id. */
  charges: Map<string, NestedUsage>;
  warnings: Warning[];
};

/** @param carried the earlier child whose result it takes over */
export function createChildStats(
  childId: string,
  taskIndex: number,
  planned: Planned,
  carried?: RetryOf["carried"][string],
): ChildStats {
  return {
    childId,
    taskIndex,
    ...present({ carriedFrom: carried?.from }),
    planned,
    durationMs: 0,
    pausedMs: 0,
    position: 0,
    apiCalls: 0,
    compactions: 0,
    quirks: {},
    tokens: { input: 0, output: 0, cached: 0, reasoning: 0 },
    costUsd: 0,
    unpriced: 0,
    uncertain: 0,
    uncertainUsd: 0,
    keyNames: new Set(),
    servedModels: new Set(),
    attempts: [],
    toolTrace: [],
    filesChanged: new Set(carried?.filesChanged),
    linesChanged: {},
    applied: [],
    charges: new Map(),
    warnings: "route" in planned ? [...planned.route.warnings] : [],
  };
}

/** Adds one of the child's events to its statistics. */
export function applyToStats(tally: ChildStats, event: ChildEvent): void {
  switch (event.kind) {
    case "child-start":
      tally.startedAt = event.at;
      return;
    case "attempt-start":
      tally.position = event.position;
      addAttempt(tally, event.provider, event.model);
      delete tally.lastKeyName; // The key belonged to another route.
      return;
    case "step-start":
      addRequest(tally, event.reservedUsd);
      return;
    case "compact-start":
      if (event.level === 1) countRequest(tally, event.reservedUsd ?? 0);
      return;
    case "compact-end":
      addCompaction(tally, event);
      return;
    case "step-end":
      addAnswer(tally, event);
      return;
    case "step-fail":
      addFailure(tally, event);
      return;
    case "tool-end":
      addToolCall(tally, event);
      return;
    case "delegation-charge":
      addCharge(tally, event.charge);
      return;
    case "child-warn":
      tally.warnings.push(event.warning);
      return;
    case "child-end":
      endChild(tally, event);
      return;
    case "message-add":
      addMessage(tally, event.reason);
      return;
    case "pause-start":
      startPause(tally, event);
      return;
    case "pause-end":
      endPause(tally, event.at);
      return;
    case "tool-start":
    case "approval-ask":
    case "approval-end":
      return;
    case "worktree-add":
      addWorktree(tally, event);
      return;
    case "worktree-save":
      addSavedWork(tally, event);
      return;
    default:
      event satisfies never;
  }
}

/** Starts an attempt. A turn that starts on the same route continues the attempt. */
function addAttempt({ attempts }: ChildStats, provider: string, model: string): void {
  const last = attempts.at(-1);
  if (last?.provider === provider && last.model === model) return;
  attempts.push({ provider, model, requests: 0, failures: [] });
}

function countRequest(tally: ChildStats, reservedUsd: number): void {
  // A crash cut off the request before this one: it may have been charged.
  if (tally.asking) countUncertain(tally, tally.asking.reservedUsd);
  tally.asking = { reservedUsd };
  tally.apiCalls += 1;
}

/** Counts the start of a request. @param reservedUsd amount reserved for it */
function addRequest(tally: ChildStats, reservedUsd = 0): void {
  countRequest(tally, reservedUsd);
  attemptOf(tally).requests += 1;
}

function addAnswer(tally: ChildStats, event: Extract<ChildEvent, { kind: "step-end" }>): void {
  addUsage(tally, { ...event, charged: true });
  const { servedModel, textCalls, keyName } = event;
  if (servedModel !== undefined) tally.servedModels.add(servedModel);
  if (textCalls === "unreadable") countQuirk(tally, "unreadable_call");
  else if (textCalls !== undefined) countQuirk(tally, "text_call", textCalls);
  addKey(tally, keyName);
}

function addFailure(tally: ChildStats, event: Extract<ChildEvent, { kind: "step-fail" }>): void {
  attemptOf(tally).failures.push(event.failure.kind);
  if (event.isUnsent) takeBackRequest(tally);
  addUsage(tally, event);
  addKey(tally, event.keyName);
}

function takeBackRequest(tally: ChildStats): void {
  tally.apiCalls -= 1;
  attemptOf(tally).requests -= 1;
}

function addCompaction(tally: ChildStats, event: Extract<ChildEvent, { kind: "compact-end" }>): void {
  if (event.level === 1) addUsage(tally, { charged: true, ...event });
  if (!("failure" in event)) tally.compactions += 1;
}

function addToolCall(tally: ChildStats, event: Extract<ChildEvent, { kind: "tool-end" }>): void {
  const { name, target, text, ok } = event;
  tally.toolTrace.push({ name, target, bytes: Buffer.byteLength(text), ok, ...(event.denial && { denied: true }) });
  for (const path of event.filesChanged) tally.filesChanged.add(path);
  for (const [path, { added, removed }] of Object.entries(event.linesChanged ?? {})) {
    const before = tally.linesChanged[path] ?? { added: 0, removed: 0 };
    tally.linesChanged[path] = { added: before.added + added, removed: before.removed + removed };
  }
  if (event.isUnknownTool) countQuirk(tally, "unknown_tool");
  if (event.outcome === "unknown") tally.warnings.push(outcomeUnknown(event));
}

function addCharge(tally: ChildStats, charge: NestedUsage): void {
  tally.charges.set(charge.delegationId, charge);
  for (const path of charge.filesChanged) tally.filesChanged.add(path);
}

function addMessage(tally: ChildStats, reason: Extract<ChildEvent, { kind: "message-add" }>["reason"]): void {
  if (reason === "user") beginTurn(tally);
  else if (reason === "empty_answer" || reason === "repeated_call") countQuirk(tally, reason);
}

function addWorktree(tally: ChildStats, event: Extract<ChildEvent, { kind: "worktree-add" }>): void {
  const { path, repository, subdirectory, branch, base, carried } = event;
  const saved = tally.worktree?.saved;
  tally.worktree = { path, repository, subdirectory, branch, base, start: carried ?? base, ...present({ saved }) };
}

/** What git finds is all that the child changed, however it did. */
function addSavedWork(tally: ChildStats, saved: SavedWork | { error: string }): void {
  if ("error" in saved) return;
  if (tally.worktree === undefined) throw new Error(`${tally.childId}: its work was saved before it had a copy`);
  const { branch, base, head, commits, files, unsaved } = saved;
  tally.worktree = {
    ...tally.worktree,
    branch,
    saved: { branch, base, head, commits, files, ...present({ unsaved }) },
  };
  tally.filesChanged = new Set(saved.files.map(({ path }) => path));
  tally.linesChanged = Object.fromEntries(
    saved.files.flatMap(({ path, added, removed }) =>
      added === undefined || removed === undefined ? [] : [[path, { added, removed }]],
    ),
  );
}

function worktreeFields({ worktree }: ChildStats) {
  if (worktree === undefined) return {};
  const { base, saved } = worktree;
  const commits = saved?.commits;
  return { ...(commits !== undefined && commits > 0 && { branch: worktree.branch }), base, ...present({ commits }) };
}

function countQuirk({ quirks }: ChildStats, name: keyof Quirks, count = 1): void {
  quirks[name] = (quirks[name] ?? 0) + count;
}

function endChild(tally: ChildStats, { ending, at, durationMs }: Extract<ChildEvent, { kind: "child-end" }>): void {
  if (tally.asking) countUncertain(tally, tally.asking.reservedUsd);
  delete tally.asking;
  tally.ending = ending;
  tally.endedAt = at;
  endPause(tally, at);
  tally.durationMs = durationMs;
}

/** No list contains the changes of such a call, if it made any. */
function outcomeUnknown({ name, target }: { name: string; target: string }): Warning {
  const message = `${name} ${target} was running when Deputy was interrupted: it may or may not have taken effect.`;
  return { code: "outcome-unknown", message };
}

function beginTurn(tally: ChildStats): void {
  tally.position = 0;
  delete tally.ending;
  delete tally.endedAt;
}

function startPause(tally: ChildStats, { at, until }: Extract<ChildEvent, { kind: "pause-start" }>): void {
  endPause(tally, at);
  tally.pausedUntil = until;
  tally.pausedAt = at;
}

/** Ends a pause, whether it was complete or cut short. @param at milliseconds since the epoch */
export function endPause(tally: ChildStats, at: number): void {
  if (tally.pausedAt !== undefined) tally.pausedMs += Math.max(0, at - tally.pausedAt);
  delete tally.pausedAt;
  delete tally.pausedUntil;
}

function attemptOf(tally: ChildStats): ChildStats["attempts"][number] {
  const last = tally.attempts.at(-1);
  if (last === undefined) throw new Error(`${tally.childId}: a step before any attempt`);
  return last;
}

function addKey(tally: ChildStats, keyName: string | undefined): void {
  if (keyName === undefined) return;
  tally.keyNames.add(keyName);
  tally.lastKeyName = keyName;
}

type CostFacts = { usage?: Usage; costUsd?: number; usageSoFar?: true; charged: boolean };

/** Adds the usage of an ended request. If its whole cost is unknown, it counts as what was reserved for it. */
function addUsage(tally: ChildStats, { usage, costUsd, usageSoFar, charged }: CostFacts): void {
  const { reservedUsd } = tally.asking ?? { reservedUsd: 0 };
  delete tally.asking;
  if (usage !== undefined) {
    tally.tokens.input += usage.input;
    tally.tokens.output += usage.output;
    tally.tokens.cached += usage.cached;
    tally.tokens.reasoning += usage.reasoning;
  }
  if (costUsd !== undefined) tally.costUsd += costUsd;
  if (usage !== undefined && costUsd === undefined) tally.unpriced += 1;
  if (usageSoFar) countUncertain(tally, Math.max(0, reservedUsd - (costUsd ?? 0)));
  else if (usage === undefined && charged) countUncertain(tally, reservedUsd);
  else if (costUsd === undefined && charged) tally.uncertainUsd += reservedUsd;
}

function countUncertain(tally: ChildStats, reservedUsd: number): void {
  tally.uncertain += 1;
  tally.uncertainUsd += reservedUsd;
}

/** The result of a child that has ended, or of a task that never started. */
export function resultOf(tally: ChildStats): Result {
  const { planned, ending } = tally;
  if ("problem" in planned) return rejected(tally, planned.problem);
  if (ending === undefined) throw new Error(`${tally.childId}: asked for a result before its end`);
  const route = routeAt(planned, tally.position);
  const facts = {
    ...base(tally),
    exit_reason: exitReason(ending),
    ...present({ limit: "limit" in ending ? ending.limit : undefined }),
    summary: ending.text,
    ...schemaFields("answer" in ending ? ending.answer : undefined),
    model: route.model,
    provider: route.provider,
    reasoning_effort: route.effort ?? null,
    route: routeReport(tally, planned.route, route),
  };
  if (ending.status !== "failed") return { ...facts, status: ending.status, error: null };
  return { ...facts, status: ending.status, error: failureReport(ending.failure) };
}

function rejected(tally: ChildStats, problem: Problem): Result {
  return {
    ...base(tally),
    status: "rejected",
    exit_reason: problem.code,
    summary: "",
    model: null,
    provider: null,
    reasoning_effort: null,
    route: null,
    error: problem,
  };
}

function base(tally: ChildStats) {
  const cost = costOf(tally);
  const { apiCalls, tokens } = usageTotals(tally);
  return {
    task_index: tally.taskIndex,
    child_id: tally.childId,
    goal: tally.planned.task.goal,
    tags: [...(tally.planned.task.tags ?? [])],
    api_calls: apiCalls,
    ...(tally.compactions > 0 && { compactions: tally.compactions }),
    ...(Object.keys(tally.quirks).length > 0 && { quirks: { ...tally.quirks } }),
    tokens,
    ...(tokens.input > 0 && { cached_share: Math.round((tokens.cached / tokens.input) * 1000) / 1000 }),
    cost_usd: roundUsd(cost.usd),
    cost_status: cost.status,
    started_at: tally.startedAt === undefined ? null : isoTime(tally.startedAt),
    ended_at: tally.endedAt === undefined ? null : isoTime(tally.endedAt),
    duration_seconds: secondsIn(tally.durationMs),
    tool_trace: [...tally.toolTrace],
    files_changed: [...tally.filesChanged],
    ...(Object.keys(tally.linesChanged).length > 0 && { lines_changed: { ...tally.linesChanged } }),
    ...worktreeFields(tally),
    ...present({ conflicts: tally.conflicts }),
    delegations: [...tally.charges.keys()].toSorted((one, other) => one.localeCompare(other, "en", { numeric: true })),
    warnings: [...tally.warnings],
    transcript: `deputy show ${tally.carriedFrom ?? tally.childId}`,
    ...present({ carried_from: tally.carriedFrom }),
  };
}

/** Known usage of a set of requests. */
export type UsageTotals = Omit<NestedUsage, "delegationId" | "filesChanged">;

/** Usage of a child so far, including its delegations. */
export function usageTotals(tally: ChildStats): UsageTotals {
  return sumOf([usedAlone(tally), ...tally.charges.values()]);
}

/** Usage without its delegations. The cost of a request in flight is not known yet. */
export function usedAlone(tally: ChildStats): UsageTotals {
  const { asking, uncertain, uncertainUsd } = tally;
  if (asking === undefined) return tally;
  return { ...tally, uncertain: uncertain + 1, uncertainUsd: uncertainUsd + asking.reservedUsd };
}

export function sumOf(parts: Iterable<UsageTotals>): UsageTotals {
  const sum = { apiCalls: 0, tokens: { input: 0, output: 0, cached: 0, reasoning: 0 }, costUsd: 0 };
  const all = { ...sum, unpriced: 0, uncertain: 0, uncertainUsd: 0 };
  for (const { apiCalls, tokens, costUsd, unpriced, uncertain, uncertainUsd = 0 } of parts) {
    all.apiCalls += apiCalls;
    for (const kind of ["input", "output", "cached", "reasoning"] as const) all.tokens[kind] += tokens[kind];
    all.costUsd += costUsd;
    all.unpriced += unpriced;
    all.uncertain += uncertain;
    all.uncertainUsd += uncertainUsd;
  }
  return all;
}

/** Cost of a child so far, including its delegations. */
export function costOf(tally: ChildStats): Cost {
  return costIn(usageTotals(tally));
}

export type Cost = { usd: number | null; status: CostStatus };

/** An unknown cost is never 0; an uncertain one counts at its worst case, as in budgets. */
export function costIn({ costUsd, unpriced, uncertain, uncertainUsd = 0 }: UsageTotals): Cost {
  const usd = costUsd + uncertainUsd;
  const nothingKnown = uncertain > 0 && usd === 0;
  if (unpriced > 0 || nothingKnown) return { usd: null, status: "unknown" };
  return { usd, status: uncertain > 0 ? "estimated" : "known" };
}

function exitReason(ending: Ending): string {
  switch (ending.status) {
    case "completed":
      return "answered";
    case "failed":
      return ending.failure.kind;
    case "incomplete":
    case "timeout":
    case "interrupted":
      return ending.exitReason;
    default:
      return ending satisfies never;
  }
}

/** A failure with the field names of the documents. */
function failureReport({ kind, message, httpStatus, retryAfterMs }: Failure): FailureReport {
  return present({ kind, message, http_status: httpStatus, retry_after_ms: retryAfterMs });
}

/** A model request with the field names of the documents. */
export function requestedReport({ effort, ...rest }: Wish): RouteReport["requested"] {
  return { ...rest, ...present({ reasoning_effort: effort }) };
}

function schemaFields(answer: SchemaCheck | undefined) {
  if (answer === undefined) return {};
  const { output, valid, errors } = answer;
  return present({ output, schema_valid: valid, schema_errors: errors });
}

/** The route of a child's attempt: position 0 is the requested one, n the nth declared fallback. */
export function routeAt(planned: Ready, position: number): Route {
  const route = position === 0 ? planned.route : planned.route.fallbacks[position - 1];
  if (route === undefined) throw new Error(`no route at position ${position}`);
  return route;
}

function routeReport(tally: ChildStats, asked: Route, effective: Route): RouteReport {
  return {
    requested: requestedReport(asked.requested),
    effective: {
      provider: effective.provider,
      model: effective.model,
      reasoning_effort: effective.effort ?? null,
    },
    chosen_by: {
      provider: effective.chosenBy.provider,
      model: effective.chosenBy.model,
      reasoning_effort: effective.chosenBy.effort ?? null,
    },
    endpoint: new URL(effective.endpoint.baseUrl).host,
    key_name: tally.lastKeyName ?? effective.keyName ?? null,
    key_names: [...tally.keyNames],
    served_models: [...tally.servedModels],
    fallback_used: tally.position > 0 || effective.chosenBy.model === "fallback",
    attempts: tally.attempts.map((attempt) => ({ ...attempt, failures: [...attempt.failures] })),
  };
}

/**
 * The results of a delegation in task order. @param costs of all its children, in USD: children still open have spent
 * money too
 */
export function delegationResult(
  delegationId: string,
  results: Result[],
  costs: (number | null)[],
  durationMs: number,
  warnings: Warning[],
): DelegationResult {
  return {
    delegation_id: delegationId,
    results,
    total_duration_seconds: secondsIn(durationMs),
    total_cost_usd: costs.some((cost) => cost === null)
      ? null
      : roundUsd(costs.reduce<number>((sum, cost) => sum + (cost ?? 0), 0)),
    warnings,
  };
}
