/** YAML syntax errors, explained to users. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseDocument } from "yaml";
import { yamlError } from "../../src/config/syntax.ts";

test("YAML errors are explained in our words, which quote nothing", () => {
  const words = (text: string) => parseDocument(text, { prettyErrors: false }).errors.map(yamlError)[0];
  assert.match(words("a: 1\n---\nb: 2\n") ?? "", /^expected one document; found another after `---`/);
  assert.match(words("a: 1\n\tb: 2\n") ?? "", /^expected spaces before the key; found a tab/);
  assert.match(words("a: b: c\n") ?? "", /^expected one key in this line; found a second colon/);
  assert.match(words("a: 1\na: 2\n") ?? "", /^expected each key once/);
  assert.match(words('a: "b\n') ?? "", /^expected a closing quote/);
  for (const text of ["a: *b c\n", "a: @b\n", 'a: "\\q"\n']) assert.match(words(text) ?? "", /^expected [^"]*; found /);
});
