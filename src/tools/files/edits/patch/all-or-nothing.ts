/**
 * Makes the changes of several files in one synchronous turn. If one fails, those before it are undone, and the error
 * is thrown. A file to delete is set aside first, so that it comes back as it was.
 */
import { rmdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { ToolError, toolErrorText } from "../../../tool-error.ts";
import { moveFile, removeFile } from "../../paths/move-file.ts";
import { type ResolvedPath, replaceFile, type Workspace } from "../../paths/workspace.ts";

/** `before`: the content to return to; absent for a new file. */
export type FileStep =
  | { kind: "write"; place: ResolvedPath; content: Buffer; before?: Buffer }
  | { kind: "move"; place: ResolvedPath; to: ResolvedPath }
  | { kind: "delete"; place: ResolvedPath };

/**
 * @param temporaryName of drafts, unique to the child
 * @returns how many names each written file has, by real path
 * @throws ToolError, or an error of the system
 */
export function makeAll(workspace: Workspace, steps: readonly FileStep[], temporaryName: string): Map<string, number> {
  const undo: (() => void)[] = [];
  const setAside: ResolvedPath[] = [];
  const names = new Map<string, number>();

  function write({ place, content, before }: Extract<FileStep, { kind: "write" }>): void {
    const created = before === undefined ? missingDirectories(place) : [];
    undo.push(() => created.forEach(removeEmpty));
    names.set(place.real, replaceFile(workspace, place, content, temporaryName).names);
    undo.push(() => {
      if (before === undefined) removeFile(workspace, place);
      else replaceFile(workspace, place, before, temporaryName);
    });
  }

  function move(from: ResolvedPath, to: ResolvedPath): void {
    const created = missingDirectories(to);
    undo.push(() => created.forEach(removeEmpty));
    moveFile(workspace, from, to);
    undo.push(() => moveFile(workspace, to, from));
  }

  function remove(place: ResolvedPath): void {
    const real = join(dirname(place.real), `${temporaryName}.${setAside.length}`);
    const aside = { real, shown: place.shown };
    move(place, aside);
    setAside.push(aside);
  }

  try {
    for (const step of steps) {
      if (step.kind === "write") write(step);
      else if (step.kind === "move") move(step.place, step.to);
      else remove(step.place);
    }
  } catch (error) {
    const failures = undone(undo);
    if (failures.length === 0) throw error;
    const reason = toolErrorText(error) ?? String(error);
    throw new ToolError(`${reason} Not everything could be undone: ${failures.join(" ")} Check the files.`);
  }
  for (const each of setAside) removeFile(workspace, each);
  return names;
}

/** Undoes what was done, last first. Returns what failed. */
function undone(undo: readonly (() => void)[]): string[] {
  return undo.toReversed().flatMap((step) => {
    try {
      step();
      return [];
    } catch (error) {
      return [toolErrorText(error) ?? String(error)];
    }
  });
}

/** Directories that a new file needs, the innermost first. */
function missingDirectories({ real }: ResolvedPath): string[] {
  const missing: string[] = [];
  for (let at = dirname(real); statSync(at, { throwIfNoEntry: false }) === undefined; at = dirname(at))
    missing.push(at);
  return missing;
}

function removeEmpty(directory: string): void {
  if (statSync(directory, { throwIfNoEntry: false }) !== undefined) rmdirSync(directory);
}
