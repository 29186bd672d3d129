/** Reads images that a task names or a child reads, recognized by their first bytes. */
import { readSync } from "node:fs";
import { type ImageType, imageTypeOf, NO_IMAGE, sha256Of } from "../../image.ts";
import { megabytes, plainType } from "../../image-limits.ts";
import { imageSize } from "../../image-size.ts";
import type { ToolOutput } from "../../tool.ts";
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

/** Maximum length of a side in pixels: the most that every API takes. */
const MAX_SIDE = 8_000;
/** Enough to recognize an image. */
const HEAD_BYTES = 16;

/** `shown`: its path in answers. */
export type OpenFile = { descriptor: number; size: number; shown: string };

/** The answer to reading an image. Undefined for any other file, and for a damaged image. */
export function imageOutput({ descriptor, size, shown }: OpenFile): ToolOutput | undefined {
  const mediaType = imageTypeOf(readWhole(descriptor, Math.min(size, HEAD_BYTES)));
  if (mediaType === undefined) return undefined;
  const kind = `${shown} is an image (${plainType(mediaType)}, ${size} bytes`;
  if (size > MAX_BYTES) return { ok: true, text: `${kind}). It is not shown: at most ${megabytes(MAX_BYTES)} are.` };
  const bytes = readWhole(descriptor, size);
  const sides = imageSize(bytes, mediaType);
  if (sides === undefined) return undefined;
  const text = `${kind}, ${sides.width} × ${sides.height} pixels).`;
  if (Math.max(sides.width, sides.height) > MAX_SIDE)
    return { ok: true, text: `${text} It is not shown: at most ${MAX_SIDE} pixels a side are.` };
  return { ok: true, text, images: [{ mediaType, sha256: sha256Of(bytes), base64: bytes.toString("base64") }] };
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
