/**
 * Paths in a repository are bytes of any encoding. Here they are strings with one character for each byte, which any
 * path survives; `textOf` is what people and programs see.
 */

/** A path below the root of a repository, with `/` between its parts; one character for each byte. */
export type GitPath = string;

/** The paths, or other fields, that git prints with a NUL after each. */
export function gitPaths(output: Buffer): GitPath[] {
  const fields = output.toString("latin1").split("\0");
  fields.pop();
  return fields;
}

export function joinPaths(paths: Iterable<GitPath>): Buffer {
  return Buffer.concat(Array.from(paths, (path) => bytesOfPath(`${path}\0`)));
}

/** The bytes, for git's input and for the file system. */
export function bytesOfPath(path: GitPath): Buffer {
  return Buffer.from(path, "latin1");
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The path as text. Bytes that are not UTF-8 become `\xff`. */
export function textOf(path: GitPath): string {
  try {
    return utf8.decode(bytesOfPath(path));
  } catch {
    return path.replace(/[^\x20-\x7e]/g, (byte) => `\\x${byte.charCodeAt(0).toString(16).padStart(2, "0")}`);
  }
}

/** The directories above a path, from the nearest up, without the root. */
export function directoriesOf(path: GitPath): GitPath[] {
  const parts = path.split("/").slice(0, -1);
  return parts.map((_, index) => parts.slice(0, parts.length - index).join("/"));
}

export function parentOf(path: GitPath): GitPath {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

/** Where a path is in a directory of the file system. */
export function pathIn(directory: string, path: GitPath): Buffer {
  return Buffer.concat([Buffer.from(`${directory}/`), bytesOfPath(path)]);
}

/** Characters that some file systems ignore in names. */
const IGNORED = /[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g;
/** `.git` as any file system may spell it. */
const GIT_DIRECTORY = /^(\.git|git~\d+)[. ]*(:.*)?$/i;

/** Returns whether a path, which anybody may have written into a tree, names a file below the root that is not git's own. */
export function isSafePath(path: GitPath): boolean {
  const parts = textOf(path).replace(IGNORED, "").split(/[/\\]/);
  return parts.every((part) => part !== "" && part !== "." && part !== ".." && !GIT_DIRECTORY.test(part));
}

export function nameOf(path: GitPath): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
