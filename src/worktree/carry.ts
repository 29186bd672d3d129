/** Carries the uncommitted and untracked state of a repository into a new copy, as a commit that only the copy has. */
import { lstatSync } from "node:fs";
import { copyFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { WorkCopy } from "./copy-record.ts";
import type { Git } from "./git.ts";
import { viewCommand } from "./git-view.ts";
import type { Repository } from "./repository.ts";
import { stage, trackedOnlyIn } from "./stage.ts";

/**
 * The user's index is copied, not changed. @returns the commit that the child starts on: the base if nothing is
 * uncommitted
 */
export async function carryState(
  git: Git,
  copy: WorkCopy,
  { root, gitDir, objects, beyond }: Repository,
): Promise<string> {
  const index = join(copy.view, "carried-index");
  const users = join(gitDir, "index");
  if (lstatSync(users, { throwIfNoEntry: false })?.isFile()) await copyFile(users, index);
  const command = viewCommand(
    { view: copy.view, tree: root, objects: [objects, ...beyond] },
    { index, objects: join(copy.tree, ".git", "objects"), identity: copy.identity },
  );
  try {
    const forced = await trackedOnlyIn(git, users, command);
    const isUsable = (await git.run(["read-tree", "-m", copy.base], command)).exitCode === 0;
    if (!isUsable) {
      await rm(index, { force: true });
      await git.output(["read-tree", copy.base], command);
    }
    await stage(git, command, forced);
    const tree = (await git.output(["write-tree"], command)).trim();
    const before = (await git.output(["rev-parse", `${copy.base}^{tree}`], command)).trim();
    if (tree === before) return copy.base;
    const message = `Uncommitted state of ${root}\n\nDeputy carried it into the working copy of ${copy.childId}.\n`;
    return (await git.output(["commit-tree", tree, "-p", copy.base], { ...command, input: message })).trim();
  } finally {
    await rm(index, { force: true });
  }
}
