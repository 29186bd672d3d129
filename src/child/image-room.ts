/** Which images in the results of tools a request can show: as many as its API takes, to a model that accepts images. */

import type { Image, StoredImage } from "../image.ts";
import { IMAGE_LIMITS, megabytes, plainType } from "../image-limits.ts";
import type { Route } from "../route.ts";
import type { ToolImage } from "../tool.ts";
import type { Message } from "./message.ts";

/** Images of a conversation at a time, with the task's. Anthropic takes more only if they are small. */
const MOST_IMAGES = 20;

/** The images of a request so far. */
export type ImageRoom = { count: number; bytes: number };

/** Bytes of images, in base64, by hash. */
export type ImageBytes = ReadonlyMap<string, string>;

export function roomWith(images: readonly Image[]): ImageRoom {
  const bytes = images.reduce((sum, image) => sum + ("base64" in image ? bytesIn(image.base64) : 0), 0);
  return { count: images.length, bytes };
}

/**
 * Why a model is not shown an image, as a clause; undefined if it is, and then it counts.
 * @param room the images before it, which is updated
 */
export function whyNotShown(
  { facts, endpoint }: Route,
  { mediaType, base64 }: Pick<ToolImage, "mediaType" | "base64">,
  room: ImageRoom,
): string | undefined {
  const { types, maxBytes, maxTotalBytes } = IMAGE_LIMITS[endpoint.apiMode];
  const bytes = bytesIn(base64);
  if (facts.vision !== true) return "this model is not known to accept images";
  if (!types.includes(mediaType)) return `the API of this model takes ${types.map(plainType).join(", ")}`;
  if (bytes > maxBytes) return `the API of this model takes at most ${megabytes(maxBytes)}`;
  if (room.count >= MOST_IMAGES) return `this conversation already has ${room.count} images`;
  if (room.bytes + bytes > maxTotalBytes)
    return `the images of this conversation would have more than ${megabytes(maxTotalBytes)} together`;
  room.count += 1;
  room.bytes += bytes;
  return undefined;
}

/** The images in the results of a conversation, oldest first. */
export function imagesIn(messages: readonly Message[]): StoredImage[] {
  return messages.flatMap((message) => (message.role === "tool" ? (message.images ?? []) : []));
}

function bytesIn(base64: string): number {
  return Math.floor((base64.length * 3) / 4);
}
