/** JSON written by people: the place and cause of each error, and the value of valid text. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { JsonError, jsonOffsets, parseJson, parseJsonc } from "../../../src/cli/input/json-text.ts";

function problem(text: string, read: (text: string) => unknown = parseJson): string | undefined {
  try {
    read(text);
    return undefined;
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    return `${error.line}:${error.column} ${error.message}`;
  }
}

describe("an error in JSON is described with its place:", () => {
  const cases: [text: string, problem: string][] = [
    ['{\n  "goal": "x",\n  "model": \n}\n', '4:1 expected a value; found "}"'],
    ['[{"goal":"x"},]', "1:15 expected no comma before ]; found one"],
    ['{"goal": "x",\r\n}', "2:1 expected no comma before }; found one"],
    ['{"goal": "x", // why\n}', "1:15 expected JSON, which has no comments; found one. YAML allows them"],
    ['{"goal": "x" # why\n}', "1:14 expected JSON; found an invalid symbol"],
    ["{'goal': 1}", "1:2 expected a string in double quotes; found single quotes"],
    ['{"goal": "x"', "1:13 expected a close brace; found the end"],
    ['{"goal"', "1:8 expected a colon; found the end"],
    ['{"a": 1 "b": 2}', '1:9 expected a comma; found "\\""'],
    ["[sk-secret]", "1:2 expected JSON; found an invalid symbol"],
    ['{"goal": "x\ny"}', "1:10 expected JSON; found an unexpected end of string"],
    ['{"goal": "\\x"}', "1:10 expected JSON; found an invalid escape character"],
    ["[1] [2]", '1:5 expected the end of file; found "["'],
    ["[01]", '1:3 expected a comma; found "1"'],
  ];
  for (const [text, expected] of cases) test(expected, () => assert.equal(problem(text), expected));
});

describe("a key that is given twice in one object", () => {
  test("is found, however it is written and however deep", () => {
    assert.equal(
      problem('{"goal":"a","model":"m1",\n"model":"m2"}'),
      '2:1 expected each key once; found "model" again',
    );
    assert.match(problem('[{"a":{"b":1}},{"a":{"b":1,\n"c":[{"d":1}],\n "\\u0062":2}}]') ?? "", /^3:2 .*"b" again/);
    assert.match(problem('{"__proto__":1,"__proto__":2}') ?? "", /"__proto__" again/);
  });

  test("is no mistake in different objects, in lists and in texts", () =>
    assert.equal(
      problem('[{"goal":"goal","context":"goal, {\\"goal\\": 1}"},{"goal":"b"},["goal","goal"]]'),
      undefined,
    ));

  test("does not matter to those who read JSON with comments", () =>
    assert.equal(problem('{"a":1,"a":2}', parseJsonc), undefined));
});

test("text from JSON.stringify is read unchanged, including numbers and __proto__", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(undefined, 1, "\t"), (value, space) => {
      const text = JSON.stringify(value, null, space);
      assert.deepEqual(parseJson(text), JSON.parse(text));
    }),
  );
});

test("exactly the texts that JSON.parse rejects are errors with a place", () => {
  const pieces = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    '"a"',
    '"b',
    "1",
    "-",
    ".5",
    "1e",
    "tru",
    "true",
    "\n",
    "\u00a0",
    "'",
    "/*",
    "\\",
  ];
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 8 }), (parts) => {
      const text = parts.join("");
      let isJson = true;
      try {
        JSON.parse(text);
      } catch {
        isJson = false;
      }
      const found = problem(text);
      if (isJson) assert.ok(found === undefined || found.includes("each key once"), found);
      else assert.match(found ?? "none", /^\d+:\d+ expected .+; found .+/);
    }),
    { numRuns: 5000 },
  );
});

test("nesting is read down to 1000 levels; more is refused, whether it is closed or not", () => {
  const nested = (levels: number) => "[".repeat(levels) + "]".repeat(levels);
  assert.equal(problem(nested(1000)), undefined);
  for (const text of [nested(1001), nested(200_000), "[".repeat(200_000), '{"a":'.repeat(200_000)])
    assert.match(problem(text) ?? "", /expected at most 1000 levels; found more/);
});

test("many keys and long texts are checked in linear time", { timeout: 10_000 }, () => {
  const keys = Object.fromEntries(Array.from({ length: 100_000 }, (_, index) => [`k${index}`, index]));
  assert.equal(problem(JSON.stringify(keys)), undefined);
  assert.equal(problem(JSON.stringify(['\\"'.repeat(1_000_000)])), undefined);
});

test("a value is found by its path", () => {
  const offsetOf = jsonOffsets('{"tasks": [1, {"a": 2}]}');
  assert.equal(offsetOf(["tasks", 1, "a"]), 20);
  assert.equal(offsetOf(["tasks", 2]), undefined);
});
