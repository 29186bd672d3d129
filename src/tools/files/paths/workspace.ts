/**
 * The boundary: file and search tools reach a child's workspace and the operator's extra directories, nothing else. A
 * path is judged by where it really leads, links resolved. Between that check and the use of the path, a link could be
 * put in its way: so the last step never follows a link, and on Linux it starts from an open directory whose location
 * has been checked and which nobody can swap. Deputy's own files are unreachable wherever they are.
 *
 * File system calls are synchronous: they are short, and a change made in one turn cannot interleave with a sibling's.
 */
import {
  type BigIntStats,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  realpathSync,
  type Stats,
  statSync,
} from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import type { OwnFiles } from "../../../own-files.ts";
import type { BoundPaths } from "../../../plan.ts";
import { isInPlace } from "../../../system/bound-paths.ts";
import { overwrite, writeWhole } from "../../../system/write-whole.ts";
import { isWithin } from "../../../values/path-within.ts";
import { isSystemError, ToolError } from "../../tool-error.ts";
import { pathLike, sameNameIn } from "../edits/look-alike.ts";
import { createOwnCheck, type OwnCheck } from "./own-files.ts";
import { checkNotation } from "./path-notation.ts";

export type Workspace = {
  root: string;
  extraDirs: readonly string[];
  own: OwnFiles;
  /** Real paths of its directories. A directory that now leads elsewhere is unreachable. */
  realPaths: BoundPaths;
  /** Directories that contain it, at which rules for paths start too. */
  enclosing?: readonly string[];
  /** Nothing is changed in the extra directories. */
  isConfined?: boolean;
};

/** The real path of a model's path. `shown` is relative to the workspace, absolute in an extra directory. */
export type ResolvedPath = { real: string; shown: string };

const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_RDWR } = constants;
/** A Linux flag that Node does not name: a descriptor of the location alone, which cannot read. */
const O_PATH = 0o10000000;
const MAX_PATH_BYTES = 4_096;
const MAX_NAME_BYTES = 255;

/**
 * Resolves `path`. A path that does not exist yet is judged by its directory; a name that exists in another Unicode
 * normal form is that one.
 * @throws ToolError for a path that leads out of the workspace or to Deputy's own files, is invalid, or is new and
 *   written in a notation that is not a path
 */
export function locate(workspace: Workspace, path: string): ResolvedPath {
  checkSpelling(path);
  const real = realPathOf(resolve(workspace.root, path));
  const [root, ...extra] = realRoots(workspace);
  const isInRoot = root !== undefined && isWithin(root, real);
  if (!isInRoot && !extra.some((directory) => isWithin(directory, real))) throw outside(workspace, path);
  if (createOwnCheck(workspace.own).isOwn(real)) throw deputys(path);
  if (lstatSync(real, { throwIfNoEntry: false }) === undefined) checkNotation(root ?? workspace.root, path);
  return { real, shown: isInRoot ? relative(root, real) || "." : real };
}

/** The path as rules and users see it: its target or, if that is not allowed, the path as named. */
export function showPath(workspace: Workspace, path: string): string {
  try {
    return locate(workspace, path).shown;
  } catch {
    return relative(workspace.root, resolve(workspace.root, path)) || ".";
  }
}

/**
 * Opens a regular file for reading. The caller closes the descriptor.
 * @throws ToolError for anything else, including a swapped link and Deputy's own files
 */
export function openToRead(workspace: Workspace, place: ResolvedPath): { descriptor: number; stats: Stats } {
  const found = statsOf(place);
  if (found === undefined) throw missing(workspace, place);
  checkRegular(place, found);
  return inDirectory(workspace, dirname(place.real), (directory, { isOwnFile }) => {
    const descriptor = openChecked(join(directory, basename(place.real)), O_RDONLY, (stats) => {
      checkRegular(place, stats);
      if (isOwnFile(stats)) throw deputys(place.shown);
    });
    return { descriptor, stats: fstatSync(descriptor) };
  });
}

/**
 * Opens a file that passes `check`. The check comes before any real descriptor, not only before reading: on POSIX,
 * closing a descriptor drops every lock that this process holds on the file, including the lock on its runs. Closing a
 * descriptor of the location alone drops none. Only Linux has those; elsewhere, the check runs twice.
 */
function openChecked(path: string, access: number, check: (stats: BigIntStats) => void): number {
  if (process.platform !== "linux") {
    check(lstatSync(path, { bigint: true }));
    return checkedDescriptor(openSync(path, access | O_NOFOLLOW | O_NONBLOCK), check);
  }
  const place = checkedDescriptor(openSync(path, O_PATH | O_NOFOLLOW), check);
  try {
    return openSync(`/proc/self/fd/${place}`, access | O_NONBLOCK);
  } finally {
    closeSync(place);
  }
}

function checkedDescriptor(descriptor: number, check: (stats: BigIntStats) => void): number {
  try {
    check(fstatSync(descriptor, { bigint: true }));
    return descriptor;
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

/**
 * Writes a file's content completely or not at all: to a draft next to it, which is then renamed over it. Keeps the
 * mode, owner and group of an existing file; creates missing directories. A file with several names, or whose owner the
 * draft cannot have, is written in place.
 * @param temporaryName name of the draft; a killed process may leave it behind, the next write replaces it
 * @returns how many names the file has
 */
export function replaceFile(
  workspace: Workspace,
  place: ResolvedPath,
  content: Buffer,
  temporaryName: string,
): { names: number } {
  makeDirectory(workspace, dirname(place.real));
  return inDirectoryToChange(workspace, dirname(place.real), (directory, own, real) => {
    const path = join(directory, basename(place.real));
    if (own.isOwn(join(real, basename(place.real)))) throw deputys(place.shown);
    const before = lstatSync(path, { throwIfNoEntry: false });
    if (before) checkWritable(place, before);
    const names = before?.nlink ?? 1;
    if (names > 1 || !replaced(path, content, before, join(directory, temporaryName))) {
      overwriteChecked(place, path, content, own);
    }
    return { names };
  });
}

/** Returns false if the draft cannot have the file's owner. */
function replaced(path: string, content: Buffer, before: Stats | undefined, draft: string): boolean {
  try {
    writeWhole(path, content, { mode: before && before.mode & 0o7777, owner: before, draft });
    return true;
  } catch (error) {
    if (before && isSystemError(error, "EPERM")) return false;
    throw error;
  }
}

function overwriteChecked(place: ResolvedPath, path: string, content: Buffer, { isOwnFile }: OwnCheck): void {
  const descriptor = openChecked(path, O_RDWR, (stats) => {
    checkRegular(place, stats);
    if (isOwnFile(stats)) throw deputys(place.shown);
  });
  try {
    overwrite(descriptor, content);
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Calls `use` with a path of `directory` that stays valid even if links are put in its way meanwhile, and with its real
 * path. @throws ToolError if that is outside the workspace or Deputy's own
 */
export function inDirectory<T>(
  workspace: Workspace,
  directory: string,
  use: (path: string, own: OwnCheck, real: string) => T,
): T {
  const descriptor = openSync(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  try {
    const path = process.platform === "linux" ? `/proc/self/fd/${descriptor}` : directory;
    const real = realpathSync.native(path);
    if (!realRoots(workspace).some((root) => isWithin(root, real))) throw outside(workspace, directory);
    const own = createOwnCheck(workspace.own);
    if (own.isOwn(real)) throw deputys(directory);
    return use(path, own, real);
  } finally {
    closeSync(descriptor);
  }
}

/** Like `inDirectory`, to change something there. @throws ToolError also in an extra directory of a confined workspace */
export function inDirectoryToChange<T>(
  workspace: Workspace,
  directory: string,
  use: (path: string, own: OwnCheck, real: string) => T,
): T {
  return inDirectory(workspace, directory, (path, own, real) => {
    if (workspace.isConfined && !isWithin(realRoot(workspace), real))
      throw new ToolError(
        `${directory} is read-only: you work in your own copy of the repository. Change files in the workspace.`,
      );
    return use(path, own, real);
  });
}

/** The error for a path where nothing is. */
export function missing(workspace: Workspace, { real, shown }: ResolvedPath): ToolError {
  const like = pathLike(real);
  if (like === undefined || createOwnCheck(workspace.own).isOwn(like)) return new ToolError(`${shown} does not exist.`);
  const [root = ""] = realRoots(workspace);
  return new ToolError(
    `${shown} does not exist. A name that looks like it does: ${isWithin(root, like) ? relative(root, like) : like}`,
  );
}

/** Status of the file at a location, or undefined. */
export function statsOf(place: ResolvedPath): Stats | undefined {
  return lstatSync(place.real, { throwIfNoEntry: false });
}

function checkSpelling(path: string): void {
  if (path.includes("\0")) throw new ToolError("A path cannot contain a NUL byte.");
  if (!path.isWellFormed()) throw new ToolError("A path cannot contain half of a character (a lone surrogate).");
  if (Buffer.byteLength(path) >= MAX_PATH_BYTES) {
    throw new ToolError(
      `A path can have at most ${MAX_PATH_BYTES - 1} bytes; this one has ${Buffer.byteLength(path)}.`,
    );
  }
  const long = path.split("/").find((name) => Buffer.byteLength(name) > MAX_NAME_BYTES);
  if (long !== undefined) {
    throw new ToolError(`A name in a path can have at most ${MAX_NAME_BYTES} bytes; ${long.slice(0, 40)}… has more.`);
  }
}

/** The real path of the existing part, and the rest of the path as given. */
function realPathOf(path: string): string {
  try {
    return realpathSync.native(path);
  } catch (error) {
    if (!isSystemError(error, "ENOENT")) throw error;
    if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink()) {
      throw new ToolError(`${basename(path)} is a link to something that does not exist. Name the file itself.`);
    }
    const parent = realPathOf(dirname(path));
    const same = sameNameIn(parent, basename(path));
    return same === undefined ? join(parent, basename(path)) : realPathOf(join(parent, same));
  }
}

/** The workspace first; extra directories that do not exist, or lead elsewhere than before, are left out. */
function realRoots(workspace: Workspace): string[] {
  const { extraDirs, realPaths } = workspace;
  const extra = extraDirs.filter(
    (directory) => statSync(directory, { throwIfNoEntry: false })?.isDirectory() && isInPlace(directory, realPaths),
  );
  return [realRoot(workspace), ...extra.map((directory) => realpathSync.native(directory))];
}

/** @throws ToolError if the workspace leads elsewhere than before */
export function realRoot({ root, realPaths }: Workspace): string {
  if (isInPlace(root, realPaths)) return realPaths[root] ?? realpathSync.native(root);
  throw new ToolError(movedWorkspace(root, realPaths));
}

/** The error for a workspace that leads elsewhere than before. */
export function movedWorkspace(root: string, realPaths: BoundPaths | undefined): string {
  return `Expected the workspace ${root} to be the directory ${realPaths?.[root]}, as when the task was planned; it leads to another one now. Put it back.`;
}

function outside({ extraDirs }: Workspace, path: string): ToolError {
  const reach = ["the workspace", ...extraDirs].join(", ");
  return new ToolError(`${path} leads out of the workspace. Within reach: ${reach}. Use a path inside.`);
}

/** The error for one of Deputy's own files. */
export function deputys(path: string): ToolError {
  return new ToolError(
    `${path} is one of Deputy's own files (config, state or settings it wrote), which no tool reads or changes: they ` +
      "contain the rules and tokens for children. Use another path. If something there should change, tell the user.",
  );
}

function checkRegular({ shown }: ResolvedPath, stats: Pick<Stats, "isFile" | "isDirectory"> | undefined): void {
  if (stats === undefined) throw new ToolError(`${shown} does not exist.`);
  if (stats.isDirectory()) throw new ToolError(`${shown} is a directory. list_dir shows what is in it.`);
  if (!stats.isFile()) throw new ToolError(`${shown} is not a regular file, but a device, pipe, socket or link.`);
}

/** @throws ToolError for what is no regular file, or has a mode that forbids changing it */
export function checkWritable(place: ResolvedPath, stats: Stats): void {
  checkRegular(place, stats);
  if ((stats.mode & 0o222) === 0) throw new ToolError(`${place.shown} is read-only. Its mode forbids changing it.`);
}

/** Creates a directory and its parents, one at a time, each in the one that was checked before it. */
export function makeDirectory(workspace: Workspace, directory: string): void {
  const stats = lstatSync(directory, { throwIfNoEntry: false });
  if (stats?.isDirectory()) return;
  if (stats) throw new ToolError(`${basename(directory)} is not a directory, so it cannot contain files.`);
  makeDirectory(workspace, dirname(directory));
  inDirectoryToChange(workspace, dirname(directory), (parent) => mkdirSync(join(parent, basename(directory))));
}
