/** Texts that are no JSON or no YAML: where they stop being so, and why, in words for people. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseDocument } from "yaml";
import { jsonError, yamlError } from "../../src/config/syntax.ts";

describe("a mistake in JSON is told by its place and in words:", () => {
  const cases: [text: string, place: string, words: string][] = [
    ['{\n  "goal": "x",\n  "model": \n}\n', "4:1", "expected a value; found }"],
    ['[{"goal":"x"},]', "1:15", "expected no comma before ]; found one"],
    ['{"goal": "x", // why\n}', "1:15", "expected JSON, which has no comments; found one. YAML has them"],
    ["{'goal': 1}", "1:2", "expected a text in double quotes; found single ones"],
    ['{"goal": "x"', "1:13", "expected a closing bracket or quote; found the end"],
    ['{"a": 1 "b": 2}', "1:9", 'expected JSON; found "\\""'],
  ];
  for (const [text, place, words] of cases)
    test(words, () => {
      const { line, column, message } = jsonError(text);
      assert.deepEqual([`${line}:${column}`, message], [place, words]);
    });
});

test("the usual mistakes in YAML are told in words of ours, the others in the parser's", () => {
  const words = (text: string) => parseDocument(text, { prettyErrors: false }).errors.map(yamlError)[0];
  assert.match(words("a: 1\n---\nb: 2\n") ?? "", /^expected one document; found another after `---`/);
  assert.match(words("a: 1\n\tb: 2\n") ?? "", /^expected spaces before the key; found a tab/);
  assert.match(words("a: b: c\n") ?? "", /^expected one key in this line; found a second colon/);
  assert.match(words("a: 1\na: 2\n") ?? "", /^expected each key once/);
  assert.match(words('a: "b\n') ?? "", /^expected a closing quote/);
  assert.equal(words("a: *b c\n")?.includes("\n"), false);
});
