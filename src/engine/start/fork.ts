/**
 * Starts a new run from a step of a child, on any route: its conversation up to that step's tool results is copied, and
 * costs nothing again. Files are not restored; a message says so to the child.
 */
import type { Clock } from "../../clock.ts";
import { DeputyError } from "../../errors.ts";
import type { ChildEvent, StoredEvent } from "../../event.ts";
import type { Journal } from "../../journal/journal.ts";
import { childIdOf, foldRun, isChildEvent, parseRunId, type Run } from "../../run/run.ts";
import { type LoadedRun, resolveRunId } from "../../run/run-store.ts";
import { present } from "../../values/present.ts";
import { hostsIn } from "../../web-host.ts";
import type { LiveDelegation } from "../delegation.ts";
import { type ImageAdd, resultImagesIn } from "./images.ts";
import { newRun } from "./nested-call.ts";
import { callAgain, hostsNamedTo, parentOf, type RetryDeps, type RetryOptions, taskAgain } from "./retry.ts";
import type { StartEvent } from "./start-call.ts";

export type ForkOptions = RetryOptions & {
  /** Step from which the conversation continues. Default: the newest whose tool results are all there. */
  step?: number;
  /** The next message to the child. Required after its answer; otherwise the child continues its task. */
  goal?: string;
};

export type ForkDeps = Omit<RetryDeps, "find"> & { clock: Clock; journal: Journal };

/** `images`: the stored ones of its run. */
type ForkSource = { run: Run; index: number; childId: string; events: ChildEvent[]; images: ImageAdd[] };

/** @throws DeputyError `run-unknown` · `usage` without a child or such a step · `nothing-to-run` if it cannot start */
export async function fork(deps: ForkDeps, id: string, options: ForkOptions): Promise<LiveDelegation> {
  const { journal, clock } = deps;
  const source = await readSource(journal, id);
  const { run, index, childId, events } = source;
  const { step: wanted, goal, route, maxCostUsd, ...rest } = options;
  const step = stepOf(source, wanted);
  const child = run.children[index];
  if (child === undefined) throw new Error(`${childId}: a child without its run`);
  const copied = conversationUntil(events, step);
  if (goal === undefined && !endsWithResults(copied)) throw answered(childId, step);
  const note = filesNote(events, step);
  const task = await taskAgain(child, run, journal, route);
  const { setup, firstEvents } = await deps.prepare(
    { ...callAgain(run.call, route), tasks: [task], ...present({ max_cost_usd: maxCostUsd ?? run.call.max_cost_usd }) },
    {
      ...rest,
      workspace: run.directory ?? options.workspace,
      notes: [...(options.notes ?? []), { code: "fork-files", message: note }],
      hosts: hostsNamedTo([child]),
      ...present({ parent: parentOf(run, [child], route) }),
    },
  );
  const begun = await journal.begin({ id: deps.newId() }, (delegationId): [StartEvent, ...StoredEvent[]] => {
    const [start, ...stored] = firstEvents(delegationId);
    const about = { at: clock.now(), delegationId, childId: childIdOf(delegationId, 0) };
    const hosts = options.askedBy === "model" ? [] : hostsIn(goal);
    const named = hosts.length > 0 && { hosts };
    const message = { kind: "message-add", ...about, reason: "fork", text: messageOf(goal, note), ...named } as const;
    const forked: StartEvent = { ...start, fork: { from: childId, step } };
    const images = imagesFor(copied, source.images, stored).map((event) => ({ ...event, delegationId, at: about.at }));
    return [forked, ...stored, ...images, ...copied.map((event) => ({ ...event, ...about, ...mark(event) })), message];
  });
  return deps.begin(setup, loadedFrom(begun), begun.filter(isShown), rest);
}

async function readSource(journal: Journal, id: string): Promise<ForkSource> {
  const delegationId = await resolveRunId(journal, id);
  const entries = await Array.fromAsync(journal.read({ delegationId }));
  const run = entries.reduce<Run | undefined>((folded, { event }) => foldRun(folded, event), undefined);
  if (run === undefined) throw new DeputyError("run-unknown", `There is no run ${id}.`);
  const index = parseRunId(id).taskIndex ?? (run.children.length === 1 ? 0 : undefined);
  if (index === undefined) {
    const last = `${delegationId}.${run.children.length}`;
    throw new DeputyError("usage", `Expected a child, ${delegationId}.1 to ${last}; found ${id}, which has several.`);
  }
  const childId = childIdOf(delegationId, index);
  const stored = entries.map(({ event }) => event);
  const events = stored.filter(isChildEvent).filter((event) => event.childId === childId);
  return { run, index, childId, events, images: stored.filter((event) => event.kind === "image-add") };
}

/** The images in copied results, of which the new run needs the bytes. @param stored what it has already */
function imagesFor(copied: readonly ChildEvent[], images: readonly ImageAdd[], stored: readonly StoredEvent[]) {
  const needed = resultImagesIn(copied);
  for (const event of stored) if (event.kind === "image-add") needed.delete(event.sha256);
  return images.filter(({ sha256 }) => needed.has(sha256));
}

/** @throws DeputyError `usage` if the child has no such step, or not all its results */
function stepOf({ childId, events }: ForkSource, wanted: number | undefined): number {
  const whole = wholeSteps(events);
  const newest = whole.at(-1);
  if (newest === undefined)
    throw new DeputyError("usage", `${childId} has no step to start from: its model never answered.`);
  if (wanted === undefined || whole.includes(wanted)) return wanted ?? newest;
  const found = events.some((event) => event.kind === "step-end" && event.step === wanted);
  const why = found ? `the results of step ${wanted} are not all there` : `found ${wanted}`;
  throw new DeputyError("usage", `Expected a step of ${childId}, 1 to ${newest}; ${why}.`);
}

/** The steps whose calls have all ended. */
function wholeSteps(events: readonly ChildEvent[]): number[] {
  const open = new Set<string>();
  const steps: number[] = [];
  let step: number | undefined;
  for (const event of events) {
    if (event.kind === "step-end") {
      step = event.step;
      open.clear();
      for (const part of event.parts) if (part.type === "tool-call") open.add(part.callId);
    } else if (event.kind === "tool-end") open.delete(event.callId);
    else continue;
    if (open.size === 0 && step !== undefined && steps.at(-1) !== step) steps.push(step);
  }
  return steps;
}

/** The kinds of events that make up a conversation. */
const COPIED: readonly ChildEvent["kind"][] = [
  "child-start",
  "attempt-start",
  "step-end",
  "compact-end",
  "tool-start",
  "tool-end",
  "message-add",
];

/** The events up to the results of a step, and those of later steps. */
function splitAfter(events: readonly ChildEvent[], step: number): [upTo: ChildEvent[], later: ChildEvent[]] {
  const next = events.findIndex((event) => event.kind === "step-end" && event.step > step);
  return next < 0 ? [[...events], []] : [events.slice(0, next), events.slice(next)];
}

/** The child's conversation from its start to the results of a step. */
function conversationUntil(events: readonly ChildEvent[], step: number): ChildEvent[] {
  const [upTo] = splitAfter(events, step);
  const last = upTo.findLastIndex(({ kind }) => kind === "tool-end" || kind === "step-end");
  return upTo.slice(0, last + 1).filter(({ kind }) => COPIED.includes(kind));
}

function endsWithResults(copied: readonly ChildEvent[]): boolean {
  return copied.at(-1)?.kind === "tool-end";
}

function answered(childId: string, step: number): DeputyError {
  const message = `Step ${step} of ${childId} is its answer: there is nothing to continue. Give the next message with --goal, or an earlier step.`;
  return new DeputyError("usage", message);
}

/** The child itself is new: it starts now. */
function mark({ kind }: ChildEvent): { copied?: true } {
  return kind === "child-start" ? {} : { copied: true };
}

/** Says how the workspace has changed since that step, as far as the run knows. */
function filesNote(events: readonly ChildEvent[], step: number): string {
  const [, later] = splitAfter(events, step);
  const changed = new Set(later.flatMap((event) => (event.kind === "tool-end" ? event.filesChanged : [])));
  const ran = later.some((event) => event.kind === "tool-end" && event.name === "terminal" && event.outcome === "ran");
  const since = [
    changed.size > 0 &&
      `later steps changed ${[...changed].slice(0, MOST_FILES).join(", ")}${changed.size > MOST_FILES ? " and others" : ""}`,
    ran && "later steps ran commands",
  ].filter((text) => text !== false);
  const known = since.length === 0 ? "no later step of that child changed files" : since.join("; ");
  return `The files are as they are now, not as they were after step ${step}: ${known}.`;
}

/** Files that the note names. */
const MOST_FILES = 20;

function messageOf(goal: string | undefined, note: string): string {
  return `${goal ?? "Continue the task from here."}\n\n(${note} Read a file again before you rely on it.)`;
}

function isShown({ kind, ...event }: StoredEvent): boolean {
  return kind !== "image-add" && !("copied" in event);
}

function loadedFrom(events: readonly [StoredEvent, ...StoredEvent[]]): LoadedRun {
  const loaded = newRun(events);
  return { ...loaded, past: new Map([[childIdOf(loaded.run.delegationId, 0), events.filter(isChildEvent)]]) };
}
