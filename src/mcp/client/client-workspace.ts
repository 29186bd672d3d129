/**
 * The directory where a client's children work: the operator's choice, else the client's own folder, else the server's
 * directory.
 */
import { realpathSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { isWithin } from "../../values/path-within.ts";

export type ClientWorkspace = {
  /** An absolute path. */
  path: string;
  /** Set if the operator chose it: clients cannot change it. */
  isNamed: boolean;
};

/** @param roots the client's folders, as URLs; may be empty */
export function workspaceAmong({ path, isNamed }: ClientWorkspace, roots: readonly string[]): string {
  const folders = roots.flatMap(folderAt);
  if (isNamed || folders.some((folder) => isWithin(realpathSync(folder), realpathSync(path)))) return path;
  return folders[0] ?? path;
}

/** The same path for all names of a directory. One that no longer exists keeps the name it was given. */
export function realPathOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

/** Roots may be anything; a root that is not a folder on this machine is ignored. */
function folderAt(url: string): string[] {
  try {
    const path = fileURLToPath(url);
    return statSync(path).isDirectory() ? [path] : [];
  } catch {
    return [];
  }
}
