/**
 * Images in tool results. Not every format takes them there, so they follow the results in a user message that names
 * them. An image that the model cannot be shown is left out, and its result says so.
 */
import type { LanguageModelV4FilePart, LanguageModelV4Message } from "@ai-sdk/provider";
import type { Image } from "../../../image.ts";
import type { Route } from "../../../route.ts";
import { shortLine } from "../../../text/short-line.ts";
import { spelledPath } from "../../../text/spelled-text.ts";
import { createImageRoom, type ImageBytes } from "../../image-room.ts";
import type { Message } from "../../message.ts";

type Picture = { call: string; image: Image };

/** Longest name of a call, in characters. */
const MOST_NAME = 200;

/** @param images those of the task, which come first */
export function createResultImages({
  route,
  images,
  imageBytes,
}: {
  route: Route;
  images: readonly Image[];
  imageBytes?: ImageBytes;
}) {
  const room = createImageRoom(route, images);
  let pictures: Picture[] = [];

  /** Takes the images out of a message, and gathers them. */
  function withoutImages(message: Message): Message {
    if (message.role !== "tool" || message.images === undefined) return message;
    const notes: string[] = [];
    for (const { sha256, mediaType } of message.images) {
      const base64 = imageBytes?.get(sha256);
      const why = base64 === undefined ? "its run does not have it" : room.admit({ mediaType, base64 });
      if (base64 !== undefined && why === undefined)
        pictures.push({ call: callOf(message), image: { mediaType, base64 } });
      else notes.push(`[The image is left out: ${why}.]`);
    }
    return { ...message, text: [message.text, ...notes].join("\n") };
  }

  /** Returns a message with the images gathered since the last one, if there are any. */
  function takeGathered(): LanguageModelV4Message[] {
    if (pictures.length === 0) return [];
    const names = pictures.map(({ call }) => call).join(", ");
    const text = `Images of the results above, in order: ${names}`;
    const content = [...pictures.map(({ image }) => imagePart(image)), { type: "text", text } as const];
    pictures = [];
    return [{ role: "user", content }];
  }

  return { withoutImages, takeGathered };
}

/** The call in one line and in quotes: a path must not pass for the user's words. */
function callOf({ name, target = "" }: Extract<Message, { role: "tool" }>): string {
  return `${name} ${JSON.stringify(spelledPath(shortLine(target, MOST_NAME)))}`;
}

/** An image as bytes, or as a URL that the provider fetches. */
export function imagePart(image: Image): LanguageModelV4FilePart {
  return "url" in image
    ? { type: "file", mediaType: image.mediaType ?? "image/*", data: { type: "url", url: new URL(image.url) } }
    : { type: "file", mediaType: image.mediaType, data: { type: "data", data: image.base64 } };
}
