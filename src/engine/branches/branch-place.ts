/** The repository that has the branches of children, and errors of git as errors of the caller. */
import { existsSync } from "node:fs";
import { DeputyError } from "../../errors.ts";
import { GitError } from "../../worktree/git.ts";
import type { Repository } from "../../worktree/repository.ts";
import type { Worktrees } from "../../worktree/worktrees.ts";

/** Commits of a child that a repository must have. */
export type NeededCommits = { childId: string; repository: string; start: string; head: string };

/**
 * Finds the repository that has the work of a child: the one around a directory if it has the commits, else the one that
 * the child's copy was made of.
 * @throws DeputyError `branch-unavailable`
 */
export async function placeOfBranch(
  worktrees: Worktrees,
  needed: NeededCommits,
  directory: string | undefined,
): Promise<Repository> {
  const { repository: recorded, childId } = needed;
  if (directory !== undefined) {
    const here = await worktrees.repository(directory).catch(() => undefined);
    if (here !== undefined && (await hasCommits(worktrees, here, needed))) return here;
  }
  if (!existsSync(recorded))
    throw new DeputyError("branch-unavailable", `The repository of ${childId}, ${recorded}, does not exist any more.`);
  const repository = await withGitErrors(() => worktrees.repository(recorded));
  if (await hasCommits(worktrees, repository, needed)) return repository;
  throw new DeputyError(
    "branch-unavailable",
    `${recorded} does not have the commits of ${childId} any more: its branch was deleted, and git has removed them.`,
  );
}

async function hasCommits({ git }: Worktrees, { place }: Repository, { start, head }: NeededCommits): Promise<boolean> {
  const input = `${start}^{tree}\n${head}^{tree}\n`;
  const { exitCode, stdout } = await git.run(["cat-file", "--batch-check"], { ...place, input });
  return exitCode === 0 && !/ missing$/m.test(stdout.toString("utf8"));
}

/** @throws DeputyError `branch-unavailable` for an error of git */
export async function withGitErrors<Value>(work: () => Promise<Value>): Promise<Value> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof GitError)) throw error;
    throw new DeputyError("branch-unavailable", error.message, { cause: error });
  }
}
