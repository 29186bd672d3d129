/**
 * Real paths of directories at one time. A directory whose path later leads elsewhere (it was replaced by a link, or
 * its link was changed) counts as another one, and does not inherit what was allowed in the first.
 */
import { existsSync, realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { BoundPaths } from "../plan.ts";

/** Returns the real paths of these directories; known ones keep their earlier paths. */
export function bindPaths(paths: readonly string[], known: BoundPaths = {}): BoundPaths {
  return Object.fromEntries(paths.map((path) => [path, known[path] ?? realPathOf(path)]));
}

/** Returns whether a directory is where it was. One without a recorded path may be anywhere. */
export function isInPlace(path: string, bound: BoundPaths | undefined): boolean {
  const real = bound?.[path];
  return real === undefined || realPathOf(path) === real;
}

/** Resolves links as far as the path exists. */
export function realPathOf(path: string): string {
  if (existsSync(path)) return realpathSync.native(path);
  return dirname(path) === path ? path : join(realPathOf(dirname(path)), basename(path));
}
