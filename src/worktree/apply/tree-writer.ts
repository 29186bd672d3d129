/**
 * Writes a change into a working tree completely or not at all, also if the process is killed meanwhile. New content is
 * prepared in a folder. The folder gets its fixed name before the first file changes, and keeps what is replaced:
 * whoever finds it there, and its process dead, takes the change back (`take-back.ts`).
 */
import { randomBytes } from "node:crypto";
import { linkSync, mkdirSync, readdirSync, renameSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { directoriesOf, type GitPath, parentOf, pathIn } from "../git-path.ts";
import { type FileState, fileState, isSameFile } from "./file-state.ts";
import { draftName, giveUp, OPEN_NAME, type TreePlace, type WritePlan, type WriteStep } from "./take-back.ts";

/** A file changed while the change was being written. */
export class ChangedMeanwhile extends Error {
  override name = "ChangedMeanwhile";
  readonly path: GitPath;
  constructor(path: GitPath) {
    super("a file changed meanwhile");
    this.path = path;
  }
}

export type WriteOrder = {
  steps: readonly Omit<WriteStep, "written">[];
  /** Puts the new content of every path into a directory. */
  fill(directory: string): Promise<void>;
  /** Is called right before the first change. It may throw. */
  check(): Promise<void>;
  /** Returns whether a directory stays although it gets empty. */
  keeps(directory: GitPath): boolean;
};

/** @throws ChangedMeanwhile | Error of the system: everything is as before then */
export async function writeTree(place: TreePlace, { steps, fill, check, keeps }: WriteOrder): Promise<void> {
  const draft = join(place.folder, draftName(process.pid, randomBytes(4).toString("hex")));
  const open = join(place.folder, OPEN_NAME);
  const fresh = join(draft, "new");
  try {
    for (const name of ["new", "old"]) mkdirSync(join(draft, name), { recursive: true, mode: 0o700 });
    await fill(fresh);
    const ordered = inOrder(steps);
    const before = new Map(ordered.map(({ path }) => [path, fileState(pathIn(place.root, path))]));
    await check();
    const plan = planFor(place, ordered, fresh);
    writeFileSync(join(draft, "plan.json"), JSON.stringify(plan));
    renameSync(draft, open);
    try {
      for (const step of plan.steps) takeStep(place, open, step, before.get(step.path));
    } catch (error) {
      giveUp(place, open, plan);
      throw error;
    }
    renameSync(open, draft);
    for (const { path, written } of plan.steps) if (written === undefined) removeEmptyAbove(place, path, keeps);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

/** Deletions first, from the deepest path up: a directory may become a file, or a file a directory. */
function inOrder<Step extends { path: GitPath; isDeleted: boolean }>(steps: readonly Step[]): Step[] {
  const deleted = steps.filter(({ isDeleted }) => isDeleted).toSorted((one, other) => (one.path < other.path ? 1 : -1));
  return [...deleted, ...steps.filter(({ isDeleted }) => !isDeleted)];
}

function planFor({ root }: TreePlace, steps: WriteOrder["steps"], fresh: string): WritePlan {
  const directories = new Set(steps.flatMap(({ path, isDeleted }) => (isDeleted ? [] : directoriesOf(path))));
  const made = [...directories].filter((path) => !fileState(pathIn(root, path))?.isDirectory);
  return {
    pid: process.pid,
    steps: steps.map(({ path, isDeleted }) => {
      const written = isDeleted ? undefined : fileState(pathIn(fresh, path));
      return { path, isDeleted, ...(written && { written }) };
    }),
    made: made.toSorted(),
  };
}

function takeStep({ root }: TreePlace, open: string, step: WriteStep, before: FileState | undefined): void {
  const { path, isDeleted } = step;
  const target = pathIn(root, path);
  const found = fileState(target);
  if (!isSameFile(found, before)) throw new ChangedMeanwhile(path);
  if (found?.isDirectory) removeEmpty(target);
  else if (found !== undefined) setAside(target, open, path, { replaced: !isDeleted && !found.isLink });
  if (isDeleted) return;
  mkdirSync(pathIn(root, parentOf(path)), { recursive: true });
  renameSync(pathIn(join(open, "new"), path), target);
}

/** Keeps a file under another name. One that is replaced keeps its place until then, where the file system has links. */
function setAside(target: Buffer, open: string, path: GitPath, { replaced }: { replaced: boolean }): void {
  const old = join(open, "old");
  mkdirSync(pathIn(old, parentOf(path)), { recursive: true });
  if (replaced && hasLinked(target, pathIn(old, path))) return;
  renameSync(target, pathIn(old, path));
}

function hasLinked(from: Buffer, to: Buffer): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch {
    return false;
  }
}

/** Removes a directory that has nothing but empty ones. */
function removeEmpty(directory: Buffer): void {
  for (const name of readdirSync(directory, { encoding: "buffer" }))
    removeEmpty(Buffer.concat([directory, Buffer.from("/"), name]));
  rmdirSync(directory);
}

/** Removes the directories that a deleted file leaves empty, as git does. */
function removeEmptyAbove({ root }: TreePlace, path: GitPath, keeps: WriteOrder["keeps"]): void {
  for (const directory of directoriesOf(path)) {
    if (keeps(directory)) return;
    try {
      rmdirSync(pathIn(root, directory));
    } catch {
      return; // It is not empty, or is gone.
    }
  }
}
