/** The runs of a journal: found, listed, and recalled whole from what is stored of them. */
import { DeputyError } from "../errors.ts";
import type { ChildEvent, StoredEvent } from "../event.ts";
import type { Entry, Journal } from "../journal/journal.ts";
import { setAsideReason } from "./crash-loop.ts";
import { childIdOf, foldRun, isChildEvent, parseRunId, type Run, rootIdOf } from "./run.ts";

/** `here`: this process runs it. `elsewhere`: another live one. `dead`: its owner died. `none`: it has ended. */
export type RunListing = { run: Run; owner: "here" | "elsewhere" | "dead" | "none" };

/** A run with all that is needed to go on with it. */
export type LoadedRun = {
  run: Run;
  /** Stored events of children that had begun, by child id. */
  past: Map<string, ChildEvent[]>;
  /** `seq` of the last entry. */
  lastSeq: number;
};

/** What a listing is folded from: everything but the tool calls. */
const LISTED = [
  "delegation-start",
  "delegation-resume",
  "delegation-end",
  "child-start",
  "attempt-start",
  "step-start",
  "step-end",
  "step-fail",
  "pause-start",
  "pause-end",
  "message-add",
  "child-end",
] as const satisfies StoredEvent["kind"][];

/** Newest first, each with the tree below it. Only those are read that are asked for: the last few are found at once. */
export function listRuns(journal: Journal, pid: number, newest = Number.POSITIVE_INFINITY): RunListing[] {
  const ids = runIds(journal).toReversed().slice(0, newest);
  return ids.flatMap((delegationId) => {
    const run = listedRun(journal, delegationId);
    if (run === undefined) return [];
    const owner = ownerOf(journal, run, pid);
    // Whether it got further is not seen without its tool calls.
    const mayBeSetAside = setAsideReason({ run, owner }) !== undefined;
    return [{ run: mayBeSetAside ? loadRun(journal, delegationId).run : run, owner }];
  });
}

function listedRun(journal: Journal, delegationId: string): Run | undefined {
  let run: Run | undefined;
  for (const { event } of journal.read({ within: delegationId, kinds: LISTED })) run = foldStored(run, event);
  return run;
}

/** Of the runs that no child made, oldest first. */
export function runIds(journal: Journal): string[] {
  return Array.from(journal.read({ roots: true, kinds: ["delegation-start"] }), ({ event }) => event.delegationId);
}

/** Ids of the unfinished runs that a server owned when its process died, oldest first. */
export function orphanedRuns(journal: Journal, server: string): string[] {
  const left = new Set<string>();
  for (const { event } of journal.read({ kinds: ["delegation-start", "delegation-resume", "delegation-end"] })) {
    if ("server" in event && event.server === server) left.add(event.delegationId);
    else left.delete(event.delegationId);
  }
  return [...left].filter((delegationId) => journal.owner(delegationId)?.alive !== true);
}

/** The same as `listRuns`, and each run that a child made, after the one it belongs to. */
export function listAllRuns(journal: Journal, pid: number): RunListing[] {
  const whole = (run: Run): Run[] => [run, ...run.children.flatMap(({ delegations }) => delegations.flatMap(whole))];
  return listRuns(journal, pid)
    .flatMap(({ run }) => whole(run))
    .map((run) => ({ run, owner: ownerOf(journal, run, pid) }));
}

/** The fold, over what is stored. @throws DeputyError `journal-unusable` where events are missing, so that it cannot be */
function foldStored(run: Run | undefined, event: StoredEvent): Run {
  try {
    return foldRun(run, event);
  } catch (error) {
    const message =
      `The journal does not add up at run ${event.delegationId}: ${(error as Error).message}. ` +
      "See what is wrong: deputy journal verify";
    throw new DeputyError("journal-unusable", message, { cause: error });
  }
}

/** A run that was found by an id, whole. */
export type FoundRun = LoadedRun & RunListing;

/** @throws DeputyError `run-unknown` where no run, or more than one, has an id that begins so */
export function findRun(journal: Journal, id: string, pid: number): FoundRun {
  const { delegationId, taskIndex } = parseRunId(wholeId(journal, id));
  const loaded = loadRun(journal, delegationId);
  const { children } = loaded.run;
  if (taskIndex !== undefined && children[taskIndex] === undefined)
    throw childUnknown(delegationId, children.length, id);
  return { ...loaded, owner: ownerOf(journal, loaded.run, pid) };
}

/** The id of the run that an id means, of which only the first event is read. @throws DeputyError as `findRun` */
export function resolveRunId(journal: Journal, id: string): string {
  const { delegationId, taskIndex } = parseRunId(wholeId(journal, id));
  for (const { event } of journal.read({ delegationId, kinds: ["delegation-start"] })) {
    const count = event.kind === "delegation-start" ? event.planned.length : 0;
    if (taskIndex !== undefined && taskIndex >= count) throw childUnknown(delegationId, count, id);
    return delegationId;
  }
  throw runUnknown(delegationId);
}

/** What is stored of a run and of those below it, or of one child alone, in the order it happened. */
export function* eventsOf(journal: Journal, id: string, pid: number): Generator<StoredEvent> {
  const { run } = findRun(journal, id, pid);
  const { taskIndex } = parseRunId(id);
  const childId = taskIndex === undefined ? undefined : childIdOf(run.delegationId, taskIndex);
  const filter = childId === undefined ? { within: run.delegationId } : { delegationId: run.delegationId };
  for (const { event } of journal.read(filter)) if (childId === undefined || subjectOf(event) === childId) yield event;
}

/** The child an event is about; undefined where it is about the whole run. */
function subjectOf(event: StoredEvent): string | undefined {
  if ("childId" in event) return event.childId;
  return "target" in event ? event.target : undefined;
}

/** A run as it is now, with what its children have delegated. @throws DeputyError `run-unknown` */
export function loadRun(journal: Journal, delegationId: string): LoadedRun {
  const past = new Map<string, ChildEvent[]>();
  let run: Run | undefined;
  let lastSeq = 0;
  for (const { seq, event } of journal.read({ within: delegationId })) {
    run = foldStored(run, event);
    lastSeq = seq;
    remember(past, event, delegationId);
  }
  if (run === undefined) throw runUnknown(delegationId);
  return { run, past, lastSeq };
}

/** Folds what was stored since a run was loaded; what is known of it already is not read again. */
export function catchUp(journal: Journal, loaded: LoadedRun): void {
  const { run, past, lastSeq: after } = loaded;
  for (const { seq, event } of journal.read({ within: run.delegationId, after })) {
    foldStored(run, event);
    loaded.lastSeq = seq;
    remember(past, event, run.delegationId);
  }
}

/** Adds an event of one of the run's own children to what is known of that child. */
export function remember(past: LoadedRun["past"], event: StoredEvent, delegationId: string): void {
  if (!isChildEvent(event) || event.delegationId !== delegationId) return;
  const known = past.get(event.childId);
  if (known === undefined) past.set(event.childId, [event]);
  else known.push(event);
}

/** An id whose first part may be the beginning of one. */
function wholeId(journal: Journal, id: string): string {
  const rootId = rootIdOf(id);
  const isKnown = !isEmpty(journal.read({ delegationId: rootId, kinds: ["delegation-start"] }));
  return isKnown ? id : knownRoot(journal, id) + id.slice(rootId.length);
}

function knownRoot(journal: Journal, id: string): string {
  const rootId = rootIdOf(id);
  const matches = runIds(journal).filter((known) => rootId !== "" && known.startsWith(rootId));
  const [match] = matches;
  if (match !== undefined && matches.length === 1) return match;
  const found = matches.length === 0 ? "found none" : `${matches.length} match: ${matches.slice(0, 5).join(", ")}`;
  throw new DeputyError("run-unknown", `Expected the id of a run; found ${id}: ${found}. See: deputy runs`);
}

function runUnknown(delegationId: string): DeputyError {
  return new DeputyError("run-unknown", `There is no run ${delegationId}. See: deputy runs`);
}

function childUnknown(delegationId: string, count: number, id: string): DeputyError {
  return new DeputyError("run-unknown", `${delegationId} has ${count} children; found no ${id}.`);
}

function isEmpty(entries: Iterable<Entry>): boolean {
  for (const _ of entries) return false;
  return true;
}

export function ownerOf(journal: Journal, run: Run, pid: number): RunListing["owner"] {
  if (run.endedAt !== undefined) return "none";
  const owner = journal.owner(run.delegationId);
  if (owner === undefined || !owner.alive) return "dead";
  return owner.pid === pid ? "here" : "elsewhere";
}
