/** Makes a folder and those above it. */
import { mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";

/**
 * One folder at a time: Node's own recursive `mkdir` tries for ever where a parent exists and takes no folders, as /proc
 * does. A folder that is there stays as it is.
 * @param mode of each folder that is made
 * @throws Error of the system where one cannot be made
 */
export function makeFolder(path: string, mode = 0o777): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
  if (dirname(path) !== path) makeFolder(dirname(path), mode);
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw error;
  }
}
