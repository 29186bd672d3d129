/**
 * Which pairs of changes can collide at all, from their paths alone: merging every pair of many children would take
 * seconds. It may name a pair that merges; it never leaves out one that does not.
 */
import { directoriesOf, type GitPath } from "../git-path.ts";
import type { TreeChanges } from "./tree-changes.ts";

/** The places that the changes of one side touch. */
export type Footprint = {
  paths: ReadonlySet<GitPath>;
  /** Directories above them. */
  directories: ReadonlySet<GitPath>;
  /** Directories above added paths: a file added there moves along if the other side renames the directory. */
  addedTo: ReadonlySet<GitPath>;
  /** Directories from which files were renamed. */
  renamedFrom: ReadonlySet<GitPath>;
};

export function footprintOf({ changes, renames }: TreeChanges): Footprint {
  const paths = changes.map(({ path }) => path);
  const added = changes.filter(({ before }) => before === undefined).map(({ path }) => path);
  return {
    paths: new Set(paths),
    directories: new Set(paths.flatMap(directoriesOf)),
    addedTo: new Set(added.flatMap(directoriesOf)),
    renamedFrom: new Set(renames.flatMap(({ from }) => directoriesOf(from))),
  };
}

/** Returns whether two changes may not merge: they share a path, a file is where the other has a directory, … */
export function mayCollide(one: Footprint, other: Footprint): boolean {
  return (
    meet(one.paths, other.paths) ||
    meet(one.paths, other.directories) ||
    meet(one.directories, other.paths) ||
    meet(one.renamedFrom, other.addedTo) ||
    meet(one.addedTo, other.renamedFrom)
  );
}

function meet(one: ReadonlySet<GitPath>, other: ReadonlySet<GitPath>): boolean {
  return !one.isDisjointFrom(other);
}
