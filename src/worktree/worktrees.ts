/** The working copies of children: planned, made or found again, saved and removed. */
import { existsSync, lstatSync, rmdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { basename, dirname } from "node:path";
import { branchOf, type SavedWork, type WorktreeFacts, type WorktreePlan } from "../isolation.ts";
import { realPathOf } from "../system/bound-paths.ts";
import type { Environment } from "../template.ts";
import { present } from "../values/present.ts";
import {
  alternatesText,
  copyAround,
  copyFolders,
  folderOf,
  readCopy,
  type WorkCopy,
  writeRecord,
} from "./copy-record.ts";
import { type CopyOrder, createCopy } from "./create-copy.ts";
import { createGit, type Git } from "./git.ts";
import { branchHead, keptIn, releaseBase } from "./owner-refs.ts";
import { createWorktreePlanner, type PlanWorktree } from "./plan-worktree.ts";
import { copyRefs, userRefs } from "./ref-store.ts";
import { isRemains, removeFolder } from "./remove-copy.ts";
import { copyRepository, type Repository, userRepository } from "./repository.ts";
import { saveWork } from "./save-work.ts";

export type Worktrees = {
  /** Runs git, for what reads the user's repository. */
  git: Git;
  /** Plans the copies of one call. */
  planner(): PlanWorktree;
  /** The repository around a directory: of the user's, or a copy as the repository of copies below it. @throws GitError */
  repository(directory: string, signal?: AbortSignal): Promise<Repository>;
  /** Returns whether a directory is in a copy. */
  isCopy(directory: string): boolean;
  /** Makes a child's copy, or finds it again. @throws GitError, or an error of the system */
  open(order: OpenOrder, signal?: AbortSignal): Promise<OpenedCopy>;
  /** Notes that `isolation_setup` has run. */
  markSetUp(copy: WorkCopy): void;
  /** @throws GitError, or an error of the system */
  save(copy: WorkCopy, message: string): Promise<SavedWork>;
  /** Removes a copy, all of whose work is in its repository, and what kept its base. @throws as `save` */
  remove(copy: WorkCopy): Promise<void>;
  /** Children whose copies are copies of this one, and need it. */
  dependents(copy: WorkCopy): string[];
  /** The copies that there are, of all runs. */
  copies(): WorkCopy[];
  /** What is left of copies that were being made or removed: the folders, each with its child. */
  remains(): { childId: string; folder: string }[];
  removeRemains(folder: string): Promise<void>;
  /** Children without a copy for whom a repository still keeps a base. */
  keptBases(repository: string): Promise<string[]>;
  releaseBase(repository: string, childId: string): Promise<void>;
};

export type OpenOrder = {
  childId: string;
  plan: WorktreePlan;
  /** What was saved of the child before, and the commit that it had started on. */
  saved?: { branch: string; start: string } | undefined;
};

export type OpenedCopy = { copy: WorkCopy; facts: WorktreeFacts; notes: string[] };

/** @param directory of all copies */
export function createWorktrees({
  env,
  directory: given,
  pid,
}: {
  env: Environment;
  directory: string;
  pid: number;
}): Worktrees {
  const git = createGit(env);
  const directory = realPathOf(given);
  const inTurn = createTurns(availableParallelism());
  const repositoryAt = (path: string, signal?: AbortSignal) => {
    const copy = copyAround(directory, path);
    return copy === undefined ? userRepository(git, path, signal) : copyRepository(git, copy, signal);
  };
  /** The refs of the repository that a copy belongs to. */
  const refsAt = (repository: string) => {
    const copy = copyAround(directory, repository);
    return copy === undefined ? userRefs(git, repository) : copyRefs(copy.tree, alternatesText(copy));
  };

  async function open({ childId, plan, saved }: OpenOrder, signal?: AbortSignal): Promise<OpenedCopy> {
    const folder = folderOf(directory, childId);
    const known = readCopy(folder);
    if (known !== undefined && isDirectory(known.tree)) {
      const copy = { ...known, pid };
      writeRecord(copy);
      return { copy, facts: factsOf(copy, plan, { resumed: "kept" }), notes: [] };
    }
    const branch = known?.branch ?? saved?.branch ?? branchOf(childId, plan.slug);
    const isAgain = known !== undefined || saved !== undefined;
    const repository = await repositoryAt(plan.repository, signal);
    const head = isAgain ? await branchHead(repository.refs, branch) : undefined;
    if (existsSync(folder)) await removeFolder(folder);
    const start = known?.start ?? saved?.start ?? plan.base;
    const order: CopyOrder = { childId, folder, branch, plan, pid, saved: head === undefined ? head : { head, start } };
    const { copy, include } = await inTurn(() => createCopy(git, repository, order, signal));
    const notes = [
      ...include.missing.map((path) => `isolation_include: there is no ${path} in ${plan.repository}.`),
      ...include.skipped.map((path) => `isolation_include: ${path} leads out of ${plan.repository}, and was left out.`),
    ];
    const more = { included: include.included, ...(isAgain && ({ resumed: "branch" } as const)) };
    return { copy, facts: factsOf(copy, plan, more), notes };
  }

  function copies(): WorkCopy[] {
    return copyFolders(directory).flatMap((folder) => (isRemains(folder) ? [] : (readCopy(folder) ?? [])));
  }

  async function remove(copy: WorkCopy): Promise<void> {
    await removeFolder(copy.folder);
    removeIfEmpty(dirname(copy.folder));
    if (existsSync(copy.repository)) await releaseBase(refsAt(copy.repository), copy.childId);
  }

  return {
    git,
    planner: () => createWorktreePlanner(git, repositoryAt),
    repository: repositoryAt,
    isCopy: (path) => copyAround(directory, path) !== undefined,
    open,
    markSetUp(copy) {
      copy.isSetUp = true;
      writeRecord(copy);
    },
    save: (copy, message) => inTurn(() => saveWork({ git, refs: refsAt(copy.repository) }, copy, message)),
    remove,
    copies,
    dependents: ({ tree }) => copies().flatMap(({ repository, childId }) => (repository === tree ? [childId] : [])),
    remains: () =>
      copyFolders(directory)
        .filter(isRemains)
        .map((folder) => ({ childId: childIdIn(folder), folder })),
    async removeRemains(folder) {
      await removeFolder(folder);
      removeIfEmpty(dirname(folder));
    },
    async keptBases(repository) {
      const kept = existsSync(repository) ? await keptIn(refsAt(repository)) : [];
      return kept.filter((childId) => !existsSync(folderOf(directory, childId)));
    },
    releaseBase: (repository, childId) => releaseBase(refsAt(repository), childId),
  };
}

function factsOf(
  { tree, repository, subdirectory, branch, base, start }: WorkCopy,
  { baseName }: WorktreePlan,
  { included = [], resumed }: Pick<WorktreeFacts, "included" | "resumed">,
): WorktreeFacts {
  return {
    ...{ path: tree, repository, subdirectory, branch, base, baseName },
    ...(start !== base && { carried: start }),
    ...(included.length > 0 && { included }),
    ...present({ resumed }),
  };
}

/** `…/abc/2.new` belongs to the child `abc.2`. */
function childIdIn(folder: string): string {
  return `${basename(dirname(folder))}.${basename(folder).split(".", 1)[0]}`;
}

function isDirectory(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** The folder of a run, once it has no copy. */
function removeIfEmpty(directory: string): void {
  try {
    rmdirSync(directory);
  } catch {
    // Another child has its copy there.
  }
}

/** Runs at most this many jobs at a time: more would only slow each other down. */
function createTurns(most: number) {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async <Value>(job: () => Promise<Value>): Promise<Value> => {
    if (running >= most) await new Promise<void>((resolve) => waiting.push(resolve));
    else running += 1;
    try {
      return await job();
    } finally {
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
}
