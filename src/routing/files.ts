/** Checks the files of a task before it starts: each exists, may be read, and is text; together they are small enough. */
import type { Problem } from "../errors.ts";
import { type FileRef, MAX_FILES_BYTES } from "../given-file.ts";
import type { Task } from "../task.ts";
import { shortLine } from "../text/short-line.ts";

/** Describes a file or says, in a clause, why it cannot be given. Paths are limited to the workspace. */
export type LookAtFile = (workspace: string, path: string) => FileRef | { unusable: string };

export type FilesFound = { files: FileRef[] } | { problem: Problem };

/** Reads each file once. */
export function createFilePlanner(lookAtFile: LookAtFile): (task: Task, workspace: string) => FilesFound {
  const known = new Map<string, ReturnType<LookAtFile>>();

  function lookAt(workspace: string, path: string): ReturnType<LookAtFile> {
    const id = JSON.stringify([workspace, path]);
    const found = known.get(id) ?? lookAtFile(workspace, path);
    known.set(id, found);
    return found;
  }

  return ({ files: written = [] }, workspace) => {
    const files: FileRef[] = [];
    for (const path of new Set(written)) {
      const found = lookAt(workspace, path);
      if ("unusable" in found) return { problem: unusable(path, found.unusable) };
      files.push(found);
    }
    const total = bytesOf(files);
    if (total <= MAX_FILES_BYTES) return { files };
    const reason = `expected at most ${MAX_FILES_BYTES} bytes together; found ${total}. Name fewer files; the child can read the rest with its tools`;
    return { problem: unusable(`${files.length} files`, reason) };
  };
}

export function bytesOf(files: readonly FileRef[]): number {
  return files.reduce((sum, { bytes }) => sum + bytes, 0);
}

/** Reasons may start with the path. */
function unusable(path: string, reason: string): Problem {
  const said = reason.startsWith(path) ? reason : `${shortLine(path)}: ${reason}`;
  return { code: "file-unusable", field: "files", message: `${said.replace(/\.$/, "")}.`, suggestions: [] };
}
