/** Reads an image that a task names, recognized by its first bytes. */
import { readSync } from "node:fs";
import { type ImageType, imageTypeOf, NO_IMAGE, sha256Of } from "../../image.ts";
import { ToolError } from "../tool-error.ts";
import type { Workspace } from "./paths/workspace.ts";
import { type ProtectionOf, readPermitted } from "./read-permitted.ts";

/** More than any API accepts. */
const MAX_BYTES = 20 * 1024 * 1024;

export type ImageFile = { mediaType: ImageType; bytes: Buffer; sha256: string };

/** @throws ToolError as `readPermitted`, or if it is too large or not an image */
export function readImageFile(workspace: Workspace, path: string, protectionOf: ProtectionOf): ImageFile {
  return readPermitted(workspace, path, { what: "an image", protectionOf }, (descriptor, { size }) => {
    if (size > MAX_BYTES) throw new ToolError(`expected at most ${MAX_BYTES} bytes; found ${size}`);
    const bytes = readWhole(descriptor, size);
    const mediaType = imageTypeOf(bytes);
    if (mediaType === undefined) throw new ToolError(NO_IMAGE);
    return { mediaType, bytes, sha256: sha256Of(bytes) };
  });
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
