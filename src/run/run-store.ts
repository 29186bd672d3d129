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
export async function listRuns(
  journal: Journal,
  pid: number,
  newest = Number.POSITIVE_INFINITY,
): Promise<RunListing[]> {
  const ids = await runIds(journal);
  const listings: RunListing[] = [];
  for (const delegationId of ids.toReversed().slice(0, newest)) {
    const run = await listedRun(journal, delegationId);
    if (run === undefined) continue; // It was removed meanwhile.
    const owner = await ownerOf(journal, run, pid);
    // Whether it got further is not seen without its tool calls.
    const mayBeSetAside = setAsideReason({ run, owner }) !== undefined;
    listings.push({ run: mayBeSetAside ? (await loadRun(journal, delegationId)).run : run, owner });
  }
  return listings;
}

async function listedRun(journal: Journal, delegationId: string): Promise<Run | undefined> {
  let run: Run | undefined;
  for await (const { event } of journal.read({ within: delegationId, kinds: LISTED })) run = foldStored(run, event);
  return run;
}

/** Of the runs that no child made, oldest first. */
export function runIds(journal: Journal): Promise<string[]> {
  return Array.fromAsync(journal.read({ roots: true, kinds: ["delegation-start"] }), ({ event }) => event.delegationId);
}

/** Ids of the unfinished runs that a server owned when its process died, oldest first. */
export async function orphanedRuns(journal: Journal, server: string): Promise<string[]> {
  const left = new Set<string>();
  for await (const { event } of journal.read({ kinds: ["delegation-start", "delegation-resume", "delegation-end"] })) {
    if ("server" in event && event.server === server) left.add(event.delegationId);
    else left.delete(event.delegationId);
  }
  const orphaned: string[] = [];
  for (const delegationId of left) if (!(await isOwned(journal, delegationId))) orphaned.push(delegationId);
  return orphaned;
}

/** The same as `listRuns`, and each run that a child made, after the one it belongs to. */
export async function listAllRuns(journal: Journal, pid: number): Promise<RunListing[]> {
  const whole = (run: Run): Run[] => [run, ...run.children.flatMap(({ delegations }) => delegations.flatMap(whole))];
  const runs = (await listRuns(journal, pid)).flatMap(({ run }) => whole(run));
  return Promise.all(runs.map(async (run) => ({ run, owner: await ownerOf(journal, run, pid) })));
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
export async function findRun(journal: Journal, id: string, pid: number): Promise<FoundRun> {
  const { delegationId, taskIndex } = parseRunId(await wholeId(journal, id));
  const loaded = await loadRun(journal, delegationId);
  const { children } = loaded.run;
  if (taskIndex !== undefined && children[taskIndex] === undefined)
    throw childUnknown(delegationId, children.length, id);
  return { ...loaded, owner: await ownerOf(journal, loaded.run, pid) };
}

/** The id of the run that an id means, of which only the first event is read. @throws DeputyError as `findRun` */
export async function resolveRunId(journal: Journal, id: string): Promise<string> {
  const { delegationId, taskIndex } = parseRunId(await wholeId(journal, id));
  for await (const { event } of journal.read({ delegationId, kinds: ["delegation-start"] })) {
    const count = event.kind === "delegation-start" ? event.planned.length : 0;
    if (taskIndex !== undefined && taskIndex >= count) throw childUnknown(delegationId, count, id);
    return delegationId;
  }
  throw runUnknown(delegationId);
}

/** What is stored of a run and of those below it, or of one child alone, in the order it happened. */
export async function* eventsOf(journal: Journal, id: string, pid: number): AsyncGenerator<StoredEvent> {
  const { run } = await findRun(journal, id, pid);
  const { taskIndex } = parseRunId(id);
  const childId = taskIndex === undefined ? undefined : childIdOf(run.delegationId, taskIndex);
  const filter = childId === undefined ? { within: run.delegationId } : { delegationId: run.delegationId };
  for await (const { event } of journal.read(filter)) {
    if (childId === undefined || subjectOf(event) === childId) yield event;
  }
}

/** The child an event is about; undefined where it is about the whole run. */
function subjectOf(event: StoredEvent): string | undefined {
  if ("childId" in event) return event.childId;
  return "target" in event ? event.target : undefined;
}

/** A run as it is now, with what its children have delegated. @throws DeputyError `run-unknown` */
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

/** Folds what was stored since a run was loaded; what is known of it already is not read again. */
export async function catchUp(journal: Journal, loaded: LoadedRun): Promise<void> {
  const filter = { within: loaded.run.delegationId, after: loaded.lastSeq };
  for await (const entry of journal.read(filter)) foldNew(loaded, entry);
}

/** Folds an entry, unless the run holds it already: two may read on from one run at once. @returns whether it was new */
export function foldNew(loaded: LoadedRun, { seq, event }: Entry): boolean {
  if (seq <= loaded.lastSeq) return false;
  loaded.lastSeq = seq;
  foldStored(loaded.run, event);
  remember(loaded.past, event, loaded.run.delegationId);
  return true;
}

/** Adds an event of one of the run's own children to what is known of that child. */
export function remember(past: LoadedRun["past"], event: StoredEvent, delegationId: string): void {
  if (!isChildEvent(event) || event.delegationId !== delegationId) return;
  const known = past.get(event.childId);
  if (known === undefined) past.set(event.childId, [event]);
  else known.push(event);
}

/** An id whose first part may be the beginning of one. */
async function wholeId(journal: Journal, id: string): Promise<string> {
  const rootId = rootIdOf(id);
  const isKnown = !(await isEmpty(journal.read({ delegationId: rootId, kinds: ["delegation-start"] })));
  return isKnown ? id : (await knownRoot(journal, id)) + id.slice(rootId.length);
}

async function knownRoot(journal: Journal, id: string): Promise<string> {
  const rootId = rootIdOf(id);
  const matches = (await runIds(journal)).filter((known) => rootId !== "" && known.startsWith(rootId));
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

async function isEmpty(entries: AsyncIterable<Entry>): Promise<boolean> {
  for await (const _ of entries) return false;
  return true;
}

/** Whether a living process works on a run. */
export async function isOwned(journal: Journal, delegationId: string): Promise<boolean> {
  return (await journal.owner(delegationId))?.alive === true;
}

export async function ownerOf(journal: Journal, run: Run, pid: number): Promise<RunListing["owner"]> {
  if (run.endedAt !== undefined) return "none";
  const owner = await journal.owner(run.delegationId);
  if (owner === undefined || !owner.alive) return "dead";
  return owner.pid === pid ? "here" : "elsewhere";
}
