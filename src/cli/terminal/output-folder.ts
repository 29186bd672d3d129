/**
 * `--output DIR`: every result as a file of its own, written when it arrives. Whole or not at all: each is written
 * beside its place and renamed into it.
 */
import { rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DeputyError } from "../../errors.ts";
import { makeFolder } from "../../make-folder.ts";
import type { Result } from "../../result.ts";

export interface OutputFolder {
  /** Writes `001-SLUG.json`, the whole result, and `001-SLUG.md`, the answer if any. Rejects as the system says. */
  write(result: Result, goal: string): Promise<void>;
}

/** @throws DeputyError `output-unwritable` before anything has started */
export async function openOutputFolder(path: string, taskCount: number): Promise<OutputFolder> {
  await probe(path);
  const digits = Math.max(3, String(taskCount).length);
  return {
    async write(result, goal) {
      const stem = join(path, `${String(result.task_index + 1).padStart(digits, "0")}-${slugOf(goal)}`);
      await replace(`${stem}.json`, `${JSON.stringify(result, null, 2)}\n`);
      if (result.summary !== "") await replace(`${stem}.md`, `${result.summary.trimEnd()}\n`);
    },
  };
}

async function probe(path: string): Promise<void> {
  const trial = join(path, `.deputy-${process.pid}`);
  try {
    makeFolder(path);
    await writeFile(trial, "");
    await rm(trial);
  } catch (error) {
    const { message } = error as Error;
    throw new DeputyError(
      "output-unwritable",
      `Cannot write results to ${path}: ${message}. Nothing was started. Choose another --output.`,
      { cause: error },
    );
  }
}

async function replace(path: string, text: string): Promise<void> {
  const draft = `${path}.${process.pid}.part`;
  try {
    await writeFile(draft, text);
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

/** The goal's first words in letters that every file system takes. */
export function slugOf(goal: string): string {
  const plain = goal
    .slice(0, 200)
    .normalize("NFKD")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-");
  return plain.slice(0, 40).replace(/^-+|-+$/g, "") || "task";
}
