/** The lines of two sides that do not merge: changes of the same lines of their base, or of neighboring ones. */
import type { ConflictHunk } from "../../conflict.ts";
import type { Scratch } from "./scratch.ts";

/** One change of a side: `count` lines of the base from `start` on became these lines. */
export type LineChange = {
  base: { start: number; count: number };
  side: { start: number; count: number };
  text: string;
};

/** Two versions of a file, by their objects. */
export type FileVersions = { base: string; side: string };

/** Returns the changes of each pair of versions, in order; none for a binary file. */
export async function lineChanges({ run }: Scratch, versions: readonly FileVersions[]): Promise<LineChange[][]> {
  if (versions.length === 0) return [];
  // One tree of all bases and one of all sides: a single process compares them.
  const treeOf = async (ids: readonly string[]) => {
    const input = ids.map((id, index) => `100644 blob ${id}\t${index}\n`).join("");
    return (await run(["mktree"], { input })).toString("latin1").trim();
  };
  const trees = [await treeOf(versions.map(({ base }) => base)), await treeOf(versions.map(({ side }) => side))];
  // Merges compare lines with this algorithm, too.
  const args = [
    "diff-tree",
    "-p",
    "--histogram",
    "-U0",
    "--no-renames",
    "--no-color",
    "--no-ext-diff",
    "--no-textconv",
  ];
  const changes = parsedPatch((await run([...args, ...trees])).toString("latin1"));
  return versions.map((_, index) => changes.get(index) ?? []);
}

const FILE = /^diff --git a\/(\d+) /;
const HEADER = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/;

function parsedPatch(patch: string): Map<number, LineChange[]> {
  const files = new Map<number, LineChange[]>();
  let changes: LineChange[] = [];
  for (const line of patch.split("\n")) {
    const file = FILE.exec(line);
    const header = HEADER.exec(line);
    if (file !== null) {
      changes = [];
      files.set(Number(file[1]), changes);
    } else if (header !== null) {
      const [, baseStart, baseCount = "1", sideStart, sideCount = "1"] = header;
      const base = { start: Number(baseStart), count: Number(baseCount) };
      const side = { start: Number(sideStart), count: Number(sideCount) };
      changes.push({ base, side, text: "" });
    } else {
      const last = changes.at(-1);
      if (last !== undefined && line.startsWith("+")) last.text += `${line}\n`;
    }
  }
  return files;
}

type Region = { from: number; to: number; ours: LineChange[]; theirs: LineChange[] };

/** The regions of the base that both sides change, and differently. */
export function conflictHunks(ours: readonly LineChange[], theirs: readonly LineChange[]): ConflictHunk[] {
  const regions: Region[] = [];
  for (const { change, isOurs } of byPlace(ours, theirs)) {
    const [from, to] = extentOf(change);
    let region = regions.at(-1);
    if (region === undefined || from > region.to) {
      region = { from, to, ours: [], theirs: [] };
      regions.push(region);
    }
    region.to = Math.max(region.to, to);
    (isOurs ? region.ours : region.theirs).push(change);
  }
  return regions.flatMap((region) => {
    const [mine, other] = [region.ours, region.theirs];
    if (mine.length === 0 || other.length === 0 || isSame(mine, other)) return [];
    const one = sideExtent(mine);
    const two = sideExtent(other);
    return [{ ...one, their_start: two.start, their_lines: two.lines }];
  });
}

function byPlace(ours: readonly LineChange[], theirs: readonly LineChange[]) {
  const tagged = [
    ...ours.map((change) => ({ change, isOurs: true })),
    ...theirs.map((change) => ({ change, isOurs: false })),
  ];
  return tagged.toSorted((one, other) => extentOf(one.change)[0] - extentOf(other.change)[0]);
}

/** First line of the base, and the line after the last. Lines are inserted after line `start`. */
function extentOf({ base: { start, count } }: LineChange): [from: number, to: number] {
  const from = count === 0 ? start + 1 : start;
  return [from, from + count];
}

function sideExtent(changes: readonly LineChange[]): { start: number; lines: number } {
  const withLines = changes.filter(({ side }) => side.count > 0);
  const [first] = changes;
  if (withLines.length === 0) return { start: first?.side.start ?? 0, lines: 0 };
  const start = Math.min(...withLines.map(({ side }) => side.start));
  const end = Math.max(...withLines.map(({ side }) => side.start + side.count));
  return { start, lines: end - start };
}

function isSame(ours: readonly LineChange[], theirs: readonly LineChange[]): boolean {
  const written = (changes: readonly LineChange[]) =>
    JSON.stringify(changes.map(({ base: { start, count }, text }) => [start, count, text]));
  return written(ours) === written(theirs);
}
