/**
 * Images in the results of a child's tools. Events contain their hashes, and the run stores the bytes of each once. Each
 * request shows them again, so a result keeps only images that the model can be shown.
 */
import type { StoredImage } from "../image.ts";
import { routeAt } from "../result.ts";
import type { ToolOutput } from "../tool.ts";
import type { Child } from "./child.ts";
import { createImageRoom, imagesIn } from "./image-room.ts";

/** Keeps the images of a result that the model can be shown. The text says why others are not. */
export function keepImages(child: Child, { text, images = [] }: ToolOutput): { text: string; images?: StoredImage[] } {
  if (images.length === 0) return { text };
  const { conversation, deps, input, imageBytes } = child;
  const route = routeAt(input.planned, conversation.position);
  const room = createImageRoom(route, input.images);
  const earlier = imagesIn(conversation.messages);
  for (const { sha256, mediaType } of earlier) room.admit({ mediaType, base64: imageBytes.get(sha256) ?? "" });
  const kept: StoredImage[] = [];
  const notes: string[] = [];
  for (const [index, { sha256, mediaType, base64 }] of images.entries()) {
    const why = room.admit({ mediaType, base64 });
    const which = images.length === 1 ? "It" : `Image ${index + 1}`;
    if (why !== undefined) notes.push(`${which} is not shown: ${why}.`);
    else {
      deps.keep({ kind: "image-add", sha256, base64 });
      imageBytes.set(sha256, base64);
      kept.push({ sha256, mediaType });
    }
  }
  forgetOthers(imageBytes, [...earlier, ...kept]);
  return { text: [text, ...notes].join(" "), ...(kept.length > 0 && { images: kept }) };
}

/** Frees the memory of images that a compaction removed. */
function forgetOthers(imageBytes: Map<string, string>, images: readonly StoredImage[]): void {
  const needed = new Set(images.map(({ sha256 }) => sha256));
  for (const sha256 of imageBytes.keys()) if (!needed.has(sha256)) imageBytes.delete(sha256);
}
