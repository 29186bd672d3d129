import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import stringWidth from "string-width";
import { displayWidth, fit, fitEnd, oneLine } from "../../../src/cli/terminal/terminal-text.ts";
import { harmless } from "../../../src/text/spelled-text.ts";

/** Any code points. The unit "binary" of `fc.string` takes seconds to set up. */
const anyText = fc.array(fc.nat(0x10ffff)).map((codes) => String.fromCodePoint(...codes));

test("no control character passes, whatever the text", () => {
  fc.assert(
    fc.property(anyText, (text) => {
      assert.doesNotMatch(harmless(text), /(?![\n\t])\p{Cc}/u);
      assert.doesNotMatch(oneLine(text), /\p{Cc}/u);
    }),
  );
});

test("ordinary text in any script stays as it is", () => {
  for (const text of ["Zürich – “quoted”", "獅子の俳句", "שלום", "🦁 👩‍👩‍👧‍👦", "a\tb\nc"])
    assert.equal(harmless(text), text);
});

test("width is counted in cells", () => {
  assert.equal(displayWidth("abc"), 3);
  assert.equal(displayWidth("獅子"), 4);
  assert.equal(displayWidth("👩‍👩‍👧‍👦"), 2);
  assert.equal(displayWidth("e\u0301"), 1);
  assert.equal(displayWidth("✓ 1 · é → …"), 11);
  assert.equal(displayWidth("⚠\ufe0f❤\ufe0f1\ufe0f\u20e3"), 6);
  assert.equal(displayWidth("ㄅ・ꀀ㊗"), 8);
  assert.equal(displayWidth("นำ"), 2);
});

test("characters that are assumed to be one cell wide are", () => {
  for (let code = 0x20; code < 0x3000; code++) {
    const character = String.fromCodePoint(code);
    assert.equal(displayWidth(character), stringWidth(character), `U+${code.toString(16)}`);
  }
});

test("a text is cut to the available columns, from either end", () => {
  assert.equal(fit("abcdef", 4), "abc…");
  assert.equal(fit("獅子の", 4), "獅…");
  assert.equal(fitEnd("abcdef", 4), "…def");
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.integer({ min: 0, max: 30 }), (text, columns) => {
      assert.ok(displayWidth(fit(oneLine(text), columns)) <= columns);
      assert.ok(displayWidth(fitEnd(oneLine(text), columns)) <= columns);
    }),
  );
});
