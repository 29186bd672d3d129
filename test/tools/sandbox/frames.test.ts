import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createFrameReader, FRAME_KINDS, frameBytes } from "../../../src/tools/sandbox/frames.ts";

const frame = fc
  .tuple(fc.constantFrom(...FRAME_KINDS), fc.nat(), fc.uint8Array({ maxLength: 40 }))
  .map(([kind, id, bytes]) => ({ kind, id, body: Buffer.from(bytes) }));

test("frames arrive as they were sent, however the pipe divides them", () => {
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 8 }), fc.array(fc.integer({ min: 1, max: 30 })), (frames, cuts) => {
      const bytes = Buffer.concat(frames.map(({ kind, id, body }) => frameBytes(kind, id, body)));
      const read = createFrameReader();
      const received = [];
      let at = 0;
      for (const length of [...cuts, bytes.length]) {
        received.push(...read(bytes.subarray(at, at + length)));
        at += length;
      }
      assert.deepEqual(received, frames);
    }),
  );
});

test("bytes that are no frame are an error, not memory", () => {
  assert.throws(() => createFrameReader()(Buffer.alloc(9, 0xff)), /too long/);
  assert.throws(() => createFrameReader()(Buffer.from([0, 0, 0, 0, 99, 0, 0, 0, 0])), /no known kind/);
});
