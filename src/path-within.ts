/** The one check of whether a path lies in a directory. It compares names and asks no file system. */
import { isAbsolute, relative, sep } from "node:path";

/**
 * Whether a path is a directory or lies in it. Both have to be absolute, with links resolved by the caller: a link, or
 * another spelling on a file system that ignores case, is another name.
 */
export function isWithin(directory: string, path: string): boolean {
  const way = relative(directory, path);
  return way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}
