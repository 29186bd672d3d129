/** Finding the JSON in what models write around it. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { jsonCandidates } from "../../../src/child/schema/json-candidates.ts";

const values = (text: string) => jsonCandidates(text).map((json) => JSON.parse(json));
const fenced = (body: string, info = "json", fence = "```") => `${fence}${info}\n${body}\n${fence}`;

describe("the JSON of an answer", () => {
  const one = { a: 1 };
  const cases: Record<string, [text: string, found: unknown[]]> = {
    "the whole text": [' \n{"a": 1}\n', [one]],
    "a text or a number alone": ["42", [42]],
    "after prose with braces": ['For the set {x, y} the answer is:\n{"a": 1}', [one]],
    "before prose with braces": ['{"a": 1}\nReplace {foo} and [bar] at will.', [one]],
    "inside a sentence": ['The answer is {"a": 1}, as {x} shows.', [one]],
    "after a template": ['Fill {{name}} and $(x): {"a": 1}', [one]],
    "in double braces": ['{{"a": 1}}', [one]],
    "after code": ["function f() { return [1; } // {\n" + '{"a": 1}', [one]],
    "after a quoted brace": ['He wrote "{" and then {"a": 1} twice.', [one]],
    "in a fence": [`Here:\n${fenced('{"a": 1}')}\nDone {x}.`, [one]],
    "in a fence of tildes": [fenced('{"a": 1}', "", "~~~"), [one]],
    "in a fence without an end": ['```json\n{"a": 1}', [one]],
    "in nested fences": [fenced(`Text {x}\n${fenced('{"a": 1}')}`, "markdown", "````"), [one]],
    "with a fence in one of its texts": [fenced('{"a": "```js\\nf({})\\n```"}'), [{ a: "```js\nf({})\n```" }]],
    "in a fenced line": ['```{"a": 1}```', [one]],
    "a number in a fence": [`The result:\n${fenced("42")}`, [42]],
    "in a quote": ['> {"a": 1}\nwas said', [one]],
    "with brackets in its texts": ['See: {"a": "}]{[\\"", "b": [1, {"c": []}]} .', [{ a: '}]{["', b: [1, { c: [] }] }]],
    "with trailing commas": ['Result:\n{"a": 1, "b": [1, 2,],}', [{ a: 1, b: [1, 2] }]],
    "with comments": [
      '{\n  // the first\n  "a": 1, /* , */\n  "b": "// no comment" // last\n}',
      [{ a: 1, b: "// no comment" }],
    ],
    "with comments after the last commas": ['{"a": 1, // one\n "b": [1, /* two */ ], // end\n}', [{ a: 1, b: [1] }]],
    "two drafts and the answer": [
      'A draft:\n{"a": 0}\nBetter:\n{"a": 1}\nFinal:\n{"a": 2}',
      [{ a: 2 }, { a: 1 }, { a: 0 }],
    ],
    "the answer and what only mentions values": [
      '{"a": 1}\nIt was {"a": 0} before. Empty ones ({}) are left out, see [1].',
      [one, [1], {}, { a: 0 }],
    ],
    "a list that a sentence introduces": ["Use [1] as before. The result: [1, 2]", [[1, 2], [1]]],
  };
  for (const [name, [text, found]] of Object.entries(cases))
    test(`is found: ${name}`, () => assert.deepEqual(values(text), found));

  test("is never a part of a damaged value", () => {
    for (const text of [
      '{"a": 1, "b": {"a": 2}, oops}',
      '{"items": [{"a": 1}, {"a": 2}], "total": }',
      '[{"a": 1}, {"a": 2}',
      '{"a": {"a": 1}, "b": "cut of',
      "{'a': 1}",
      '{"a": 01}',
      '{"a": 1,, "b": 2}',
      "[,]",
      "no JSON at all { [ } ]",
      "",
    ])
      assert.deepEqual(values(text), [], text);
    assert.deepEqual(values(`${fenced('{"a": 1, "b": ')}\nAgain:\n${fenced('{"a": 1}')}`), [{ a: 1 }]);
    assert.deepEqual(values('Use {"key": value}. Result: {"a": 1}'), [{ a: 1 }]);
  });

  test("keeps its digits", () => {
    assert.deepEqual(jsonCandidates('The id: {"id": 2512292042121000001, "x": 1e400,}'), [
      '{"id": 2512292042121000001, "x": 1e400}',
    ]);
  });

  test("is found in linear time", () => {
    const pieces = [
      "{",
      "[",
      '{"',
      '["',
      '{"a":',
      "[1,",
      '"\\"',
      '{"\\"',
      "{x}",
      "{}",
      "[/*",
      "[//\n",
      "```\n",
      '{"a":"\n',
      "[[1]",
      '{"a" ',
      "/*{",
    ];
    for (const piece of pieces) assert.ok(jsonCandidates(piece.repeat(1_000_000 / piece.length)).length <= 100);
    assert.deepEqual(jsonCandidates(`x ${"[".repeat(400)}${"]".repeat(400)}`).length, 1);
  });
});
