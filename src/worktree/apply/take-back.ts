/** Takes a change of a working tree back, after an error in the middle of it, or after the death of its process. */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmdirSync, rmSync, statSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { type GitPath, parentOf, pathIn, textOf } from "../git-path.ts";
import { fileState, isSameFile } from "./file-state.ts";

export type TreePlace = {
  /** Root of the working tree. */
  root: string;
  /** Where the folder of a change is: a directory in the file system of the tree, that git does not look at. */
  folder: string;
};

/** The folder of a change that is being written. */
export const OPEN_NAME = "deputy-apply";
/** The folder of a change before and after: nothing needs it any more once its process is dead. */
const DRAFT = /^deputy-apply\.(\d+)\.[0-9a-f]+$/;
/** The folder of a change that a process takes back. */
const RECOVERY = /^deputy-apply-recovery\.(\d+)$/;
/** Writing takes moments. A process that is alive after this time is another one of the same number. */
const LONGEST_WRITE_MS = 600_000;

export function draftName(pid: number, random: string): string {
  return `deputy-apply.${pid}.${random}`;
}

const fileStateSchema = z.object({ isDirectory: z.boolean(), isLink: z.boolean(), identity: z.string() });
const planSchema = z.object({
  pid: z.number(),
  steps: z.array(z.object({ path: z.string(), isDeleted: z.boolean(), written: fileStateSchema.optional() })),
  made: z.array(z.string()),
});

/** The folder's own description: the steps in their order, and the directories that did not exist before. */
export type WritePlan = z.infer<typeof planSchema>;
/** A path to write or to delete. `written`: the file that its new content is. */
export type WriteStep = WritePlan["steps"][number];

/** Puts everything back. @returns the paths that somebody else has changed since, which stay */
function takeBack({ root }: TreePlace, folder: string, { steps, made }: WritePlan): GitPath[] {
  const left: GitPath[] = [];
  for (const { path, written } of steps.toReversed()) {
    const target = pathIn(root, path);
    const kept = pathIn(join(folder, "old"), path);
    const found = fileState(target);
    const old = fileState(kept);
    // A directory there is only the place of other files that are kept.
    if (old === undefined || old.isDirectory) {
      if (found !== undefined && isSameFile(found, written)) unlinkSync(target);
    } else if (isSameFile(found, old)) unlinkSync(kept);
    else if (found === undefined || isSameFile(found, written)) {
      mkdirSync(pathIn(root, parentOf(path)), { recursive: true });
      renameSync(kept, target);
    } else left.push(path);
  }
  for (const directory of made.toReversed()) removeIfEmpty(pathIn(root, directory));
  return left;
}

function removeIfEmpty(directory: Buffer): void {
  try {
    rmdirSync(directory);
  } catch {
    // Somebody else has put a file there, or it was not made.
  }
}

/**
 * Takes a change back and removes its folder. Where somebody else has changed a file since, the earlier content stays
 * in a folder that is kept.
 */
export function giveUp(place: TreePlace, folder: string, plan: WritePlan): Leftover[] {
  const left = takeBack(place, folder, plan);
  if (left.length === 0) {
    rmSync(folder, { recursive: true, force: true });
    return [];
  }
  const kept = join(place.folder, `${OPEN_NAME}-kept.${plan.pid}.${Math.trunc(Date.now())}`);
  renameSync(folder, kept);
  return left.map((path) => ({ path: textOf(path), kept: pathIn(join(kept, "old"), path).toString("utf8") }));
}

/** A file that could not be put back, because it was changed since, and where its earlier content is. */
export type Leftover = { path: string; kept: string };

/** `busy`: the process that is writing. `takenBack`: there was something to take back. */
export type TreeRecovery = { busy?: number; takenBack: boolean; left: Leftover[] };

/** Takes back what dead processes have left in the middle. */
export function recoverTree(place: TreePlace): TreeRecovery {
  const result: TreeRecovery = { takenBack: false, left: [] };
  for (const name of readdirSync(place.folder)) {
    const folder = join(place.folder, name);
    if (name === OPEN_NAME || isOfDead(RECOVERY, name)) {
      const plan = readPlan(folder);
      if (isWriting(folder, plan)) return { ...result, busy: plan.pid };
      const own = join(place.folder, `${OPEN_NAME}-recovery.${process.pid}`);
      renameSync(folder, own); // Another process may have been faster, and has it now.
      result.takenBack = true;
      result.left.push(...giveUp(place, own, plan));
    } else if (isOfDead(DRAFT, name)) rmSync(folder, { recursive: true, force: true });
  }
  return result;
}

function readPlan(folder: string): WritePlan {
  return planSchema.parse(JSON.parse(readFileSync(join(folder, "plan.json"), "utf8")));
}

function isWriting(folder: string, { pid }: WritePlan): boolean {
  return isAlive(pid) && Date.now() - statSync(join(folder, "plan.json")).mtimeMs < LONGEST_WRITE_MS;
}

function isOfDead(pattern: RegExp, name: string): boolean {
  const [, pid] = pattern.exec(name) ?? [];
  return pid !== undefined && !isAlive(Number(pid));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
