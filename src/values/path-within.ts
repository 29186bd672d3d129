/** The only check of whether a path lies in a directory. It compares names and does not access the file system. */
import { isAbsolute, relative, sep } from "node:path";

/**
 * Returns whether a path is a directory or lies in it. Both must be absolute, with links resolved by the caller: a
 * link, or another spelling on a case-insensitive file system, is a different name.
 */
export function isWithin(directory: string, path: string): boolean {
  const way = relative(directory, path);
  return way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}
