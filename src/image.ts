/**
 * Images of a task: given as paths, URLs or `data:` URLs, recognized by their first bytes, and kept as a reference and
 * a hash. Their bytes are read when a request needs them; no plan contains them, and no event except their own.
 */
import { createHash } from "node:crypto";

/** Maximum number of images per task. */
export const MAX_IMAGES = 8;

export const IMAGE_TYPES = ["image/png", "image/jpeg", "image/gif", "image/webp"] as const;
export type ImageType = (typeof IMAGE_TYPES)[number];

/** An image reference, with what planning found out about the image. `name` is what people and the model see. */
export type ImageRef =
  | { from: "file"; name: string; mediaType: ImageType; bytes: number; sha256: string }
  /** Given as a `data:` URL; its bytes are stored once, by hash. */
  | { from: "data"; name: string; mediaType: ImageType; bytes: number; sha256: string }
  /** The provider fetches it; Deputy does not. `mediaType` is guessed from the path. */
  | { from: "url"; name: string; mediaType?: ImageType };

/** An image as a request contains it. */
export type Image = { mediaType: ImageType; base64: string } | { mediaType?: ImageType; url: string };

/** An image in a tool's result, as events refer to it: its run stores the bytes once. */
export type StoredImage = { sha256: string; mediaType: ImageType };

export const NO_IMAGE = "expected a PNG, JPEG, GIF or WebP by its first bytes; found something else";

/** Detects the type of an image by its first bytes, ignoring its name; undefined for anything else. */
export function imageTypeOf(bytes: Buffer): ImageType | undefined {
  const starts = (text: string, at = 0) => bytes.toString("latin1", at, at + text.length) === text;
  if (starts("\x89PNG\r\n\x1a\n")) return "image/png";
  if (starts("\xff\xd8\xff")) return "image/jpeg";
  if (starts("GIF87a") || starts("GIF89a")) return "image/gif";
  return starts("RIFF") && starts("WEBP", 8) ? "image/webp" : undefined;
}

const TYPE_OF_EXTENSION: Record<string, ImageType> = {
  png: "image/png",
  jpg: "image/jpeg",
  jpeg: "image/jpeg",
  gif: "image/gif",
  webp: "image/webp",
};

/** Guesses the type of an image from the path of its URL. */
export function imageTypeIn({ pathname }: URL): ImageType | undefined {
  const extension = /\.([a-z]+)$/i.exec(pathname)?.[1]?.toLowerCase() ?? "";
  return Object.hasOwn(TYPE_OF_EXTENSION, extension) ? TYPE_OF_EXTENSION[extension] : undefined;
}

export function isDataUrl(written: string): boolean {
  return /^data:/i.test(written);
}

/** Decodes a base64 `data:` URL; undefined if it is malformed. */
export function bytesOfDataUrl(written: string): Buffer | undefined {
  const comma = written.indexOf(",");
  if (comma < 0 || !/;base64$/i.test(written.slice(0, comma).trim())) return undefined;
  const base64 = written.slice(comma + 1).replace(/\s+/g, "");
  const bytes = Buffer.from(base64, "base64");
  const isWhole = bytes.length > 0 && withoutPadding(bytes.toString("base64")) === withoutPadding(base64);
  return isWhole ? bytes : undefined;
}

function withoutPadding(base64: string): string {
  return base64.replace(/={1,2}$/, "");
}

export function sha256Of(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}
