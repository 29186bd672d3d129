/** Creates a folder and its parents. */
import { mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Creates one folder at a time: Node's own recursive `mkdir` retries forever if a parent exists but rejects folders,
 * like /proc. An existing folder is left unchanged.
 * @param mode of each created folder
 * @throws Error of the system if one cannot be created
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
