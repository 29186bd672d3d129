import assert from "node:assert/strict";
import { test } from "node:test";
import { plural } from "../../src/text/plural.ts";

test("counts are grouped, and words fit them", () => {
  const counts = [plural(0, "task"), plural(1, "child"), plural(2, "child"), plural(12_345, "request")];
  assert.deepEqual(counts, ["0 tasks", "1 child", "2 children", "12,345 requests"]);
});
