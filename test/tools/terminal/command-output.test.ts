/** A command's output is what a person would see on a terminal at the end, as text that a model can read. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createCommandOutput } from "../../../src/tools/terminal/command-output.ts";

/** @param size of the chunks in which the bytes arrive */
function shown(output: string | Uint8Array, size = Number.POSITIVE_INFINITY): string {
  const bytes = Buffer.from(output);
  const { write, text } = createCommandOutput();
  for (let at = 0; at < bytes.length; at += size) write(bytes.subarray(at, Math.min(bytes.length, at + size)));
  return text();
}

const CASES: Record<string, [output: string, shown: string]> = {
  // git, curl and pip redraw one line.
  "a carriage return": ["10%\r50%\r100%\ndone\n", "100%\ndone\n"],
  "a shorter line over a longer one": ["loading…\rok\n", "okading…\n"],
  "a line erased before it is redrawn": ["loading…\r\x1b[Kok\n", "ok\n"],
  "blanks over what was there": ["loading\r       \rok\n", "ok\n"],
  backspaces: ["1%\b\b2%\b\b100%\n", "100%\n"],
  "bold by overstriking": ["N\bNA\bAM\bME\bE and _\bx\n", "NAME and x\n"],
  "line ends of Windows": ["a\r\nb\r\n", "a\nb\n"],
  // npm, docker and cargo redraw several.
  "rows redrawn from above": ["a: pull\nb: pull\n\x1b[2A\x1b[2Ka: done\n\x1b[2Kb: done\n", "a: done\nb: done\n"],
  "rows erased below": ["one\ntwo\nthree\n\x1b[2F\x1b[0Jend\n", "one\nend\n\n"],
  "a column given": ["12345\x1b[2Gx\x1b[4Gy\n", "1x3y5\n"],
  "characters deleted and inserted": ["abcdef\r\x1b[2P\x1b[1@X\n", "Xcdef\n"],
  "a place saved and restored": ["\x1b7one\x1b8two\n\x1b[sab\x1b[uc\n", "two\ncb\n"],
  "a cleared screen": ["old\nold\n\x1b[H\x1b[2Jnew\n", "new\n\n"],
  "a program on the whole screen": ["before\n\x1b[?1049h\x1b[H\x1b[2Jmenu\n\x1b[?1049lafter\n", "before\nafter\n"],
  "moves beyond every border": ["a\x1b[99999999A\x1b[99999999D\x1b[99999999Bb\x1b[99999999C\n", "b\n"],
  // Sequences without an effect on the text.
  colors: ["\x1b[1;38;5;196mred\x1b[0m \x1b[38:2:1:2:3mx\x1b[m\n", "red x\n"],
  "colors of C1": ["\u009b31mred\u009b0m\n", "red\n"],
  "titles and links": ["\x1b]0;title\x07a\x1b]8;;http://x.test\x1b\\link\x1b]8;;\x1b\\\n", "alink\n"],
  "a device string": ["a\x1bPq#0;2;0\x1b\\b\n", "ab\n"],
  "a character set and a keypad mode": ["\x1b(B\x1b=a\x1b>\n", "a\n"],
  "a bell": ["a\x07b\n", "ab\n"],
  "a title without an end": ["a\x1b]0;title\nb\n", "a\nb\n"],
  "a sequence without an end": ["a\nb\x1b[3", "a\nb"],
  "a damaged sequence": ["a\x1b[3\nb\n", "a3\nb\n"],
  // What has no place on a screen is spelled out.
  NUL: ["a\0b\n", "a\\0b\n"],
  "names between NULs": ["src/a.ts\0src/b.ts\0x\0", "src/a.ts\\0src/b.ts\\0x\\0"],
  "other control characters": ["a\x01b\x7f\n", "a\\x01b\\x7f\n"],
};

describe("a command's output", () => {
  for (const [name, [output, expected]] of Object.entries(CASES)) {
    test(`is shown as a terminal would show it: ${name}`, () => {
      assert.equal(shown(output), expected);
      assert.equal(shown(output, 1), expected, "byte by byte");
    });
  }

  test("that is plain text stays as it is", () => {
    const text =
      "\tindented\ttabs \n\n  trailing blanks  \nEnglish, 日本語, 👩‍👩‍👧, e\u0301 and \u{fffd}\nno line feed at the end  ";
    for (const size of [1, 2, 3, 5, 7, 4096]) assert.equal(shown(text, size), text);
    const lines = Array.from({ length: 3_000 }, (_, at) => `line ${at}`).join("\n");
    for (const size of [11, 4096, 1e9]) assert.equal(shown(lines, size), lines);
  });

  test("keeps a long line whole, and a redraw in its last row", () => {
    const line = "0123456789".repeat(2_500);
    assert.equal(shown(`${line}\nend\n`), `${line}\nend\n`);
    assert.equal(shown(`${line}\nend\n`, 1_000), `${line}\nend\n`);
  });

  test("of a million redraws is one line, within bounded memory and time", () => {
    const bar = (at: number) => `\x1b[2K\r\x1b[32mReceiving objects: ${at}\x1b[0m`;
    assert.equal(shown(Array.from({ length: 200_000 }, (_, at) => bar(at)).join("")), "Receiving objects: 199999");
    assert.equal(shown("x\b".repeat(500_000)), "x");
    assert.equal(shown(`${"\x1b[".repeat(300_000)}\n`).length, 1);
    assert.equal(shown(`a\x1b]1337;File=:${"QUJD".repeat(500_000)}\x07b`, 65_536), "ab");
  });

  test("never has half of a character where it is cut or ends", () => {
    assert.equal(shown(Buffer.from("é€😀").subarray(0, 6)), "é€");
    const long = `${"é".repeat(11_999)}😀${"日 ".repeat(30_000)}`;
    const text = shown(long, 4_097);
    assert.match(text, /\n\[… \d+ of 144\d+ bytes cut here …\]\n|\n\[… \d+ of \d+ bytes cut here …\]\n/);
    assert.ok(!text.includes("\u{fffd}") && text.isWellFormed());
  });

  test("that is binary is named, between the lines of text around it", () => {
    const data = Buffer.from(Array.from({ length: 3_000 }, (_, at) => (at * 7919) % 256));
    const output = Buffer.concat([Buffer.from("header\n"), data, Buffer.from("\nok\n")]);
    assert.equal(shown(output), "header\n[binary data, not shown]\nok\n");
  });

  test("in another encoding, and with a few stray bytes, is text", () => {
    const text = shown(Buffer.from("Der Fluß fließt über die Brücke.\n", "latin1"));
    assert.match(text, /^Der Flu. flie.t .ber die Br.cke\.\n$/);
  });
});
