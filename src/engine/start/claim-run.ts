/** Claims runs: one living process at a time works on a run. */
import { DeputyError } from "../../errors.ts";
import type { Journal } from "../../journal/journal.ts";

/** Makes this process the owner of a run. @throws DeputyError `run-owned` */
export async function claimRun(journal: Journal, delegationId: string): Promise<void> {
  const claim = await journal.claim(delegationId);
  if (!claim.claimed) throw ownedBy(delegationId, claim.owner.pid);
}

export function ownedBy(delegationId: string, pid: number): DeputyError {
  return new DeputyError(
    "run-owned",
    `Run ${delegationId} is active in process ${pid}. See deputy show ${delegationId}, or stop it with: deputy stop ${delegationId}`,
  );
}
