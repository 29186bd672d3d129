/** Changes that git would not merge: of two children of a run, or of a child and the tree that it is applied to. */

/**
 * `content`: both change the same lines. `added`: both add a file, with different content. `binary`: both change it, and
 * its lines cannot be compared. `deleted`: one deletes what the other changes or renames. `renamed`: both rename it, or
 * rename others to it. `moved`: one adds a file to a directory that the other renames. `mode`: one makes it a link or a
 * submodule, the other a file. `place`: a file of one is in the place of a directory of the other. `submodule`: both move
 * it. `other`: as git says.
 */
export type ConflictKind =
  | "content"
  | "added"
  | "binary"
  | "deleted"
  | "renamed"
  | "moved"
  | "mode"
  | "place"
  | "submodule"
  | "other";

/**
 * Lines that both sides change, as in the header of a diff: `start` from 1, and their number. Without lines (`lines` 0),
 * the side deletes them, and `start` is the line before. `their_*` are those of the other side.
 */
export type ConflictHunk = { start: number; lines: number; their_start: number; their_lines: number };

/** A file that does not merge. `path`: below the root of the repository. */
export type ConflictFile = {
  path: string;
  kind: ConflictKind;
  hunks: ConflictHunk[];
  /** Hunks that are not listed. */
  more_hunks?: number;
};

/** Two children whose branches do not merge. Their hunks are those of `children[0]`, `their_*` those of `children[1]`. */
export type SiblingConflict = {
  children: [string, string];
  files: ConflictFile[];
  /** Files that are not listed. */
  more_files?: number;
};

/** A conflict as one of its children sees it. */
export type ChildConflict = { child_id: string; files: ConflictFile[]; more_files?: number };

/** The conflicts of one child, each with its sibling. */
export function conflictsOf(childId: string, all: readonly SiblingConflict[]): ChildConflict[] {
  return all.flatMap(({ children: [first, second], ...rest }) => {
    if (childId === first) return [{ child_id: second, ...rest }];
    if (childId === second) return [{ child_id: first, ...rest, files: rest.files.map(seenFromOther) }];
    return [];
  });
}

function seenFromOther(file: ConflictFile): ConflictFile {
  const hunks = file.hunks.map(({ start, lines, their_start, their_lines }) => ({
    ...{ start: their_start, lines: their_lines },
    ...{ their_start: start, their_lines: lines },
  }));
  return { ...file, hunks };
}

/** `src/a.ts lines 10–14 and 3 more places`, or with the reason: `src/a.ts (both add it, with different content)`. */
export function conflictInWords({ path, kind, hunks, more_hunks = 0 }: ConflictFile): string {
  const [first, ...rest] = hunks;
  if (first === undefined) return `${path} (${CONFLICT_WORDS[kind]})`;
  const more = rest.length + more_hunks;
  return `${path} ${linesInWords(first)}${more === 0 ? "" : ` and ${more} more ${more === 1 ? "place" : "places"}`}`;
}

function linesInWords({ start, lines }: ConflictHunk): string {
  if (lines === 0) return `after line ${start}`;
  return lines === 1 ? `line ${start}` : `lines ${start}–${start + lines - 1}`;
}

export const CONFLICT_WORDS: Record<ConflictKind, string> = {
  content: "both change the same lines",
  added: "both add it, with different content",
  binary: "both change it, and it is binary",
  deleted: "one deletes what the other changes",
  renamed: "both rename it, or rename others to it",
  moved: "one adds it to a directory that the other renames",
  mode: "one makes it another type of file",
  place: "one has a file where the other has a directory",
  submodule: "both move the submodule",
  other: "git does not merge it",
};
