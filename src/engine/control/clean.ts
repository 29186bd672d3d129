/**
 * Removes working copies that nobody needs: what is not saved yet is saved first, and a copy stays if its run is at work,
 * its child has not ended, or it holds anything that its repository does not.
 */
import type { Clock } from "../../clock.ts";
import { DeputyError, errorMessage } from "../../errors.ts";
import type { SavedWork } from "../../isolation.ts";
import type { Journal } from "../../journal/journal.ts";
import { allChildren, hasEnded, parseRunId, type Run, rootIdOf } from "../../run/run.ts";
import { isAtWork } from "../../run/run-store.ts";
import type { WorkCopy } from "../../worktree/copy-record.ts";
import type { Worktrees } from "../../worktree/worktrees.ts";
import type { LogError } from "../setup/error-log.ts";
import { saveMessage } from "../work/workplace.ts";
import type { CurrentRuns, FoundRun } from "./current-runs.ts";

export type CleanOptions = {
  /** Only the copies of this run, or of this child, and of what is below it. */
  id?: string;
  /** Only says what would be removed. */
  dryRun?: boolean;
};

export type CleanedCopy = { childId: string; path: string; repository: string; branch: string };
/** `refs`: children whose base was still kept in a repository although their copy is gone. */
export type Cleaned = { removed: CleanedCopy[]; kept: (CleanedCopy & { reason: string })[]; refs: string[] };

export type CleanDeps = Pick<CurrentRuns, "find"> & {
  clock: Clock;
  journal: Journal;
  worktrees: Worktrees;
  logError: LogError;
};

export async function cleanCopies(deps: CleanDeps, { id, dryRun = false }: CleanOptions): Promise<Cleaned> {
  const { worktrees } = deps;
  const isMeant = (childId: string) => id === undefined || childId === id || childId.startsWith(`${id}.`);
  const runs = createRuns(deps);
  const cleaned: Cleaned = { removed: [], kept: [], refs: [] };
  // A copy of a copy is saved in the one above it, and goes first.
  const copies = worktrees.copies().filter(({ childId }) => isMeant(childId));
  for (const copy of copies.toSorted((one, other) => other.childId.length - one.childId.length)) {
    const found = await runs(copy.childId);
    const reason = whyNeeded(copy, found) ?? (dryRun ? undefined : await removeSaved(deps, copy, found));
    const { childId, tree: path, repository, branch } = copy;
    const shown = { childId, path, repository, branch };
    if (reason === undefined) cleaned.removed.push(shown);
    else cleaned.kept.push({ ...shown, reason });
  }
  if (dryRun) return cleaned;
  await removeRemains(deps, isMeant, runs);
  for (const repository of new Set(copies.map((copy) => copy.repository)))
    cleaned.refs.push(...(await releaseUnused(deps, repository, isMeant, runs)));
  return cleaned;
}

type Runs = (childId: string) => Promise<FoundRun | undefined>;

/** Finds the run at the root of a child's tree, once; undefined if the journal does not have it. */
function createRuns({ find }: Pick<CleanDeps, "find">): Runs {
  const known = new Map<string, Promise<FoundRun | undefined>>();
  return (childId) => {
    const root = rootIdOf(childId);
    const found = known.get(root) ?? find(root).catch(unknown);
    known.set(root, found);
    return found;
  };
}

function unknown(error: unknown): undefined {
  if (!(error instanceof DeputyError)) throw error;
  return undefined;
}

function whyNeeded({ childId, pid }: WorkCopy, found: FoundRun | undefined): string | undefined {
  if (found === undefined)
    return pid !== process.pid && isAlive(pid) ? `process ${pid} may use it; this journal has no such run` : undefined;
  if (isAtWork(found)) return `run ${rootIdOf(childId)} is active`;
  const child = childIn(found.run, childId);
  if (child === undefined || hasEnded(child)) return undefined;
  return `its child has not ended: deputy resume ${rootIdOf(childId)}, or deputy stop ${rootIdOf(childId)}`;
}

function childIn(run: Run, childId: string) {
  return allChildren(run).find(({ tally }) => tally.childId === childId);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Saves what is left in a copy, and removes it. @returns why it stays, if it does */
async function removeSaved(deps: CleanDeps, copy: WorkCopy, found: FoundRun | undefined): Promise<string | undefined> {
  const { journal, worktrees, logError } = deps;
  const root = rootIdOf(copy.childId);
  if (found !== undefined && !(await journal.claim(root)).claimed) return `run ${root} is active`;
  try {
    const saved = await worktrees.save(copy, saveMessage(copy.childId, goalOf(copy.childId, found)));
    if (found !== undefined) await recordSave(deps, copy.childId, saved);
    if (saved.unsaved !== undefined) return saved.unsaved.join("; ");
    const [dependent] = worktrees.dependents(copy);
    if (dependent !== undefined) return `the copy of ${dependent} needs it`;
    await worktrees.remove(copy);
    return undefined;
  } catch (error) {
    logError(copy.childId, error);
    return errorMessage(error);
  } finally {
    if (found !== undefined) await journal.release(root);
  }
}

function goalOf(childId: string, found: FoundRun | undefined): string | undefined {
  return found && childIn(found.run, childId)?.tally.planned.task.goal;
}

/** So that the child's result names the branch, whoever closed its run. */
async function recordSave({ journal, clock }: CleanDeps, childId: string, saved: SavedWork): Promise<void> {
  const { delegationId } = parseRunId(childId);
  await journal.append([{ kind: "worktree-save", at: clock.now(), delegationId, childId, ...saved }]);
}

async function removeRemains(
  { worktrees }: CleanDeps,
  isMeant: (childId: string) => boolean,
  runs: Runs,
): Promise<void> {
  for (const { childId, folder } of worktrees.remains().filter((each) => isMeant(each.childId))) {
    const found = await runs(childId);
    if (found === undefined || !isAtWork(found)) await worktrees.removeRemains(folder);
  }
}

async function releaseUnused(
  { worktrees }: CleanDeps,
  repository: string,
  isMeant: (childId: string) => boolean,
  runs: Runs,
): Promise<string[]> {
  const released: string[] = [];
  for (const childId of await worktrees.keptBases(repository)) {
    const found = isMeant(childId) ? await runs(childId) : undefined;
    if (found === undefined || isAtWork(found)) continue;
    await worktrees.releaseBase(repository, childId);
    released.push(childId);
  }
  return released;
}
