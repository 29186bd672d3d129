/** What a user is asked to judge hides nothing, and ordinary names stay readable. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { commandInLine, longCommandEnds, spelledLines, spelledPath } from "../src/text/spelled-text.ts";

/** Any code points. The unit "binary" of `fc.string` takes seconds to set up. */
const anyText = fc.array(fc.nat(0x10ffff)).map((codes) => String.fromCodePoint(...codes));

describe("a command", () => {
  const HIDDEN: Record<string, number> = {
    "a Hangul filler": 0x3164,
    "a half-width filler": 0xffa0,
    "a Jamo filler": 0x115f,
    "an empty Braille pattern": 0x2800,
    "a grapheme joiner": 0x34f,
    "a combining mark": 0x301,
    "a mark that turns the text": 0x202e,
    "an isolate": 0x2066,
    "a tag": 0xe0041,
    "a variation selector": 0xfe0f,
    "a supplementary variation selector": 0xe0100,
    "a wide blank": 0x3000,
    "a zero-width blank": 0x200b,
    "a Hebrew letter": 0x5d0,
    "an escape": 0x9b,
    "a full-width semicolon": 0xff1b,
    "a private character": 0xe000,
    "a lone surrogate": 0xd800,
  };
  for (const [what, code] of Object.entries(HIDDEN))
    test(`shows ${what} by its code alone`, () => {
      const hex = code.toString(16);
      const shown = code < 0x100 ? `\\x${hex}` : `\\u{${hex}}`;
      assert.deepEqual(spelledLines(`rm a${String.fromCodePoint(code)}b`), [`rm a${shown}b`]);
    });

  const LETTERS: [text: string, shown: string][] = [
    ["cat caf\u00e9", "cat caf\u00e9\\xe9"],
    ["\u0441url x", "\u0441\\u{441}url x"],
    ["gr\u03b5p", "gr\u03b5\\u{3b5}p"],
    ["ls \u7345", "ls \u7345\\u{7345}"],
    ["echo \uff41", "echo \uff41\\u{ff41}"],
  ];
  for (const [text, shown] of LETTERS)
    test(`shows ${text} with the code of the letter that is not ASCII`, () => {
      assert.deepEqual(spelledLines(text), [shown]);
    });

  test("of printable ASCII stays as it is, line by line, with blanks at the end of a line marked", () => {
    const command = "git log --format='%h %s' | head -3\nnpm test && echo \"~$HOME\"";
    assert.deepEqual(spelledLines(command), command.split("\n"));
    assert.deepEqual(spelledLines("echo x  \n"), ["echo x··", ""]);
  });

  test("contains nothing else than ASCII, shown letters and dots, whatever the text", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const shown = spelledLines(text).join("");
        assert.doesNotMatch(shown, /[^\x20-\x7e·\p{L}]|\p{Default_Ignorable_Code_Point}/u);
        assert.ok(text.length > 400 || commandInLine(text).split("\n").length === 1);
      }),
    );
  });

  test("that is short only before its characters are spelled out is shown with both ends too", () => {
    const { size = "", ends = "" } = longCommandEnds(`rm -rf ~ #${"\u3164".repeat(400)}; true`) ?? {};
    assert.equal(size, "416 characters on 1 line.");
    assert.match(ends, /^It begins with “rm -rf ~ #\\u\{3164\}.*; true”\.$/);
    assert.equal(longCommandEnds("npm test"), undefined);
  });
});

test("a directory keeps its names in any script, without what hides", () => {
  for (const path of ["/home/z\u00fcrich", "/work/\u7345\u5b50", "/\u0434\u043e\u043c/e\u0301"])
    assert.equal(spelledPath(path), path);
  assert.equal(spelledPath("/a\u202eb\nc\u3164d\u2800"), "/a\\u{202e}b\\nc\\u{3164}d\\u{2800}");
});
