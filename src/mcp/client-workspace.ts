/** Where a client's children work: where the operator said; else in the client's own folder; else where the server is. */
import { realpathSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { isWithin } from "../path-within.ts";

export type ClientWorkspace = {
  /** Absolute. */
  path: string;
  /** The operator named it: no client changes it. */
  isNamed: boolean;
};

/** @param roots the client's folders, as URLs; it may have none, and need not have any */
export function workspaceAmong({ path, isNamed }: ClientWorkspace, roots: readonly string[]): string {
  const folders = roots.flatMap(folderAt);
  if (isNamed || folders.some((folder) => isWithin(realpathSync(folder), realpathSync(path)))) return path;
  return folders[0] ?? path;
}

/** Roots may be anything; what is no folder of this machine is none. */
function folderAt(url: string): string[] {
  try {
    const path = fileURLToPath(url);
    return statSync(path).isDirectory() ? [path] : [];
  } catch {
    return [];
  }
}
