/**
 * A run's stored events as they come, and those of every run below it, in whatever process it is: ends with the run, or
 * where nobody works on it.
 */
import type { Clock } from "../clock.ts";
import type { StoredEvent } from "../event.ts";
import type { Journal } from "../journal/journal.ts";

/** How often to look whether the owner lives, in milliseconds. */
const LOOK_MS = 1_000;
/** So many looks in a row without an owner: it is dead, and no other is just about to take over. */
const PATIENCE = 3;

export async function* watchRun(
  { journal, clock }: { journal: Journal; clock: Clock },
  delegationId: string,
  signal: AbortSignal,
): AsyncGenerator<StoredEvent> {
  const lastSeq = newestOf(journal, delegationId);
  const abandoned = new AbortController();
  const over = new AbortController();
  lookForOwner({ journal, clock }, delegationId, () => abandoned.abort(), over.signal).catch(() => {}); // Closed meanwhile.
  let hasEnded = false;
  let last = 0;
  try {
    const either = AbortSignal.any([signal, abandoned.signal]);
    for await (const { seq, event } of journal.watch({ within: delegationId }, either)) {
      last = seq;
      yield event;
      // A request may come after the end, and an end that a resume came after was not the end.
      if (event.delegationId === delegationId) hasEnded = isEndAfter(event, hasEnded);
      if (hasEnded && seq >= lastSeq) return;
    }
    if (signal.aborted || !abandoned.signal.aborted) return;
    for (const { event } of journal.read({ within: delegationId, after: last })) yield event;
  } finally {
    over.abort();
  }
}

function isEndAfter({ kind }: StoredEvent, hadEnded: boolean): boolean {
  if (kind === "delegation-end") return true;
  return kind === "delegation-resume" ? false : hadEnded;
}

async function lookForOwner(
  { journal, clock }: { journal: Journal; clock: Clock },
  delegationId: string,
  abandon: () => void,
  signal: AbortSignal,
): Promise<void> {
  for (let missing = 0; missing < PATIENCE; ) {
    missing = journal.owner(delegationId)?.alive ? 0 : missing + 1;
    if (!(await slept(clock, signal))) return;
  }
  abandon();
}

/** Whether the time has passed; false where the signal aborted first. */
function slept(clock: Clock, signal: AbortSignal): Promise<boolean> {
  return clock.sleep(LOOK_MS, signal).then(
    () => true,
    () => false,
  );
}

function newestOf(journal: Journal, delegationId: string): number {
  let newest = 0;
  for (const { seq } of journal.read({ within: delegationId })) newest = seq;
  return newest;
}
