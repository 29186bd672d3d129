/** Loads the texts of a task's files, which must be what they were when the task was planned. */
import type { Failure } from "../../errors.ts";
import type { FileRef, GivenFile } from "../../given-file.ts";
import type { Ready } from "../../plan.ts";
import { toolErrorText } from "../../tools/tool-error.ts";
import type { Setup, WorkPlace } from "../setup/setup.ts";

/** @param readGivenFile @throws ToolError, or an error of the system */
export function loadGivenFiles(
  { files = [], ...place }: Ready,
  { readGivenFile }: Pick<Setup, "readGivenFile">,
): GivenFile[] | { failure: Failure } {
  const loaded: GivenFile[] = [];
  for (const ref of files) {
    const file = loadFile(ref, place, readGivenFile);
    if ("lost" in file) return { failure: { kind: "input-changed", message: file.lost } };
    loaded.push(file);
  }
  return loaded;
}

function loadFile(
  { name, sha256 }: FileRef,
  place: WorkPlace,
  readGivenFile: Setup["readGivenFile"],
): GivenFile | { lost: string } {
  try {
    const found = readGivenFile(place, name);
    if (found.sha256 === sha256) return found;
    return { lost: `The file ${name} changed after the task was planned. Restore it, or run the task again.` };
  } catch (error) {
    const reason = toolErrorText(error);
    if (reason === undefined) throw error;
    return { lost: `The file ${name} can no longer be read: ${reason} Restore it, or run the task again.` };
  }
}
