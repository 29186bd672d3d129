/** The size of an image, and what is no whole image. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { IMAGE_TYPES, type ImageType } from "../src/image.ts";
import { imageSize } from "../src/image-size.ts";
import { SMALL_JPEG, SMALL_WEBP, TINY_GIF, TINY_JPEG, TINY_PNG, TINY_WEBP } from "./support/tiny-images.ts";

const WHOLE: [type: ImageType, bytes: Buffer, width: number, height: number][] = [
  ["image/png", TINY_PNG, 1, 1],
  ["image/gif", TINY_GIF, 1, 1],
  ["image/jpeg", SMALL_JPEG, 2, 3],
  ["image/webp", SMALL_WEBP, 2, 3],
  ["image/webp", webp("VP8X", "00000000" + "1f0300" + "570200"), 800, 600],
  ["image/webp", webp("VP8 ", "000000" + "9d012a" + "2003" + "5802"), 800, 600],
];

function webp(chunk: string, fields: string): Buffer {
  const content = Buffer.from(fields, "hex");
  const head = Buffer.from(`RIFF\0\0\0\0WEBP${chunk}\0\0\0\0`, "latin1");
  const bytes = Buffer.concat([head, content]);
  bytes.writeUInt32LE(bytes.length - 8, 4);
  return bytes;
}

describe("the size of an image", () => {
  for (const [type, bytes, width, height] of WHOLE)
    test(`is read from a ${type} (${bytes.toString("latin1", 12, 16).replace(/[^\w ]/g, "")})`, () =>
      assert.deepEqual(imageSize(bytes, type), { width, height }));

  test("is not known of an image that is cut off anywhere", () => {
    for (const [type, bytes] of WHOLE)
      for (let length = 0; length < bytes.length; length++) {
        const isCutInTrailer = type === "image/png" && length >= bytes.length - 4;
        if (!isCutInTrailer) assert.equal(imageSize(bytes.subarray(0, length), type), undefined, `${type} ${length}`);
      }
  });

  test("is not known of the first bytes alone, or of an image without pixels", () => {
    assert.equal(imageSize(TINY_JPEG, "image/jpeg"), undefined);
    assert.equal(imageSize(TINY_WEBP, "image/webp"), undefined);
    const empty = Buffer.from(TINY_PNG);
    empty.writeUInt32BE(0, 16);
    assert.equal(imageSize(empty, "image/png"), undefined);
  });

  test("is looked for in any bytes without an error, in linear time", () => {
    fc.assert(
      fc.property(fc.constantFrom(...WHOLE), fc.uint8Array({ maxLength: 80 }), fc.nat(60), ([, bytes], noise, at) => {
        const changed = Buffer.concat([bytes.subarray(0, at), noise, bytes.subarray(at)]);
        for (const type of IMAGE_TYPES) imageSize(changed, type);
      }),
    );
    for (const piece of ["ff", "ffd9", "00000000", "3b"]) {
      const long = Buffer.alloc(4_000_000, Buffer.from(piece, "hex"));
      for (const type of IMAGE_TYPES) imageSize(long, type);
    }
  });
});
