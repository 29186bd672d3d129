/** `--output DIR`: writes every result to its own file when it arrives, completely or not at all. */
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DeputyError, errorMessage } from "../../errors.ts";
import type { Result } from "../../result.ts";
import { makeFolder } from "../../system/make-folder.ts";
import { writeWhole } from "../../system/write-whole.ts";
import { jsonDocument } from "../../text/printed-json.ts";

export interface OutputFolder {
  /**
   * Writes `001-SLUG.json`, the whole result, and `001-SLUG.md`, the answer if any. Rejects with the system's error.
   */
  write(result: Result, goal: string): Promise<void>;
}

/** @throws DeputyError `output-unwritable` before anything has started */
export async function openOutputFolder(path: string, taskCount: number): Promise<OutputFolder> {
  await probe(path);
  const digits = Math.max(3, String(taskCount).length);
  return {
    async write(result, goal) {
      const stem = join(path, `${String(result.task_index + 1).padStart(digits, "0")}-${slugOf(goal)}`);
      writeWhole(`${stem}.json`, jsonDocument(result));
      if (result.summary !== "") writeWhole(`${stem}.md`, `${result.summary.trimEnd()}\n`);
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
    const message = errorMessage(error);
    throw new DeputyError(
      "output-unwritable",
      `Cannot write results to ${path}: ${message}. Nothing was started. Choose another --output.`,
      { cause: error },
    );
  }
}

/** The goal's first words in characters that every file system supports. */
export function slugOf(goal: string): string {
  const plain = goal
    .slice(0, 200)
    .normalize("NFKD")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-");
  return plain.slice(0, 40).replace(/^-+|-+$/g, "") || "task";
}
