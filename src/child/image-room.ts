/** Room for images in a request: as many images of tool results as its API takes, for a model that accepts images. */
import type { Image, StoredImage } from "../image.ts";
import { IMAGE_LIMITS, megabytes, plainType } from "../image-limits.ts";
import type { Route } from "../route.ts";
import type { ToolImage } from "../tool.ts";
import type { Message } from "./message.ts";

/** Images of a conversation at a time, with the task's. Anthropic takes more only if they are small. */
const MOST_IMAGES = 20;

/** Bytes of images, in base64, by hash. */
export type ImageBytes = ReadonlyMap<string, string>;

type ShownImage = Pick<ToolImage, "mediaType" | "base64">;

export type ImageRoom = {
  /** Admits the next image, or returns why its model is not shown it, as a clause. */
  admit(image: ShownImage): string | undefined;
};

/** @param images those of the task, which come first */
export function createImageRoom(route: Route, images: readonly Image[]): ImageRoom {
  const { maxTotalBytes } = IMAGE_LIMITS[route.endpoint.apiMode];
  let count = images.length;
  let total = images.reduce((sum, image) => sum + ("base64" in image ? bytesIn(image.base64) : 0), 0);

  function admit(image: ShownImage): string | undefined {
    const bytes = bytesIn(image.base64);
    const refusal = whyUnfit(route, image);
    if (refusal !== undefined) return refusal;
    if (count >= MOST_IMAGES) return `this conversation already has ${count} images`;
    if (total + bytes > maxTotalBytes)
      return `the images of this conversation would have more than ${megabytes(maxTotalBytes)} together`;
    count += 1;
    total += bytes;
    return undefined;
  }

  return { admit };
}

function whyUnfit({ facts, endpoint }: Route, { mediaType, base64 }: ShownImage): string | undefined {
  const { types, maxBytes } = IMAGE_LIMITS[endpoint.apiMode];
  if (facts.vision !== true) return "this model is not known to accept images";
  if (!types.includes(mediaType)) return `the API of this model takes ${types.map(plainType).join(", ")}`;
  return bytesIn(base64) > maxBytes ? `the API of this model takes at most ${megabytes(maxBytes)}` : undefined;
}

/** The images in the results of a conversation, oldest first. */
export function imagesIn(messages: readonly Message[]): StoredImage[] {
  return messages.flatMap((message) => (message.role === "tool" ? (message.images ?? []) : []));
}

function bytesIn(base64: string): number {
  return Math.floor((base64.length * 3) / 4);
}
