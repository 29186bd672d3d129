/** Writes a result into the user's working tree, if the tree is still as it was when it was read. */
import { statSync } from "node:fs";
import { join } from "node:path";
import type { Obstacle } from "../../applying.ts";
import { isWithin } from "../../values/path-within.ts";
import { GitError } from "../git.ts";
import { bytesOfPath, textOf } from "../git-path.ts";
import { pathInput, type Scratch } from "../merge/scratch.ts";
import type { TreeChange } from "../merge/tree-changes.ts";
import type { Repository } from "../repository.ts";
import { findObstacles } from "./obstacles.ts";
import { recoverTree, type TreePlace } from "./take-back.ts";
import type { TreeState } from "./tree-state.ts";
import { ChangedMeanwhile, writeTree } from "./tree-writer.ts";

export type ResultToWrite = {
  state: TreeState;
  changes: readonly TreeChange[];
  /** Tree of the result. */
  after: string;
  /** A directory that is not removed if it gets empty: the user is in it. */
  keep: string;
};

/** @returns what has come in its way meanwhile; nothing is changed then */
export async function writeResult(
  scratch: Scratch,
  { state, changes, after, keep }: ResultToWrite,
): Promise<Obstacle[]> {
  const { repository, directory, runInTree } = scratch;
  const { root } = repository;
  const index = join(directory, "result-index");
  const written = changes.filter((change) => change.after !== undefined).map(({ path }) => path);
  const obstacles: Obstacle[] = [];
  try {
    await writeTree(placeOf(repository), {
      steps: changes.map((change) => ({ path: change.path, isDeleted: change.after === undefined })),
      async fill(target) {
        await runInTree(["read-tree", after], { index });
        const args = ["checkout-index", "--quiet", "-z", "--stdin", `--prefix=${target}/`];
        await runInTree(args, { index, ...pathInput(written) });
      },
      async check() {
        const changed = await state.changedSince();
        for (const { path } of changes) if (changed.has(path)) throw new ChangedMeanwhile(path);
        obstacles.push(...(await findObstacles(scratch, state, changes, after)));
        if (obstacles.length > 0) throw new Obstructed();
      },
      keeps: (path) => isWithin(join(root, bytesOfPath(path).toString("utf8")), keep),
    });
  } catch (error) {
    if (error instanceof ChangedMeanwhile) return [{ path: textOf(error.path), reason: "it changed meanwhile" }];
    if (error instanceof Obstructed) return obstacles;
    throw error;
  }
  return [];
}

class Obstructed extends Error {}

/** Files can only be moved into the tree within its file system. */
export function placeOf({ root, gitDir }: Pick<Repository, "root" | "gitDir">): TreePlace {
  return { root, folder: statSync(gitDir).dev === statSync(root).dev ? gitDir : root };
}

/**
 * Takes back what an apply whose process was killed has left half-written.
 * @returns notes for the user @throws GitError if another process is writing
 */
export function recoverInterrupted(repository: Pick<Repository, "root" | "gitDir">): string[] {
  const { busy, takenBack, left } = recoverTree(placeOf(repository));
  if (busy !== undefined) throw new GitError(`Process ${busy} is applying changes to ${repository.root} right now.`);
  if (!takenBack) return [];
  return [
    `An earlier deputy apply was killed before it had written everything. What it had written to ${repository.root} was taken back.`,
    ...left.map(({ path, kept }) => `${path} was changed since, and stays as it is. Its earlier content: ${kept}`),
  ];
}
