/** Reads an image file within a workspace's boundary, recognized by its first bytes. */
import { closeSync, readSync } from "node:fs";
import { type ImageType, imageTypeOf, NO_IMAGE, sha256Of } from "../../image.ts";
import { ToolError } from "../tool-error.ts";
import { fileSubject } from "./paths/file-subject.ts";
import { locate, openToRead, statsOf, type Workspace } from "./paths/workspace.ts";

/** More than any API accepts. */
const MAX_BYTES = 20 * 1024 * 1024;

export type ImageFile = { mediaType: ImageType; bytes: Buffer; sha256: string };

/**
 * @param protectionOf why the rules protect a path, as a clause
 * @throws ToolError if it does not exist, leads out of the workspace, is protected, is too large, or is not an image
 */
export function readImageFile(
  workspace: Workspace,
  path: string,
  protectionOf: (path: string) => string | undefined,
): ImageFile {
  const place = locate(workspace, path);
  const protection = fileSubject(workspace, path, "read").file.names.map(protectionOf).find(Boolean);
  if (protection !== undefined) throw new ToolError(`expected an image that may be read; found that ${protection}`);
  if (statsOf(place)?.isDirectory()) throw new ToolError("expected a file; found a directory");
  const { descriptor, stats } = openToRead(workspace, place);
  try {
    if (stats.size > MAX_BYTES) throw new ToolError(`expected at most ${MAX_BYTES} bytes; found ${stats.size}`);
    const bytes = readWhole(descriptor, stats.size);
    const mediaType = imageTypeOf(bytes);
    if (mediaType === undefined) throw new ToolError(NO_IMAGE);
    return { mediaType, bytes, sha256: sha256Of(bytes) };
  } finally {
    closeSync(descriptor);
  }
}

/** Reads up to as many bytes as the file had when it was opened. */
function readWhole(descriptor: number, size: number): Buffer {
  const bytes = Buffer.alloc(size);
  let length = 0;
  for (;;) {
    const read = readSync(descriptor, bytes, length, size - length, null);
    length += read;
    if (read === 0 || length === size) return bytes.subarray(0, length);
  }
}
