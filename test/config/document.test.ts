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

for (const [on, path] of [
  ["run-end", "hooks[0].on"],
  ["[child-end, run-end]", "hooks[0].on[1]"],
  ["[run-end]", "hooks[0].on[0]"],
] as const)
  test(`a hook on ${on}, which is no event, is an error that lists the events`, () => {
    const read = readDocument("config.yaml", `hooks:\n  - { on: ${on}, command: "true" }\n`);
    const [error = "", ...more] = "errors" in read ? read.errors : [];
    assert.ok(error.includes(`${path}: expected one of delegation-start, `), error);
    assert.match(error, /child-end.*; found "run-end"/);
    assert.deepEqual(more, []);
  });

test("a model that is no text and no map is still an error about models", () => {
  const read = readDocument("config.yaml", "models: { small: 3 }\n");
  assert.match(("errors" in read && read.errors[0]) || "", /models\.small: expected a model \(text\) or a map/);
});
