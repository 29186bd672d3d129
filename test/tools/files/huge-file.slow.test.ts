/** Reading a file that is much larger than the memory that may be used for it. */
import assert from "node:assert/strict";
import { closeSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { openWorkshop } from "../workshop.ts";

test("read_file does not hold a huge file in memory, nor a huge line", async (context) => {
  const { workspace, call } = openWorkshop(context);
  const file = openSync(join(workspace, "huge.txt"), "w");
  const block = Buffer.alloc(4_000_000, "x");
  for (let written = 0; written < 150_000_000; written += block.length) writeSync(file, block);
  writeSync(file, "\nlast\n");
  closeSync(file);
  const before = process.memoryUsage().rss;
  const { text } = await call("read_file", { path: "huge.txt" });
  assert.ok(process.memoryUsage().rss - before < 100_000_000);
  assert.match(
    text,
    /^1\t\[one word of 8000 characters is left out\]\[… 152000000 more bytes in this line\. .+\]\n2\tlast$/,
  );
});
