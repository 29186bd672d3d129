/** Applies the work of a run's children to the user's working tree, to a new branch, or as a patch. */
import type { AppliedChild, ApplyReport, ApplyTarget, Concern } from "../../applying.ts";
import type { Clock } from "../../clock.ts";
import { DeputyError } from "../../errors.ts";
import type { StoredEvent } from "../../event.ts";
import type { Journal } from "../../journal/journal.ts";
import { branchOfChild, type RunBranch } from "../../run/branches.ts";
import { hasEnded, isRejected, minuteOf, parseRunId, type Run, type RunChild } from "../../run/run.ts";
import { present } from "../../values/present.ts";
import { applyBranches } from "../../worktree/apply/apply-branches.ts";
import type { Applied, BranchOutcome, BranchToApply } from "../../worktree/apply/apply-order.ts";
import { recoverInterrupted } from "../../worktree/apply/write-result.ts";
import type { Repository } from "../../worktree/repository.ts";
import type { Worktrees } from "../../worktree/worktrees.ts";
import type { CurrentRuns } from "../control/current-runs.ts";
import { placeOfBranch, withGitErrors } from "./branch-place.ts";
import { childrenMeant } from "./diff.ts";

export type ApplyOptions = {
  target: ApplyTarget;
  /** The directory that the user is in: its working tree is meant if its repository has the branches. */
  directory: string;
  isDryRun?: boolean;
  /**
   * Asks the user about what the change touches that takes effect by itself. Without it, such a change is declined.
   */
  confirm?: (concerns: readonly Concern[]) => Promise<boolean>;
  /** Who applies it, for the record. */
  by: string;
};

/** `patch`: with the target `patch`, as bytes. */
export type ApplyResult = { report: ApplyReport; patch: Buffer };

export type ApplyDeps = Pick<CurrentRuns, "find"> & {
  clock: Clock;
  journal: Journal;
  worktrees: Worktrees;
  /** Receives recorded events, for hooks. */
  tell(run: Run, events: readonly StoredEvent[]): void;
};

/**
 * Applies the completed children of a run, in task order, or one child, `ID.n`, however it ended. The first that does
 * not fit ends it.
 * @throws DeputyError `run-unknown` | `branch-unavailable`: nothing is changed then
 */
export async function applyRun(deps: ApplyDeps, id: string, options: ApplyOptions): Promise<ApplyResult> {
  const { run } = await deps.find(id);
  const meant = childrenMeant(run, id);
  const isOne = parseRunId(id).taskIndex !== undefined;
  const entries = meant.map((child) => entryFor(child, isOne));
  const candidates = entries.flatMap((entry) => ("branch" in entry ? [entry] : []));
  if (candidates.length === 0) throw nothingToApply(id, entries, isOne);
  const groups = await inRepositories(deps, candidates, options.directory);
  const outcomes = new Map<string, BranchOutcome>();
  const parts: (Applied & { repository: Repository })[] = [];
  const notes: string[] = [];
  for (const { repository, members } of groups) {
    if ([...outcomes.values()].some(isStop)) break;
    if (options.target.kind === "tree")
      notes.push(...(await withGitErrors(async () => recoverInterrupted(repository))));
    const applied = await applyGroup(deps, { repository, members }, options);
    for (const outcome of applied.outcomes) outcomes.set(outcome.childId, outcome);
    parts.push({ ...applied, repository });
    await record(deps, run, { applied, repository, members }, options);
  }
  const children = entries.map((entry) => appliedChild(entry, outcomes));
  const report: ApplyReport = {
    delegation_id: run.delegationId,
    target: options.target.kind,
    ...(options.target.kind === "branch" && { branch: options.target.name }),
    dry_run: options.isDryRun === true,
    complete: children.every(({ status }) => THERE.includes(status)),
    directories: parts.map(({ repository }) => repository.root),
    children,
    concerns: parts.flatMap(({ concerns }) => concerns),
    notes,
  };
  return { report, patch: Buffer.concat(parts.map(({ patch }) => patch ?? Buffer.alloc(0))) };
}

const THERE: readonly AppliedChild["status"][] = ["applied", "contained", "unchanged"];

function isStop({ status }: BranchOutcome): boolean {
  return status === "conflict" || status === "blocked" || status === "declined";
}

/** A child to apply, or why it is left out, as a clause. */
type ApplyEntry = { child: RunChild } & ({ branch: RunBranch } | { reason: string });

/** @param isOne it was asked for alone: then it does not matter how it ended */
function entryFor(child: RunChild, isOne: boolean): ApplyEntry {
  const { tally } = child;
  if (isRejected(child)) return { child, reason: "it did not start" };
  if (!hasEnded(child)) return { child, reason: "it has not ended: its work is on its branch when it has" };
  if (tally.worktree === undefined)
    return { child, reason: "it has no branch: it worked in your own tree (isolation: worktree gives it one)" };
  const branch = branchOfChild(tally);
  if (branch === undefined) return { child, reason: "its work could not be saved on a branch" };
  const status = tally.ending?.status ?? "rejected";
  if (!isOne && status !== "completed")
    return { child, reason: `it did not complete (${status}); deputy apply ${tally.childId} applies what it has done` };
  return { child, branch };
}

function nothingToApply(id: string, entries: readonly ApplyEntry[], isOne: boolean): DeputyError {
  const [first] = entries.flatMap((entry) => ("reason" in entry ? [entry] : []));
  if (isOne && first !== undefined)
    return new DeputyError("branch-unavailable", `${id} cannot be applied: ${first.reason}.`);
  const reasons = entries.flatMap((entry) =>
    "reason" in entry ? [`\n  ${entry.child.tally.childId}: ${entry.reason}`] : [],
  );
  return new DeputyError("branch-unavailable", `No child of ${id} can be applied.${reasons.join("")}`);
}

type RepositoryGroup = { repository: Repository; members: (ApplyEntry & { branch: RunBranch })[] };

/** In the order of their first children. */
async function inRepositories(
  { worktrees }: ApplyDeps,
  entries: readonly (ApplyEntry & { branch: RunBranch })[],
  directory: string,
): Promise<RepositoryGroup[]> {
  const groups = new Map<string, RepositoryGroup>();
  for (const entry of entries) {
    const repository = await placeOfBranch(worktrees, entry.branch, directory);
    if (worktrees.isCopy(repository.root))
      throw new DeputyError(
        "branch-unavailable",
        `${entry.branch.childId} worked in a copy of another child's copy. Its branch comes with the work of that child.`,
      );
    const group = groups.get(repository.root) ?? { repository, members: [] };
    group.members.push(entry);
    groups.set(repository.root, group);
  }
  return [...groups.values()];
}

function applyGroup(
  { worktrees }: ApplyDeps,
  { repository, members }: RepositoryGroup,
  { target, directory, isDryRun = false, confirm = async () => false }: ApplyOptions,
): Promise<Applied> {
  const branches = members.map((member) => toApply(member, repository.root, target));
  const order = { repository, target, directory, branches, isDryRun, confirm };
  return withGitErrors(() => applyBranches(worktrees.git, order));
}

/** Records what was written. */
async function record(
  { clock, journal, tell }: ApplyDeps,
  run: Run,
  { applied, repository, members }: RepositoryGroup & { applied: Applied },
  { target: to, isDryRun, by }: ApplyOptions,
): Promise<void> {
  if (isDryRun || to.kind === "patch") return;
  const done = new Set(applied.outcomes.flatMap(({ status, childId }) => (status === "applied" ? [childId] : [])));
  const events = members.flatMap(({ branch: { childId: target, head } }): StoredEvent[] => {
    const about = { at: clock.now(), delegationId: run.delegationId, directory: repository.root, by };
    return done.has(target) ? [{ kind: "branch-apply", ...about, target, head, to }] : [];
  });
  if (events.length === 0) return;
  await journal.append(events);
  tell(run, events);
}

function toApply(
  { child, branch }: RepositoryGroup["members"][number],
  root: string,
  target: ApplyTarget,
): BranchToApply {
  const { childId, start, head } = branch;
  const before = child.tally.applied.findLast(
    (each) => target.kind === "tree" && each.to.kind === "tree" && each.directory === root && each.head === head,
  );
  const goal = child.tally.planned.task.goal;
  const appliedBefore = before && `it was applied here before, at ${minuteOf(before.at)}, and has changed since`;
  return { childId, start, head, goal, ...present({ appliedBefore }) };
}

function appliedChild(entry: ApplyEntry, outcomes: ReadonlyMap<string, BranchOutcome>): AppliedChild {
  const { childId: child_id, taskIndex: task_index } = entry.child.tally;
  if ("reason" in entry) return { child_id, task_index, status: "skipped", reason: entry.reason };
  const facts = { child_id, task_index, branch: entry.branch.branch };
  const outcome = outcomes.get(child_id) ?? { status: "not-reached" as const };
  switch (outcome.status) {
    case "applied":
      return { ...facts, status: "applied", files: outcome.files };
    case "conflict":
      return {
        ...facts,
        status: "conflict",
        conflicts: outcome.files,
        ...present({ more_conflicts: outcome.more_files }),
      };
    case "blocked":
      return { ...facts, status: "blocked", obstacles: outcome.obstacles };
    default:
      return { ...facts, status: outcome.status };
  }
}
