import assert from "node:assert/strict";
import { test } from "node:test";
import { asLabel } from "../../src/text/short-line.ts";

test("a label ends with one colon, whatever its text ends with", () => {
  for (const [text, label] of [
    ["Write a haiku about a lion.", "Write a haiku about a lion:"],
    ["Write a haiku", "Write a haiku:"],
    ["Do this:", "Do this:"],
    ["Why does it fail?", "Why does it fail?:"],
    ["Wait...", "Wait...:"],
    ["Write a haiku abou…", "Write a haiku abou…:"],
    ["", ":"],
  ] as const)
    assert.equal(asLabel(text), label);
});
