/** Values of the configuration, as people write them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { readDocument } from "../../src/config/document.ts";

test("a duration or an amount of money may carry its unit", () => {
  const text = "delegation: { child_timeout_seconds: 10m, stall_seconds: 90s, max_cost_usd: $2.50 }\n";
  const read = readDocument("config.yaml", text);
  assert.ok("document" in read, JSON.stringify(read));
  assert.deepEqual(read.document.value, {
    delegation: { child_timeout_seconds: 600, stall_seconds: 90, max_cost_usd: 2.5 },
  });
});

test("a unit of something else is an error that quotes it", () => {
  const read = readDocument("config.yaml", "delegation:\n  stall_seconds: $2\n  max_iterations: 10m\n");
  assert.deepEqual("errors" in read && read.errors, [
    'config.yaml:2:3 delegation.stall_seconds: expected a number; found "$2"',
    'config.yaml:3:3 delegation.max_iterations: expected a number; found "10m"',
  ]);
});
