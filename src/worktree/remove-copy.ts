/** Removes a copy whose work is saved. What is half removed is no copy any more, and never taken for one. */
import { chmod, lstat, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { errorCode } from "../errors.ts";

const REMOVED = ".removed";

/** @throws Error of the system */
export async function removeFolder(folder: string): Promise<void> {
  const doomed = folder.endsWith(REMOVED) ? folder : `${folder}${REMOVED}`;
  if (doomed !== folder) {
    await rm(doomed, { recursive: true, force: true });
    await rename(folder, doomed);
  }
  try {
    await rm(doomed, { recursive: true, force: true });
  } catch (error) {
    if (!["EACCES", "EPERM", "ENOTEMPTY"].includes(errorCode(error) ?? "")) throw error;
    await openDirectories(doomed);
    await rm(doomed, { recursive: true, force: true });
  }
}

/** Whether a folder is left of a copy that was being made or removed. */
export function isRemains(folder: string): boolean {
  return /\.(new|removed)$/.test(folder);
}

/** Directories that their owner may not write cannot be emptied. */
async function openDirectories(directory: string): Promise<void> {
  const { mode } = await lstat(directory);
  await chmod(directory, mode | 0o700);
  for (const entry of await readdir(directory, { withFileTypes: true }))
    if (entry.isDirectory()) await openDirectories(join(directory, entry.name));
}
