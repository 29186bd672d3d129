import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { stripVTControlCharacters, styleText } from "node:util";
import fc from "fast-check";
import { displayWidth } from "../../../src/cli/terminal/terminal-text.ts";
import { wrapFor, wrapWords } from "../../../src/cli/terminal/word-wrap.ts";

describe("a line that is too long for the terminal", () => {
  test("breaks between words, and its further rows are indented", () => {
    assert.equal(wrapWords("! one two three four", 11), "! one two\n  three\n  four");
    assert.equal(wrapWords("獅子の 俳句 です", 8), "獅子の\n  俳句\n  です");
  });

  test("keeps a word that is wider than a row, so that it can be copied", () => {
    assert.equal(wrapWords("see https://a.example/long/path now", 10), "see\n  https://a.example/long/path\n  now");
  });

  test("keeps its words, and no row of several words is too wide", () => {
    const words = fc.array(fc.stringMatching(/^[a-z]{1,12}$/), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(words, fc.integer({ min: 8, max: 60 }), (some, columns) => {
        const styled = some.map((word, at) =>
          at % 3 === 0 ? styleText("red", word, { validateStream: false }) : word,
        );
        const wrapped = stripVTControlCharacters(wrapWords(styled.join(" "), columns));
        assert.deepEqual(wrapped.split(/\s+/).filter(Boolean), some);
        for (const row of wrapped.split("\n"))
          assert.ok(displayWidth(row) <= columns || row.trim().split(" ").length === 1, row);
      }),
    );
  });

  test("stays whole in a pipe", () => {
    const line = "word ".repeat(40).trim();
    assert.equal(wrapFor({ write() {} }, line), line);
    assert.ok(wrapFor({ write() {}, isTTY: true, columns: 40 }, line).includes("\n"));
  });
});
