/** At the end of a run, records which branches of its children do not merge with each other. */
import type { SiblingConflict } from "../../conflict.ts";
import { errorMessage } from "../../errors.ts";
import { branchesIn, type RunBranch } from "../../run/branches.ts";
import type { Run } from "../../run/run.ts";
import { siblingConflicts } from "../../worktree/merge/sibling-conflicts.ts";
import type { Worktrees } from "../../worktree/worktrees.ts";
import type { Recorder } from "./recorder.ts";
import type { Services } from "./services.ts";

/** Longest comparison, in milliseconds: a run must not wait for it forever. */
const LONGEST_MS = 60_000;

/** Records nothing without two branches that could collide. Never rejects, unless the journal fails. */
export async function recordConflicts(
  { clock, worktrees, logError }: Pick<Services, "clock" | "worktrees" | "logError">,
  run: Run,
  recorder: Recorder,
): Promise<void> {
  const branches = branchesIn(run);
  if (branches.length < 2) return;
  const { delegationId } = run;
  const compared = branches.map(({ childId }) => childId);
  const found = await compare(worktrees, branches).catch((error: unknown) => {
    logError(delegationId, error);
    return { conflicts: [], error: errorMessage(error) };
  });
  await recorder.record({ kind: "conflict-check", at: clock.now(), delegationId, compared, ...found });
}

/** Working trees of one repository share its branches. */
async function compare(
  { git, repository: repositoryAt }: Worktrees,
  branches: readonly RunBranch[],
): Promise<{ conflicts: SiblingConflict[] }> {
  const signal = AbortSignal.timeout(LONGEST_MS);
  const roots = [...new Set(branches.map(({ repository }) => repository))];
  const repositories = await Promise.all(roots.map((root) => repositoryAt(root, signal)));
  const conflicts: SiblingConflict[] = [];
  for (const [index, repository] of repositories.entries()) {
    const same = repositories.flatMap(({ objects }, at) => (objects === repository.objects ? [at] : []));
    if (same[0] !== index) continue;
    const own = branches.filter((branch) => same.includes(roots.indexOf(branch.repository)));
    conflicts.push(...(await siblingConflicts(git, repository, own, signal)));
  }
  return { conflicts };
}
