/** Images in results of tools: described in words, and shown if every API that takes images could take them. */
import { imageTypeOf, sha256Of } from "../image.ts";
import { megabytes, plainType } from "../image-limits.ts";
import { imageSize } from "../image-size.ts";
import type { ToolImage } from "../tool.ts";

/** Maximum size of an image. More than any API accepts. */
export const MAX_IMAGE_BYTES = 20 * 1024 * 1024;
/** Maximum length of a side in pixels: the most that every API takes. */
const MAX_SIDE = 8_000;

/** `facts`: `png, 70 bytes, 1 × 1 pixels`. Either the image, or why it is not shown, as a sentence without "It". */
export type DescribedImage = { facts: string } & ({ image: ToolImage } | { unshown: string });

/** Undefined for anything but an image of a known type, and for a damaged one. */
export function shownImage(bytes: Buffer): DescribedImage | undefined {
  const mediaType = imageTypeOf(bytes);
  const sides = mediaType && imageSize(bytes, mediaType);
  if (mediaType === undefined || sides === undefined) return undefined;
  const facts = `${plainType(mediaType)}, ${bytes.length} bytes, ${sides.width} × ${sides.height} pixels`;
  if (bytes.length > MAX_IMAGE_BYTES) return { facts, unshown: TOO_LARGE };
  if (Math.max(sides.width, sides.height) > MAX_SIDE)
    return { facts, unshown: `at most ${MAX_SIDE} pixels a side are` };
  return { facts, image: { mediaType, sha256: sha256Of(bytes), base64: bytes.toString("base64") } };
}

/** The end of "It is not shown: …", for an image of which only the size is known. */
export const TOO_LARGE = `at most ${megabytes(MAX_IMAGE_BYTES)} are`;
