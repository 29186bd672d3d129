/** Reads a file that a task gives to its child: the same boundary and rules as for `read_file`, and text only. */
import { closeSync, readFileSync } from "node:fs";
import { type GivenFile, MAX_FILES_BYTES } from "../../given-file.ts";
import { sha256Of } from "../../image.ts";
import { ToolError } from "../tool-error.ts";
import { decode, legacyEncodingOf } from "./edits/text-form.ts";
import { fileSubject } from "./paths/file-subject.ts";
import { locate, openToRead, statsOf, type Workspace } from "./paths/workspace.ts";

/**
 * @param protectionOf why the rules protect a path, as a clause
 * @throws ToolError if it does not exist, leads out of the workspace, is protected, is too large, or is not text
 */
export function readGivenFile(
  workspace: Workspace,
  path: string,
  protectionOf: (path: string) => string | undefined,
): GivenFile {
  const place = locate(workspace, path);
  const protection = fileSubject(workspace, path, "read").file.names.map(protectionOf).find(Boolean);
  if (protection !== undefined) throw new ToolError(`expected a file that may be read; found that ${protection}`);
  if (statsOf(place)?.isDirectory()) throw new ToolError("expected a file; found a directory");
  const { descriptor, stats } = openToRead(workspace, place);
  try {
    if (stats.size > MAX_FILES_BYTES)
      throw new ToolError(`expected at most ${MAX_FILES_BYTES} bytes in all files together; found ${stats.size}`);
    const bytes = readFileSync(descriptor);
    return { name: path, bytes: bytes.length, sha256: sha256Of(bytes), text: textOf(bytes) };
  } finally {
    closeSync(descriptor);
  }
}

function textOf(bytes: Buffer): string {
  const decoded = decode(bytes);
  if (decoded !== undefined) return decoded.text;
  if (bytes.includes(0)) throw new ToolError("expected text; found a binary file");
  throw new ToolError(`expected text in UTF-8 or UTF-16; found what is probably ${legacyEncodingOf(bytes).name}`);
}
