/** The files of conflicts as people and programs see them, with the lines that collide. */
import type { ConflictFile } from "../../conflict.ts";
import { textOf } from "../git-path.ts";
import { conflictHunks, type FileVersions, lineChanges } from "./conflict-hunks.ts";
import type { MergeConflict } from "./merge-trees.ts";
import type { Scratch } from "./scratch.ts";

/** Files listed for a merge, and hunks for a file. */
const MOST_FILES = 50;
const MOST_HUNKS = 20;

export type ConflictFiles = { files: ConflictFile[]; more_files?: number };

/**
 * Describes the conflicts of each merge, in order; undefined for one without. Each version of a file is compared with
 * its base once.
 */
export async function conflictFiles(
  scratch: Scratch,
  merges: readonly (readonly MergeConflict[])[],
): Promise<(ConflictFiles | undefined)[]> {
  const listed = merges.map((conflicts) => conflicts.slice(0, MOST_FILES));
  const versions = listed.flat().flatMap(versionsOf);
  const unique = [...new Map(versions.map((each) => [keyOf(each), each])).values()];
  const changes = await lineChanges(scratch, unique);
  const changesOf = new Map(unique.map((each, index) => [keyOf(each), changes[index] ?? []]));

  function described(conflict: MergeConflict): ConflictFile {
    const [mine, other] = versionsOf(conflict).map((each) => changesOf.get(keyOf(each)) ?? []);
    const hunks = mine === undefined || other === undefined ? [] : conflictHunks(mine, other);
    const more = hunks.length - MOST_HUNKS;
    const { path, kind } = conflict;
    return { path: textOf(path), kind, hunks: hunks.slice(0, MOST_HUNKS), ...(more > 0 && { more_hunks: more }) };
  }

  return merges.map((conflicts, index) => {
    if (conflicts.length === 0) return undefined;
    const more = conflicts.length - MOST_FILES;
    return { files: (listed[index] ?? []).map(described), ...(more > 0 && { more_files: more }) };
  });
}

/** The versions of both sides, where lines can be compared. */
function versionsOf({ kind, base, ours, theirs }: MergeConflict): FileVersions[] {
  if (kind !== "content" || base === undefined || ours === undefined || theirs === undefined) return [];
  return [
    { base: base.id, side: ours.id },
    { base: base.id, side: theirs.id },
  ];
}

function keyOf({ base, side }: FileVersions): string {
  return `${base} ${side}`;
}
