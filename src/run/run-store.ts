/** Finds, lists and loads the runs of a journal. */

import { DeputyError, errorMessage } from "../errors.ts";
import type { ChildEvent, StoredEvent } from "../event.ts";
import type { Entry, Journal } from "../journal/journal.ts";
import { plural } from "../text/plural.ts";
import { setAsideReason } from "./crash-loop.ts";
import { foldRun, isChildEvent, namedChild, parseRunId, type Run, rootIdOf } from "./run.ts";
import { assertKnownFormat, isOfLaterFormat, isOfLaterRun } from "./run-format.ts";

/**
 * `here`: owned by this process. `elsewhere`: owned by another live process. `dead`: its owner died. `none`: the run
 * has ended.
 */
export type RunListing = { run: Run; owner: "here" | "elsewhere" | "dead" | "none" };

/** A run with everything that is needed to continue it. */
export type LoadedRun = {
  run: Run;
  /** Stored events of children that had started, by child id. */
  past: Map<string, ChildEvent[]>;
  /** `seq` of the last entry. */
  lastSeq: number;
};

/** Selects runs, each with the tree below it, by its first event. */
export type RunFilter = (start: Extract<StoredEvent, { kind: "delegation-start" }>) => boolean;

const everyRun: RunFilter = () => true;

/** Events from which a listing is folded: all except tool calls. */
const LISTED = [
  "delegation-start",
  "delegation-resume",
  "delegation-end",
  "child-start",
  "attempt-start",
  "step-start",
  "step-end",
  "step-fail",
  "compact-start",
  "compact-end",
  "pause-start",
  "pause-end",
  "approval-ask",
  "approval-end",
  "message-add",
  "child-end",
] as const satisfies StoredEvent["kind"][];

/**
 * Lists runs newest first, each with the tree below it. Reads only the requested runs, so the last few are found at
 * once.
 */
export async function listRuns(
  journal: Journal,
  pid: number,
  newest = Number.POSITIVE_INFINITY,
  among: RunFilter = everyRun,
): Promise<RunListing[]> {
  const ids = await runIds(journal, among);
  const listings: RunListing[] = [];
  for (const delegationId of ids.toReversed().slice(0, newest)) {
    const run = await listedRun(journal, delegationId).catch(unlessLater);
    if (run === undefined) continue; // The run was removed meanwhile, or needs a later Deputy.
    const owner = await ownerOf(journal, run, pid);
    // Detecting progress needs the run's tool calls.
    const mayBeSetAside = setAsideReason({ run, owner }) !== undefined;
    listings.push({ run: mayBeSetAside ? (await loadRun(journal, delegationId)).run : run, owner });
  }
  return listings;
}

function unlessLater(error: unknown): undefined {
  if (!isOfLaterRun(error)) throw error;
}

/** Ids of the runs that only a later Deputy can read, oldest first. */
export async function laterRuns(journal: Journal): Promise<string[]> {
  const ids = new Set<string>();
  for await (const { event } of journal.read({ roots: true, kinds: ["delegation-start", "delegation-resume"] }))
    if (isOfLaterFormat(event)) ids.add(event.delegationId);
  return [...ids];
}

async function listedRun(journal: Journal, delegationId: string): Promise<Run | undefined> {
  let run: Run | undefined;
  for await (const { event } of journal.read({ within: delegationId, kinds: LISTED })) run = foldStored(run, event);
  return run;
}

/** Ids of the runs that no child made, oldest first. */
export async function runIds(journal: Journal, among: RunFilter = everyRun): Promise<string[]> {
  const ids: string[] = [];
  for await (const { event } of journal.read({ roots: true, kinds: ["delegation-start"] }))
    if (event.kind === "delegation-start" && among(event)) ids.push(event.delegationId);
  return ids;
}

/** Ids of the unfinished runs that a server owned when its process died, oldest first. */
export async function orphanedRuns(journal: Journal, server: string): Promise<string[]> {
  const left = new Set<string>();
  for await (const { event } of journal.read({ kinds: ["delegation-start", "delegation-resume", "delegation-end"] })) {
    if ("server" in event && event.server === server && !isOfLaterFormat(event)) left.add(event.delegationId);
    else left.delete(event.delegationId);
  }
  const orphaned: string[] = [];
  for (const delegationId of left) if (!(await isOwned(journal, delegationId))) orphaned.push(delegationId);
  return orphaned;
}

/** Like `listRuns`, but also lists the runs that children made, each after its parent run. */
export async function listAllRuns(journal: Journal, pid: number): Promise<RunListing[]> {
  const whole = (run: Run): Run[] => [run, ...run.children.flatMap(({ delegations }) => delegations.flatMap(whole))];
  const runs = (await listRuns(journal, pid)).flatMap(({ run }) => whole(run));
  return Promise.all(runs.map(async (run) => ({ run, owner: await ownerOf(journal, run, pid) })));
}

/** Folds a stored event. @throws DeputyError `run-newer` | `journal-unusable` if events are missing */
function foldStored(run: Run | undefined, event: StoredEvent): Run {
  assertKnownFormat(event);
  try {
    return foldRun(run, event);
  } catch (error) {
    const message =
      `The journal is inconsistent at run ${event.delegationId}: ${errorMessage(error)}. ` +
      "See what is wrong: deputy journal verify";
    throw new DeputyError("journal-unusable", message, { cause: error });
  }
}

/**
 * The full id of the run that an id means, without reading more than its first event. @throws DeputyError `run-unknown`
 * if no run, or more than one, has an id with this prefix
 */
export async function resolveRunId(journal: Journal, id: string): Promise<string> {
  const { delegationId, taskIndex } = parseRunId(await wholeId(journal, id));
  for await (const { event } of journal.read({ delegationId, kinds: ["delegation-start"] })) {
    const planned = event.kind === "delegation-start" ? event.planned : [];
    if (taskIndex !== undefined && planned[taskIndex] === undefined)
      throw new DeputyError("run-unknown", `${delegationId} has ${plural(planned.length, "child")}; found no ${id}.`);
    return delegationId;
  }
  throw runUnknown(delegationId);
}

/** Stored events of a run and the runs below it, or of one child, in order. */
export async function* eventsOf(journal: Journal, id: string): AsyncGenerator<StoredEvent> {
  const delegationId = await resolveRunId(journal, id);
  const childId = namedChild(delegationId, id);
  const filter = childId === undefined ? { within: delegationId } : { delegationId };
  for await (const { event } of journal.read(filter)) {
    if (childId === undefined || subjectOf(event) === childId) yield event;
  }
}

/** The child that an event concerns; undefined for an event of the whole run. */
function subjectOf(event: StoredEvent): string | undefined {
  if ("childId" in event) return event.childId;
  return "target" in event ? event.target : undefined;
}

/** Loads the current state of a run and its children's delegations. @throws DeputyError `run-unknown` */
export async function loadRun(journal: Journal, delegationId: string): Promise<LoadedRun> {
  const past = new Map<string, ChildEvent[]>();
  let run: Run | undefined;
  let lastSeq = 0;
  for await (const { seq, event } of journal.read({ within: delegationId })) {
    run = foldStored(run, event);
    lastSeq = seq;
    remember(past, event, delegationId);
  }
  if (run === undefined) throw runUnknown(delegationId);
  return { run, past, lastSeq };
}

/** Folds the events stored since a run was loaded, without reading earlier ones again. */
export async function catchUp(journal: Journal, loaded: LoadedRun): Promise<void> {
  const filter = { within: loaded.run.delegationId, after: loaded.lastSeq };
  for await (const entry of journal.read(filter)) foldNew(loaded, entry);
}

/**
 * Folds an entry unless the run contains it already: two readers may continue from one run at once. @returns whether it
 * was new
 */
export function foldNew(loaded: LoadedRun, { seq, event }: Entry): boolean {
  if (seq <= loaded.lastSeq) return false;
  loaded.lastSeq = seq;
  foldStored(loaded.run, event);
  remember(loaded.past, event, loaded.run.delegationId);
  return true;
}

/** Adds an event of one of the run's own children to that child's stored events. */
export function remember(past: LoadedRun["past"], event: StoredEvent, delegationId: string): void {
  if (!isChildEvent(event) || event.delegationId !== delegationId) return;
  const known = past.get(event.childId);
  if (known === undefined) past.set(event.childId, [event]);
  else known.push(event);
}

/**
 * Completes an id whose first part may be a prefix. Runs that do not match are as unknown as those that do not exist.
 * @throws DeputyError `run-unknown`
 */
export async function wholeId(journal: Journal, id: string, among: RunFilter = everyRun): Promise<string> {
  const rootId = rootIdOf(id);
  for await (const { event } of journal.read({ delegationId: rootId, kinds: ["delegation-start"] }))
    if (event.kind === "delegation-start" && among(event)) return id;
  return (await knownRoot(journal, id, among)) + id.slice(rootId.length);
}

async function knownRoot(journal: Journal, id: string, among: RunFilter): Promise<string> {
  const rootId = rootIdOf(id);
  const matches = (await runIds(journal, among)).filter((known) => rootId !== "" && known.startsWith(rootId));
  const [match] = matches;
  if (match !== undefined && matches.length === 1) return match;
  const matched = matches.length === 0 ? "no run" : `${matches.length} runs: ${matches.slice(0, 5).join(", ")}`;
  throw new DeputyError(
    "run-unknown",
    `Expected the id of a run; found ${id}, which matches ${matched}. See: deputy runs`,
  );
}

function runUnknown(delegationId: string): DeputyError {
  return new DeputyError("run-unknown", `There is no run ${delegationId}. See: deputy runs`);
}

/** Returns whether a process works on a run, or is about to. */
export function isAtWork({ owner }: Pick<RunListing, "owner">): boolean {
  return owner === "here" || owner === "elsewhere";
}

/** Returns whether a living process owns a run. */
export async function isOwned(journal: Journal, delegationId: string): Promise<boolean> {
  return (await journal.owner(delegationId))?.alive === true;
}

export async function ownerOf(journal: Journal, run: Run, pid: number): Promise<RunListing["owner"]> {
  if (run.endedAt !== undefined) return "none";
  const owner = await journal.owner(run.delegationId);
  if (owner === undefined || !owner.alive) return "dead";
  return owner.pid === pid ? "here" : "elsewhere";
}
