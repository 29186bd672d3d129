/** Opens a file that a task names, not its child's model: the same boundary and rules as for `read_file`. */
import { closeSync, type Stats } from "node:fs";
import { ToolError } from "../tool-error.ts";
import { fileSubject } from "./paths/file-subject.ts";
import { locate, openToRead, statsOf, type Workspace } from "./paths/workspace.ts";

/** Returns why the rules protect a path, as a clause; undefined if they do not. */
export type ProtectionOf = (path: string) => string | undefined;

/**
 * Passes the open file to `read`, and closes it.
 * @param what the file is called in errors: `an image`
 * @throws ToolError if it does not exist, leads out of the workspace, is protected, or is not a file
 */
export function readPermitted<Value>(
  workspace: Workspace,
  path: string,
  { what, protectionOf }: { what: string; protectionOf: ProtectionOf },
  read: (descriptor: number, stats: Stats) => Value,
): Value {
  const place = locate(workspace, path);
  const protection = fileSubject(workspace, path, "read").file.names.map(protectionOf).find(Boolean);
  if (protection !== undefined) throw new ToolError(`expected ${what} that may be read; found that ${protection}`);
  if (statsOf(place)?.isDirectory()) throw new ToolError("expected a file; found a directory");
  const { descriptor, stats } = openToRead(workspace, place);
  try {
    return read(descriptor, stats);
  } finally {
    closeSync(descriptor);
  }
}
