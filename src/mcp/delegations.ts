/**
 * Delegations of MCP clients. A call that takes long ends before its client loses patience, and tells how to get the rest;
 * a client that asks the same again joins what it asked for before. Nothing is started twice, nothing that ran is lost.
 */
import { createHash } from "node:crypto";
import type { Clock } from "../clock.ts";
import type { Engine, Question, SubmitOptions } from "../engine/engine.ts";
import { DeputyError } from "../errors.ts";
import { type ChildAnswer, type Report, type RunLine, withinLimit } from "../report.ts";
import { resultOf } from "../result.ts";
import { hasEnded, parseRunId, type Run, type RunChild } from "../run/run.ts";
import { reportOf, stateOf } from "../run/run-report.ts";
import type { RunListing } from "../run/run-store.ts";
import type { Call } from "../task.ts";
import type { ClientSession } from "./client-session.ts";
import { isClientTimeout } from "./client-timeout.ts";
import { type ClientWorkspace, workspaceAmong } from "./client-workspace.ts";
import { follow } from "./follow-run.ts";
import type { RequestContext } from "./request-context.ts";

/** Runs that a list shows. */
const MOST_LISTED = 20;
/** How long to wait for those that were stopped to end, in milliseconds. */
const STOP_MS = 5_000;
/** How long to wait for a message to be delivered, in milliseconds. */
const STEER_MS = 3_000;

const GOES_ON: readonly Report["state"][] = ["running", "paused"];

export type DelegationsDeps = {
  engine: Engine;
  clock: Clock;
  /** Where tasks work that say nothing else. */
  workspace: ClientWorkspace;
  /** Has a process of its own begin a run that was left for one. @throws DeputyError where it cannot */
  startDetached(runId: string): Promise<void>;
  /** The server that owns what runs in the foreground, where it goes on with that after a crash. */
  server?: string;
  maxSummaryChars: number;
  returnAfterMs: number;
};

export function createDelegations(deps: DelegationsDeps, context: RequestContext) {
  const { engine, clock, maxSummaryChars, returnAfterMs } = deps;
  const { client, signal, startedAt, resumed } = context;

  async function delegate(call: Call, { background }: { background: boolean }): Promise<Report> {
    const id = resumed?.runId ?? (await runFor(call, background));
    const { listing, lastToldAt } = await follow(deps, id, background ? 0 : returnAfterMs, context);
    if (signal.aborted) await giveUp(listing, background, lastToldAt);
    return told(listing);
  }

  /** The run of this very call, where its client has not been told its end; else a new one. */
  function runFor(call: Call, background: boolean): Promise<string> {
    const asked = createHash("sha256")
      .update(JSON.stringify([call, background]))
      .digest("base64");
    const known = client.asked.get(asked);
    if (known !== undefined) return known;
    const started = start(call, background);
    client.asked.set(asked, started);
    started.catch(() => client.asked.delete(asked));
    return started;
  }

  async function start(call: Call, background: boolean): Promise<string> {
    const options: SubmitOptions = {
      surface: "mcp",
      askedBy: "model",
      workspace: workspaceAmong(deps.workspace, await context.roots()),
      answersFromElsewhere: true,
    };
    if (!background) {
      const { server } = deps;
      return (await engine.submit(call, { ...options, ...(server !== undefined && { server }) })).id;
    }
    const id = await engine.enqueue(call, options);
    try {
      await deps.startDetached(id);
    } catch (error) {
      await engine.stop(id, "the run could not start");
      throw error;
    }
    return id;
  }

  /** The client has stopped waiting: did it want the work to stop? */
  async function giveUp({ run }: RunListing, background: boolean, lastToldAt: number): Promise<void> {
    const now = clock.elapsed();
    if (background || isClientTimeout(signal.reason, [now - startedAt, now - lastToldAt])) return;
    await engine.stop(run.delegationId, `cancelled by ${client.name}`);
  }

  async function told(listing: RunListing): Promise<Report> {
    const report = withinLimit(reportOf(listing, clock.now()), maxSummaryChars);
    for (const { request } of report.questions) client.told.add(request);
    if (!GOES_ON.includes(report.state) && !signal.aborted) await forget(report.delegation_id);
    const next = nextOf(report);
    return { ...report, ...(next !== undefined && { next }) };
  }

  /** Its end has been told: the same call asks for something new from now on. */
  async function forget(id: string): Promise<void> {
    for (const [asked, run] of client.asked) if ((await run) === id) client.asked.delete(asked);
  }

  async function report(id: string, waitSeconds: number): Promise<Report> {
    return told((await follow(deps, id, waitSeconds * 1000, context)).listing);
  }

  async function answer(id: string, offset: number, waitSeconds: number): Promise<ChildAnswer> {
    const isOver = (run: Run) => hasEnded(childOf(run, id));
    const { run } = engine.run(id);
    const { listing } = isOver(run)
      ? { listing: { run } }
      : await follow(deps, id, waitSeconds * 1000, context, isOver);
    const child = childOf(listing.run, id);
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

  async function stop(id: string): Promise<Report> {
    const { taskIndex } = parseRunId(id);
    const isOver = ({ children }: Run) =>
      taskIndex !== undefined && children[taskIndex] !== undefined && hasEnded(children[taskIndex]);
    await engine.stop(id, client.name);
    return told((await follow(deps, id, STOP_MS, context, isOver)).listing);
  }

  async function steer(id: string, message: string): Promise<{ told: string; report: Report }> {
    const patience = new AbortController();
    const cancel = clock.after(STEER_MS, () => patience.abort());
    const sent = await engine.steer(id, message, client.name);
    const { state, childId } = await engine.settleSteer(sent, AbortSignal.any([signal, patience.signal]));
    cancel();
    const words = {
      delivered: `Delivered: ${childId} has received the message.`,
      queued: `Queued: ${childId} receives the message with its next request.`,
      missed: `Missed: ${childId} ended before it received the message.`,
    } as const satisfies Record<typeof state, string>;
    return { told: words[state], report: await told(engine.run(id)) };
  }

  async function settle(id: string, callId: string | undefined, allowed: boolean, reason: string) {
    const question = engine.question({ id, ...(callId !== undefined && { callId }) });
    const { childId, request, target } = question;
    if (allowed && !client.told.has(request)) throw untold(question, client);
    const by = `${client.surface} (model of ${client.name})`;
    const { counted, end } = await engine.answer({ id: childId, request, allowed, reason, by });
    const words = counted
      ? `${allowed ? "Approved" : "Denied"} for ${childId}: ${target}`
      : `Too late: ${end?.by ?? "someone else"} already ${end?.allowed ? "approved" : "denied"} the request.`;
    return { told: words, report: await told(engine.run(id)) };
  }

  function newest(): RunLine[] {
    return engine.runs(MOST_LISTED).map(lineOf);
  }

  const isChild = (id: string) => parseRunId(id).taskIndex !== undefined;
  return { delegate, report, answer, stop, steer, settle, newest, isChild };
}

/** An approval means what its giver has been shown: this was not, until now. */
function untold({ childId, request, toolName, target, directory }: Question, { told }: ClientSession): DeputyError {
  told.add(request);
  return new DeputyError(
    "usage",
    `Nothing was approved: you have not seen this request of ${childId} before. It asks to run ${toolName} in ` +
      `${directory}: ${target}\nApprove again to let it run.`,
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
  const goal = (call.tasks[0]?.goal ?? "").replace(/\s+/g, " ").trim();
  return {
    delegation_id: delegationId,
    state: stateOf(listing),
    surface,
    started_at: new Date(startedAt).toISOString(),
    done: children.filter(hasEnded).length,
    tasks: children.length,
    goal: goal.length <= 80 ? goal : `${goal.slice(0, 79)}…`,
  };
}
