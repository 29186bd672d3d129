/** A small sample of `npm run stress -- soak`. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { soak } from "../support/soak.ts";

/** Growth beyond this per child means that a child is retained. A running child takes about 40 KB. */
const MAX_BYTES_PER_CHILD = 8_000;
/** The heap also grows in single steps of up to a megabyte, such as for compiled code: fewer children cannot tell. */
const CHILDREN = 800;

test("a process that delegates again and again holds nothing open and keeps nothing of its children", async () => {
  const readings = await soak(CHILDREN, 40, () => {});
  const [, , , , early] = readings;
  const last = readings.at(-1);
  assert.ok(early && last);
  const open = ({ handles, files, listeners }: typeof last) => ({ handles, files, listeners });
  assert.deepEqual(open(last), open(early));
  const keptBytes = (last.heap - early.heap) / (last.children - early.children);
  assert.ok(keptBytes < MAX_BYTES_PER_CHILD, `${keptBytes} bytes are kept of each child`);
});
