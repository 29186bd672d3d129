/** Selects the runs that a journal may remove. A run and the delegations of its children stay or go together. */
import type { Journal } from "../journal/journal.ts";
import { isOver, type Run, rootIdOf } from "./run.ts";
import { isAtWork, listAllRuns, type RunListing } from "./run-store.ts";

export type PruneOptions = {
  /** Only runs without an event for this long, in milliseconds. */
  olderThanMs?: number;
  /** Keeps this many of the newest. */
  keep?: number;
  /** Includes runs that a resume could continue; never running ones. */
  unfinished?: boolean;
  /** Removes nothing, and returns what would be removed. */
  dryRun?: boolean;
};

/** Returns whether nothing is left of a run outside of the journal that only the journal explains. */
export type MayPrune = (root: string) => Promise<boolean>;

/** `delegationIds` includes a run's own delegations. `bytes` is the length of their events. */
export type Pruned = { runs: string[]; delegationIds: string[]; bytes: number; kept: number };

type RunFamily = { root: string; listings: RunListing[]; lastEventAt: number };

/**
 * Removes the selected runs; with `dryRun`, only returns them. @param now milliseconds since the epoch @param pid this
 * process
 */
export async function pruneRuns(
  journal: Journal,
  options: PruneOptions,
  { now, pid, mayPrune }: { now: number; pid: number; mayPrune: MayPrune },
): Promise<Pruned> {
  const listings = await listAllRuns(journal, pid);
  const families: RunFamily[] = [];
  for (const family of prunable(listings, options, now)) if (await mayPrune(family.root)) families.push(family);
  const asked = families.flatMap((family) => family.listings.map(({ run }) => run.delegationId));
  const bytes = new Map<string, number>();
  for (const delegationId of asked) bytes.set(delegationId, await sizeOf(journal, delegationId));
  const delegationIds = options.dryRun ? asked : await journal.remove(asked);
  return {
    runs: families.map(({ root }) => root).filter((root) => delegationIds.includes(root)),
    delegationIds,
    bytes: delegationIds.reduce((sum, delegationId) => sum + (bytes.get(delegationId) ?? 0), 0),
    kept: new Set(listings.map(({ run }) => rootIdOf(run.delegationId))).size - families.length,
  };
}

async function sizeOf(journal: Journal, delegationId: string): Promise<number> {
  let bytes = 0;
  for await (const { event } of journal.read({ delegationId })) bytes += Buffer.byteLength(JSON.stringify(event));
  return bytes;
}

/** Ids of the runs that may be removed, grouped by family, newest first. */
export function prunable(listings: readonly RunListing[], options: PruneOptions, now: number): RunFamily[] {
  const { olderThanMs = 0, keep = 0, unfinished = false } = options;
  const families = runFamiliesOf(listings).sort((one, other) => other.lastEventAt - one.lastEventAt);
  return families
    .slice(keep)
    .filter(({ lastEventAt }) => now - lastEventAt >= olderThanMs)
    .filter((family) => !family.listings.some(isAtWork))
    .filter(({ root, listings }) => unfinished || listings.every(({ run }) => isFinished(run, root)));
}

/** Groups runs by the run at their root: `abc.2.1` is a delegation of the run `abc`. */
function runFamiliesOf(listings: readonly RunListing[]): RunFamily[] {
  const families = new Map<string, RunFamily>();
  for (const listing of listings) {
    const { delegationId, lastEventAt } = listing.run;
    const root = rootIdOf(delegationId);
    const family = families.get(root) ?? { root, listings: [], lastEventAt: 0 };
    family.listings.push(listing);
    family.lastEventAt = Math.max(family.lastEventAt, lastEventAt);
    families.set(root, family);
  }
  return [...families.values()];
}

/** A child's delegation continues only with the run at its root. */
function isFinished(run: Run, root: string): boolean {
  return run.delegationId === root ? isOver(run) : run.endedAt !== undefined;
}
