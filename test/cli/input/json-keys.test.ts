import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { repeatedKey } from "../../../src/cli/input/json-keys.ts";

test("a key that stands twice in one object is found, with its line", () => {
  assert.deepEqual(repeatedKey('{"goal":"a","model":"m1",\n"model":"m2"}'), { key: "model", line: 2 });
  assert.deepEqual(repeatedKey('[{"a":{"b":1}},{"a":{"b":1,\n"c":[{"d":1}],\n"\\u0062":2}}]'), { key: "b", line: 3 });
  assert.equal(
    repeatedKey('[{"goal":"goal","context":"goal, {\\"goal\\": 1}"},{"goal":"b"},["goal","goal"]]'),
    undefined,
  );
});

test("what JSON.stringify writes repeats no key", () => {
  fc.assert(fc.property(fc.jsonValue(), (value) => repeatedKey(JSON.stringify(value, null, 1)) === undefined));
});
