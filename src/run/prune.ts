/** Which runs a journal may lose. A run and the delegations its children made are one: they stay or go together. */
import type { Journal } from "../journal/journal.ts";
import { canGoOn, rootIdOf } from "./run.ts";
import { listAllRuns, type RunListing } from "./run-store.ts";

export type PruneOptions = {
  /** Only runs in which nothing has happened for so long, in milliseconds. */
  olderThanMs?: number;
  /** All but so many of the newest. */
  keep?: number;
  /** Also those that a resume could go on with; never those at work. */
  unfinished?: boolean;
  /** Removes nothing, and tells what would go. */
  dryRun?: boolean;
};

/** `delegationIds` counts a run's own delegations too. `bytes` is the length of their events. */
export type Pruned = { runs: string[]; delegationIds: string[]; bytes: number; kept: number };

type RunFamily = { root: string; listings: RunListing[]; lastEventAt: number };

/** Removes what may go; with `dryRun` only tells of it. @param now milliseconds since the epoch @param pid this process */
export async function pruneRuns(journal: Journal, options: PruneOptions, now: number, pid: number): Promise<Pruned> {
  const listings = await listAllRuns(journal, pid);
  const families = prunable(listings, options, now);
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

/** Ids of what may go: by family, newest first. */
export function prunable(listings: readonly RunListing[], options: PruneOptions, now: number): RunFamily[] {
  const { olderThanMs = 0, keep = 0, unfinished = false } = options;
  const families = runFamiliesOf(listings).sort((one, other) => other.lastEventAt - one.lastEventAt);
  return families
    .slice(keep)
    .filter(({ lastEventAt }) => now - lastEventAt >= olderThanMs)
    .filter((family) => family.listings.every(({ owner }) => owner !== "here" && owner !== "elsewhere"))
    .filter(({ root, listings }) => unfinished || listings.every((listing) => isOver(listing, root)));
}

/** By the run that began it: `abc.2.1` is a delegation of the run `abc`. */
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

/** What a child delegated goes on with the run at its root, and with nothing else. */
function isOver({ run }: RunListing, root: string): boolean {
  return run.endedAt !== undefined && (run.delegationId !== root || !run.children.some(canGoOn));
}
