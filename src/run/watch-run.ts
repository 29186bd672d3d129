/**
 * Follows a run in any process, with every run below it, until it ends or no process works on it. Stored events are
 * read once: from the first one, or from the state of a loaded run.
 */
import type { Clock } from "../clock.ts";
import type { StoredEvent } from "../event.ts";
import type { Entry, Journal } from "../journal/journal.ts";
import { foldRun, type Run, type RunUpdate } from "./run.ts";
import { assertKnownFormat } from "./run-format.ts";
import { foldNew, isOwned, type LoadedRun } from "./run-store.ts";

/** Interval between checks whether the owner is alive, in milliseconds. */
const LOOK_MS = 1_000;
/** Consecutive checks without an owner after which it counts as dead, and no other process is about to take over. */
const PATIENCE = 3;

type WatchDeps = { journal: Journal; clock: Clock };

/** Yields every stored event from the first on. @throws DeputyError `run-newer` */
export async function* watchRun(
  deps: WatchDeps,
  delegationId: string,
  signal: AbortSignal,
): AsyncGenerator<StoredEvent> {
  let after = 0;
  let hasEnded = false;
  for await (const { seq, event } of deps.journal.read({ within: delegationId })) {
    if (signal.aborted) return;
    assertKnownFormat(event);
    yield event;
    after = seq;
    hasEnded = hasEndedAfter(event, delegationId, hasEnded);
  }
  if (hasEnded) return;
  for await (const { event } of newEntries(deps, delegationId, after, signal)) {
    assertKnownFormat(event);
    yield event;
  }
}

/** Like `watchRun`, each event with the run as folded so far. */
export async function* replayRun(
  deps: WatchDeps,
  delegationId: string,
  signal: AbortSignal,
): AsyncGenerator<RunUpdate> {
  let run: Run | undefined;
  for await (const event of watchRun(deps, delegationId, signal)) {
    run = foldRun(run, event);
    yield { event, run };
  }
}

/** Yields new events of a loaded run, folded into it. */
export async function* followRun(deps: WatchDeps, loaded: LoadedRun, signal: AbortSignal): AsyncGenerator<RunUpdate> {
  const { run } = loaded;
  if (run.endedAt !== undefined) return;
  for await (const entry of newEntries(deps, run.delegationId, loaded.lastSeq, signal))
    if (foldNew(loaded, entry)) yield { event: entry.event, run };
}

async function* newEntries(
  { journal, clock }: WatchDeps,
  delegationId: string,
  after: number,
  signal: AbortSignal,
): AsyncGenerator<Entry> {
  const abandoned = new AbortController();
  const over = new AbortController();
  lookForOwner({ journal, clock }, delegationId, () => abandoned.abort(), over.signal).catch(() => {}); // The journal was closed meanwhile.
  let last = after;
  try {
    const either = AbortSignal.any([signal, abandoned.signal]);
    for await (const entry of journal.watch({ within: delegationId, after }, either)) {
      last = entry.seq;
      yield entry;
      if (hasEndedAfter(entry.event, delegationId, false)) return;
    }
    if (signal.aborted || !abandoned.signal.aborted) return;
    yield* journal.read({ within: delegationId, after: last });
  } finally {
    over.abort();
  }
}

/** A request may follow the end, and an end that was followed by a resume was not final. */
function hasEndedAfter(event: StoredEvent, delegationId: string, hadEnded: boolean): boolean {
  if (event.delegationId !== delegationId) return hadEnded;
  if (event.kind === "delegation-end") return true;
  return event.kind === "delegation-resume" ? false : hadEnded;
}

async function lookForOwner(
  { journal, clock }: WatchDeps,
  delegationId: string,
  abandon: () => void,
  signal: AbortSignal,
): Promise<void> {
  for (let missing = 0; missing < PATIENCE; ) {
    missing = (await isOwned(journal, delegationId)) ? 0 : missing + 1;
    if (!(await slept(clock, signal))) return;
  }
  abandon();
}

/** Resolves with true after the wait; false if the signal aborted first. */
function slept(clock: Clock, signal: AbortSignal): Promise<boolean> {
  return clock.sleep(LOOK_MS, signal).then(
    () => true,
    () => false,
  );
}
