/** Moves and removes files of the workspace, within its boundary: the file itself stays the same, with all it has. */
import { lstatSync, renameSync, unlinkSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { ToolError } from "../../tool-error.ts";
import type { OwnCheck } from "./own-files.ts";
import {
  checkWritable,
  deputys,
  inDirectoryToChange,
  makeDirectory,
  type ResolvedPath,
  type Workspace,
} from "./workspace.ts";

/**
 * Renames a file; creates missing directories.
 * @throws ToolError if something exists at the new path, or the file is read-only, not a file or Deputy's own
 */
export function moveFile(workspace: Workspace, from: ResolvedPath, to: ResolvedPath): void {
  makeDirectory(workspace, dirname(to.real));
  inDirectoryToChange(workspace, dirname(from.real), (source, ownOfSource, realSource) => {
    const old = fileIn(from, source, ownOfSource, realSource);
    inDirectoryToChange(workspace, dirname(to.real), (target, ownOfTarget, realTarget) => {
      const path = join(target, basename(to.real));
      if (ownOfTarget.isOwn(join(realTarget, basename(to.real)))) throw deputys(to.shown);
      if (lstatSync(path, { throwIfNoEntry: false })) throw new ToolError(`${to.shown} exists already.`);
      renameSync(old, path);
    });
  });
}

/** @throws ToolError if the file is read-only, not a file or Deputy's own */
export function removeFile(workspace: Workspace, place: ResolvedPath): void {
  inDirectoryToChange(workspace, dirname(place.real), (directory, own, real) =>
    unlinkSync(fileIn(place, directory, own, real)),
  );
}

/** The path of a file that may be taken away, in its open directory. */
function fileIn(place: ResolvedPath, directory: string, own: OwnCheck, real: string): string {
  const path = join(directory, basename(place.real));
  const stats = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  if (stats === undefined) throw new ToolError(`${place.shown} does not exist.`);
  if (own.isOwn(join(real, basename(place.real))) || own.isOwnFile(stats)) throw deputys(place.shown);
  checkWritable(place, lstatSync(path));
  return path;
}
