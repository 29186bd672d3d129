/** The smallest possible images, or their first bytes. */

const PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

export const TINY_PNG = Buffer.from(PNG, "base64");
export const TINY_JPEG = Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0xe0]), Buffer.from("JFIF")]);
export const TINY_GIF = Buffer.from("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7", "base64");
export const TINY_WEBP = Buffer.from("RIFF\x1a\x00\x00\x00WEBPVP8L", "latin1");

/** Whole images of 2 × 3 pixels, as far as their size and end go. */
export const SMALL_JPEG = Buffer.from("ffd8ffe000044a46ffc0000b080003000201011100ffd9", "hex");
export const SMALL_WEBP = Buffer.concat([
  Buffer.from("RIFF\x12\0\0\0WEBPVP8L\x05\0\0\0", "latin1"),
  Buffer.from([0x2f, 0x01, 0x80, 0x00, 0x00, 0x00]),
]);

export function dataUrl(bytes: Buffer, mediaType = "image/png"): string {
  return `data:${mediaType};base64,${bytes.toString("base64")}`;
}
