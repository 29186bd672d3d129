import assert from "node:assert/strict";
import { test } from "node:test";
import { changedLines } from "../../../src/tools/files/edits/changed-lines.ts";

for (const [what, before, after, added, removed] of [
  ["a new file", "", "a\nb\n", 2, 0],
  ["an emptied file", "a\nb\n", "", 0, 2],
  ["a changed line", "a\nb\nc\n", "a\nB\nc\n", 1, 1],
  ["a repeated line", "a\n", "a\na\n", 1, 0],
  ["a moved line", "a\nb\n", "b\na\n", 0, 0],
  ["a last line without its line feed", "a\nb", "a\nb\n", 0, 0],
  ["nothing", "a\n", "a\n", 0, 0],
] as const) {
  test(`the lines of ${what} are counted`, () => {
    assert.deepEqual(changedLines(before, after), { added, removed });
  });
}

test("texts that are too long are not compared", () => {
  assert.equal(changedLines("", "a".repeat(2_000_001)), undefined);
});
