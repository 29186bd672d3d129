/** YAML syntax errors, explained to users. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseDocument } from "yaml";
import { yamlError } from "../../src/config/syntax.ts";

/** The explanation of a text's first error. */
function words(text: string): string | undefined {
  const { errors } = parseDocument(text, { prettyErrors: false });
  return errors[0] && yamlError(errors[0], errors);
}

test("YAML errors are explained in our words, which quote nothing", () => {
  assert.match(words("a: 1\n---\nb: 2\n") ?? "", /^expected one document; found another after `---`/);
  assert.match(words("a: 1\n\tb: 2\n") ?? "", /^expected spaces before the key; found a tab/);
  assert.match(words("a: b: c\n") ?? "", /^expected one key in this line; found a second colon/);
  assert.match(words("a: 1\na: 2\n") ?? "", /^expected each key once/);
  assert.match(words('a: "b\n') ?? "", /^expected a closing quote/);
  for (const text of ["a: *b c\n", "a: @b\n", 'a: "\\q"\n']) assert.match(words(text) ?? "", /^expected [^"]*; found /);
});

test("wrong indentation is reported as such, and a missing bracket as that", () => {
  for (const text of [
    "tasks:\n  - goal: a\n    model: m\n   provider: z\n",
    "- goal: a\n model: m\n",
    "tasks:\n  - goal: a\n  model: m\n",
    "tasks:\n - goal: a\n- goal: b\n",
    "tasks:\n  - goal: a\n - goal: b\n",
    "delegation:\n    model: m\n  provider: z\n",
    "tasks:\n  - goal: a\n      model: m\n",
    "context: c\n tasks:\n  - goal: a\n",
    "tasks:\n  - goal: a\n    context: |\n   text\n    model: m\n",
  ])
    assert.match(words(text) ?? "", /^wrong indentation: expected the keys of one map/, text);
  assert.match(words("tags: [a, b\nmodel: m\n") ?? "", /^expected a closing \] before this line/);
  assert.match(words("model: {model: m\nprovider: z\n") ?? "", /^expected a closing \} before this line/);
  assert.match(words("goal: Say: hello\n") ?? "", /^expected one key in this line; found a second colon/);
});
