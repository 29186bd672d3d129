/**
 * The size of an image in pixels, read from its own fields. A damaged or cut-off image has no size: a provider would
 * refuse every further request of a conversation that contains it.
 */
import type { ImageType } from "./image.ts";

export type ImageSize = { width: number; height: number };

/** Undefined if the bytes are not a whole image of this type. */
export function imageSize(bytes: Buffer, type: ImageType): ImageSize | undefined {
  try {
    const size = READ[type](bytes);
    return size !== undefined && size.width > 0 && size.height > 0 ? size : undefined;
  } catch (error) {
    if (error instanceof RangeError) return undefined; // It ends before the field.
    throw error;
  }
}

const READ: Record<ImageType, (bytes: Buffer) => ImageSize | undefined> = {
  "image/png": pngSize,
  "image/jpeg": jpegSize,
  "image/gif": gifSize,
  "image/webp": webpSize,
};

const PNG_SIGNATURE_BYTES = 8;
/** Length, type and checksum of a chunk. */
const PNG_CHUNK_BYTES = 12;

/** https://www.w3.org/TR/png-3/: chunks from IHDR to IEND. */
function pngSize(bytes: Buffer): ImageSize | undefined {
  const typeAt = (at: number) => bytes.toString("latin1", at + 4, at + 8);
  if (typeAt(PNG_SIGNATURE_BYTES) !== "IHDR") return undefined;
  let at = PNG_SIGNATURE_BYTES;
  while (typeAt(at) !== "IEND") at += bytes.readUInt32BE(at) + PNG_CHUNK_BYTES;
  return { width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) };
}

/** https://www.w3.org/Graphics/GIF/spec-gif89a.txt: the screen's size; the last block ends with a zero, then `;`. */
function gifSize(bytes: Buffer): ImageSize | undefined {
  if (bytes.lastIndexOf("\0;", undefined, "latin1") < 0) return undefined;
  return { width: bytes.readUInt16LE(6), height: bytes.readUInt16LE(8) };
}

/** A marker of frames: C0 to CF, except the tables DHT, JPG and DAC. */
function isFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
}

/** ITU-T T.81, B.1: segments up to the frame, whose header has the size; the image ends with EOI. */
function jpegSize(bytes: Buffer): ImageSize | undefined {
  if (bytes.lastIndexOf("\xff\xd9", undefined, "latin1") < 0) return undefined;
  let at = 2;
  for (;;) {
    if (bytes.readUInt8(at) !== 0xff) return undefined;
    const marker = bytes.readUInt8(at + 1);
    if (isFrame(marker)) return { width: bytes.readUInt16BE(at + 7), height: bytes.readUInt16BE(at + 5) };
    // Markers may be filled up with FF.
    at += marker === 0xff ? 1 : 2 + bytes.readUInt16BE(at + 2);
  }
}

/** https://developers.google.com/speed/webp/docs/riff_container: the first chunk, whichever it is, has the size. */
function webpSize(bytes: Buffer): ImageSize | undefined {
  if (bytes.readUInt32LE(4) + 8 > bytes.length) return undefined;
  switch (bytes.toString("latin1", 12, 16)) {
    case "VP8X":
      return { width: bytes.readUIntLE(24, 3) + 1, height: bytes.readUIntLE(27, 3) + 1 };
    case "VP8L": {
      const bits = bytes.readUInt32LE(21);
      return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
    }
    case "VP8 ":
      return { width: bytes.readUInt16LE(26) & 0x3fff, height: bytes.readUInt16LE(28) & 0x3fff };
    default:
      return undefined;
  }
}
