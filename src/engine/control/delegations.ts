/**
 * Delegations as a model manages them, whatever started them: reports, whole answers, stopping, messages and decisions.
 * Each surface says who the model is and how it waits.
 */

import type { Clock } from "../../clock.ts";
import { DeputyError, keyRemoved } from "../../errors.ts";
import { type ChildAnswer, type Report, type RunLine, withinLimit } from "../../report.ts";
import { resultOf } from "../../result.ts";
import { hasEnded, parseRunId, type Run, type RunChild } from "../../run/run.ts";
import { reportOf, stateOf } from "../../run/run-report.ts";
import type { RunListing } from "../../run/run-store.ts";
import { shortLine } from "../../text/short-line.ts";
import { commandInLine, spelledLines, spelledPath } from "../../text/spelled-text.ts";
import { wantedCall } from "../../text/wanted-call.ts";
import { isoTime } from "../../values/iso-time.ts";
import { present } from "../../values/present.ts";
import type { Engine, Question, Which } from "../engine.ts";

/** Number of runs that a list shows. */
const MOST_LISTED = 20;
/** Maximum wait for stopped children to end, in milliseconds. */
const STOP_MS = 5_000;
/** Maximum wait for a message to be delivered, in milliseconds. */
const STEER_MS = 3_000;

export type DelegationClient = {
  /** The client's own name. */
  readonly name: string;
  /** `mcp`, or another surface that offers its tools. */
  readonly surface: string;
  /** Codes of the approval requests that its model has seen. */
  readonly told: Set<string>;
};

/** Waits until the run ends, the time is up, `until` returns true, or the user has to be asked. */
export type WaitForRun = (id: string, ms: number, until?: (run: Run) => boolean) => Promise<RunListing>;

/** The runs that a model manages, among which every id is looked up. */
export type ManagedRuns = Pick<
  Engine,
  "runs" | "run" | "events" | "stop" | "steer" | "settleSteer" | "question" | "answer" | "refresh" | "follow"
>;

export type DelegationsDeps = {
  engine: ManagedRuns;
  clock: Clock;
  client: DelegationClient;
  /** Signal of the call. */
  signal: AbortSignal;
  wait: WaitForRun;
  /** Called with each report before the model receives it. */
  onReport?(report: Report, run: Run): Promise<void>;
  maxSummaryChars: number;
};

export type Delegations = {
  /** Returns the report on a run, and records that the model has seen its approval requests. */
  describe(listing: RunListing): Promise<Report>;
  report(id: string, waitSeconds: number): Promise<Report>;
  /** Returns a part of a child's answer, from `offset` on. */
  answer(id: string, offset: number, waitSeconds: number): Promise<ChildAnswer>;
  stop(id: string): Promise<Report>;
  steer(id: string, message: string): Promise<ToldReport>;
  /** Allows or denies a child's request. @throws DeputyError `usage` if the model has not seen it */
  settle(id: string, callId: string | undefined, allowed: boolean, reason: string): Promise<ToldReport>;
  /** Returns the newest runs, newest first. */
  newest(): Promise<RunLine[]>;
  isChild(id: string): boolean;
};

/** The outcome of a message or a decision, and the report after it. */
export type ToldReport = { told: string; report: Report };

export function createDelegations(deps: DelegationsDeps): Delegations {
  const describe = (listing: RunListing) => describeRun(listing, deps);
  return {
    describe,
    report: async (id, waitSeconds) => describe(await deps.wait(id, waitSeconds * 1000)),
    answer: (id, offset, waitSeconds) => answerOf(deps, id, offset, waitSeconds),
    stop: async (id) => describe(await stopAndWait(deps, id)),
    steer: async (id, message) => ({
      told: await steer(deps, id, message),
      report: await describe(await deps.engine.run(id)),
    }),
    settle: async (id, callId, allowed, reason) => ({
      told: await settle(deps, { id, ...present({ callId }) }, allowed, reason),
      report: await describe(await deps.engine.run(id)),
    }),
    newest: async () => (await deps.engine.runs(MOST_LISTED)).map(lineOf),
    isChild: (id) => parseRunId(id).taskIndex !== undefined,
  };
}

async function describeRun(listing: RunListing, deps: DelegationsDeps): Promise<Report> {
  const { clock, client, maxSummaryChars, onReport } = deps;
  const report = withinLimit(reportOf(listing, clock.now()), maxSummaryChars);
  for (const { request } of report.questions) client.told.add(request);
  await onReport?.(report, listing.run);
  const next = nextOf(report);
  return { ...report, ...present({ next }) };
}

async function answerOf(
  { engine, wait, maxSummaryChars }: DelegationsDeps,
  id: string,
  offset: number,
  waitSeconds: number,
): Promise<ChildAnswer> {
  const isOver = (run: Run) => hasEnded(childOf(run, id));
  const { run: before } = await engine.run(id);
  const { run } = isOver(before) ? { run: before } : await wait(id, waitSeconds * 1000, isOver);
  const child = childOf(run, id);
  const ended = hasEnded(child) ? resultOf(child.tally) : undefined;
  const whole = ended?.summary ?? "";
  return {
    child_id: child.tally.childId,
    status: ended?.status ?? child.activity,
    text: whole.slice(offset, offset + maxSummaryChars).toWellFormed(),
    offset,
    whole_chars: whole.length,
  };
}

async function stopAndWait({ engine, client, wait }: DelegationsDeps, id: string): Promise<RunListing> {
  const { taskIndex } = parseRunId(id);
  const isOver = ({ children }: Run) =>
    taskIndex !== undefined && children[taskIndex] !== undefined && hasEnded(children[taskIndex]);
  await engine.stop(id, client.name);
  return wait(id, STOP_MS, isOver);
}

async function steer({ engine, clock, client, signal }: DelegationsDeps, id: string, message: string): Promise<string> {
  const timeout = new AbortController();
  const cancel = clock.after(STEER_MS, () => timeout.abort());
  const sent = await engine.steer(id, message, modelOf(client), "model");
  const removed = sent.keyRemoved ? ` ${keyRemoved("The message").message}` : "";
  const { state, childId, owner } = await engine.settleSteer(sent, AbortSignal.any([signal, timeout.signal]));
  cancel();
  const words = {
    delivered: `Delivered: ${childId} has received the message.`,
    queued: `Queued: ${childId} receives the message ${owner === "alive" ? "with its next request" : "when it is resumed"}.`,
    missed: `Missed: ${childId} ended before it received the message.`,
  } as const satisfies Record<typeof state, string>;
  return words[state] + removed;
}

async function settle(
  { engine, client }: DelegationsDeps,
  which: Which,
  allowed: boolean,
  reason: string,
): Promise<string> {
  const question = await engine.question(which);
  const { childId, request, target } = question;
  if (allowed && question.onlyUser) throw forUsers(question);
  if (allowed && !client.told.has(request)) throw untold(question, client);
  const by = modelOf(client);
  const { counted, end } = await engine.answer({ id: childId, request, allowed, reason, by });
  return counted
    ? `${allowed ? "Approved" : "Denied"} for ${childId}: ${commandInLine(target)}`
    : `Too late: ${end?.by ?? "someone else"} already ${end?.allowed ? "approved" : "denied"} the request.`;
}

function modelOf({ surface, name }: DelegationClient): string {
  return `${surface} (model of ${name})`;
}

/** The model can approve only what it has seen: it sees this request only now. */
function untold(question: Question, { told }: DelegationClient): DeputyError {
  const { childId, request, toolName, target, directory } = question;
  told.add(request);
  return new DeputyError(
    "usage",
    `Nothing was approved: you have not seen this request of ${childId} before. It asks to ${wantedCall(toolName, question)} in ` +
      `${spelledPath(directory)}: ${spelledLines(target).join("\n")}\nApprove again to let it run.`,
  );
}

/** A model that could open the sandbox of its children could be talked into it. */
function forUsers({ childId, toolName, target }: Question): DeputyError {
  return new DeputyError(
    "usage",
    `Nothing was approved: only the user can decide whether ${childId} may leave its sandbox (${toolName}: ` +
      `${commandInLine(target)}). Tell the user: deputy approve ${childId}`,
  );
}

function childOf(run: Run, id: string): RunChild {
  const child = run.children[parseRunId(id).taskIndex ?? -1];
  if (child === undefined) throw new Error(`${id}: not a child`);
  return child;
}

function nextOf({ delegation_id: id, state, questions }: Report): string | undefined {
  const asked = questions.length > 0 ? " Tell the user about the pending approval requests." : "";
  switch (state) {
    case "running":
      return `The delegation is still running.${asked} To wait for it, call check_delegation with {"id": "${id}"}.`;
    case "paused":
      return `The delegation waits for its provider's quota to reset and then continues. To check it, call check_delegation with {"id": "${id}"}.`;
    case "stopped":
    case "unfinished":
      return `The user can resume it: deputy resume ${id}`;
    case "ended":
      return undefined;
    default:
      return state satisfies never;
  }
}

function lineOf(listing: RunListing): RunLine {
  const { delegationId, surface, startedAt, children, call } = listing.run;
  return {
    delegation_id: delegationId,
    state: stateOf(listing),
    surface,
    started_at: isoTime(startedAt),
    done: children.filter(hasEnded).length,
    tasks: children.length,
    goal: shortLine(call.tasks[0]?.goal, 80),
  };
}
