/**
 * Detects a run that crashes its server at the same place again and again: the next server does not continue it, or it
 * would crash too. The events show how often a server resumed the run since anything in it made progress.
 */
import { hasEnded, type Run, type RunChild, wasCutOff } from "./run.ts";

/** The children at which a run crashed its server more than once. */
function crashSites(run: Run): RunChild[] {
  if (!wasCutOff(run)) return [];
  // A child that pauses for a quota cannot be the cause.
  const open = run.children.filter((child) => !hasEnded(child) && child.tally.pausedUntil === undefined);
  if (run.resumedHere > 0) return open;
  // The others have made progress since: a crash may be chance once, but not twice.
  return open.filter(({ resumedHere, tally }) => resumedHere > 1 && tally.startedAt !== undefined);
}

/** Explains why servers do not continue a run, and what to do; undefined if they do. */
export function setAsideReason({ run, owner }: { run: Run; owner: string }): string | undefined {
  if (owner !== "dead") return undefined;
  const sites = crashSites(run);
  const [first] = sites;
  if (first === undefined) return undefined;
  const others = sites.length === 1 ? "" : ` and ${sites.length - 1} more`;
  const { childId } = first.tally;
  return `${run.delegationId} is not resumed automatically: the server crashed more than once at the same place (${childId}: ${first.activity}${others}). Try again with: deputy resume ${run.delegationId}`;
}
