/**
 * A run that takes its server down at the same place again and again: the next server does not go on with it, or it would
 * be down too. It is read from the events: how often a server went on with the run since anything in it got further.
 */
import { hasEnded, type Run, type RunChild, wasCutOff } from "./run.ts";

/** The children at which a run crashed its server more than once. */
function crashSites(run: Run): RunChild[] {
  if (!wasCutOff(run)) return [];
  // One that sleeps until its quota is there again takes nobody down.
  const open = run.children.filter((child) => !hasEnded(child) && child.tally.pausedUntil === undefined);
  if (run.resumedHere > 0) return open;
  // The others got further meanwhile: it may be chance once, but not twice.
  return open.filter(({ resumedHere, tally }) => resumedHere > 1 && tally.startedAt !== undefined);
}

/** Why no server goes on with a run, and what to do; undefined where one does. */
export function setAsideReason({ run, owner }: { run: Run; owner: string }): string | undefined {
  if (owner !== "dead") return undefined;
  const sites = crashSites(run);
  const [first] = sites;
  if (first === undefined) return undefined;
  const others = sites.length === 1 ? "" : ` and ${sites.length - 1} more`;
  const { childId } = first.tally;
  return `${run.delegationId} is not resumed automatically: the server crashed more than once at the same place (${childId}: ${first.activity}${others}). Try again with: deputy resume ${run.delegationId}`;
}
