/** The images that each API accepts. */
import { IMAGE_TYPES, type ImageType } from "./image.ts";
import type { ApiMode } from "./route.ts";

/** `maxBytes`: of one image. `maxTotalBytes`: of all images of a request. */
export type ImageLimits = { types: readonly ImageType[]; maxBytes: number; maxTotalBytes: number };

const MIB = 1024 * 1024;

/**
 * Sources: the vendors' guides on images. Anthropic counts 5 MiB of base64 per image. A request to Gemini may have 20
 * MB, in base64.
 */
export const IMAGE_LIMITS: Record<ApiMode, ImageLimits> = {
  chat_completions: { types: IMAGE_TYPES, maxBytes: 10 * MIB, maxTotalBytes: 20 * MIB },
  responses: { types: IMAGE_TYPES, maxBytes: 10 * MIB, maxTotalBytes: 20 * MIB },
  anthropic_messages: { types: IMAGE_TYPES, maxBytes: 3.75 * MIB, maxTotalBytes: 20 * MIB },
  gemini: { types: ["image/png", "image/jpeg", "image/webp"], maxBytes: 10 * MIB, maxTotalBytes: 14 * MIB },
};

/** `png` for `image/png`. */
export function plainType(type: ImageType): string {
  return type.slice("image/".length);
}

export function megabytes(bytes: number): string {
  return bytes < MIB / 10 ? `${bytes} bytes` : `${Math.round((bytes / MIB) * 100) / 100} MiB`;
}
