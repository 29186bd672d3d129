/**
 * Where directories really were at one time. A directory that later leads elsewhere (a link was put in its place, or its
 * link points to another directory) is another one, and what was allowed in the first is not allowed in the second.
 */
import { existsSync, realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { BoundPaths } from "../plan.ts";

/** Where these directories are now; for those that are known, where they were. */
export function bindPaths(paths: readonly string[], known: BoundPaths = {}): BoundPaths {
  return Object.fromEntries(paths.map((path) => [path, known[path] ?? realPathOf(path)]));
}

/** Whether a directory is where it was. One that is not bound may be anywhere. */
export function isInPlace(path: string, bound: BoundPaths | undefined): boolean {
  const real = bound?.[path];
  return real === undefined || realPathOf(path) === real;
}

/** Links resolved as far as the path exists. */
export function realPathOf(path: string): string {
  if (existsSync(path)) return realpathSync.native(path);
  return dirname(path) === path ? path : join(realPathOf(dirname(path)), basename(path));
}
