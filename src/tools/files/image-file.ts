/** Reads images that a task names or a child reads, recognized by their first bytes. */
import { readSync } from "node:fs";
import { type ImageType, imageTypeOf, NO_IMAGE, sha256Of } from "../../image.ts";
import { plainType } from "../../image-limits.ts";
import type { ToolOutput } from "../../tool.ts";
import { MAX_IMAGE_BYTES, shownImage, TOO_LARGE } from "../shown-image.ts";
import { ToolError } from "../tool-error.ts";
import type { Workspace } from "./paths/workspace.ts";
import { type ProtectionOf, readPermitted } from "./read-permitted.ts";

export type ImageFile = { mediaType: ImageType; bytes: Buffer; sha256: string };

/** @throws ToolError as `readPermitted`, or if it is too large or not an image */
export function readImageFile(workspace: Workspace, path: string, protectionOf: ProtectionOf): ImageFile {
  return readPermitted(workspace, path, { what: "an image", protectionOf }, (descriptor, { size }) => {
    if (size > MAX_IMAGE_BYTES) throw new ToolError(`expected at most ${MAX_IMAGE_BYTES} bytes; found ${size}`);
    const bytes = readWhole(descriptor, size);
    const mediaType = imageTypeOf(bytes);
    if (mediaType === undefined) throw new ToolError(NO_IMAGE);
    return { mediaType, bytes, sha256: sha256Of(bytes) };
  });
}

/** Enough to recognize an image. */
const HEAD_BYTES = 16;

/** `shown`: its path in answers. */
export type OpenFile = { descriptor: number; size: number; shown: string };

/** The answer to reading an image. Undefined for any other file, and for a damaged image. */
export function imageOutput({ descriptor, size, shown }: OpenFile): ToolOutput | undefined {
  const mediaType = imageTypeOf(readWhole(descriptor, Math.min(size, HEAD_BYTES)));
  if (mediaType === undefined) return undefined;
  if (size > MAX_IMAGE_BYTES) {
    const facts = `${plainType(mediaType)}, ${size} bytes`;
    return { ok: true, text: `${shown} is an image (${facts}). It is not shown: ${TOO_LARGE}.` };
  }
  const found = shownImage(readWhole(descriptor, size));
  if (found === undefined) return undefined;
  const text = `${shown} is an image (${found.facts}).`;
  if ("unshown" in found) return { ok: true, text: `${text} It is not shown: ${found.unshown}.` };
  return { ok: true, text, images: [found.image] };
}

/** Reads, from the start, up to as many bytes as the file had when it was opened. */
function readWhole(descriptor: number, size: number): Buffer {
  const bytes = Buffer.alloc(size);
  let length = 0;
  for (;;) {
    const read = readSync(descriptor, bytes, length, size - length, length);
    length += read;
    if (read === 0 || length === size) return bytes.subarray(0, length);
  }
}
