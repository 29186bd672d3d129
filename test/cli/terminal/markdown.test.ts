/** Markdown of models on a terminal: formatted, fitted to its columns, and never obeyed by it. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { TextStyle } from "../../../src/cli/io.ts";
import { answerTextOn } from "../../../src/cli/terminal/markdown/answer-text.ts";
import { markdownRows } from "../../../src/cli/terminal/markdown/markdown.ts";
import { createMarkdownFlow } from "../../../src/cli/terminal/markdown/markdown-flow.ts";
import { painted } from "../../../src/cli/terminal/markdown/spans.ts";
import { displayWidth } from "../../../src/cli/terminal/terminal-text.ts";
import { harmless } from "../../../src/text/spelled-text.ts";

const plain = (_style: unknown, text: string) => text;
const shown = (text: string, columns = 60) => markdownRows(text, columns).map((row) => painted(row, plain).text);
/** The texts with a style. */
const styled = (text: string, style: TextStyle) =>
  markdownRows(text, 60).flatMap((row) => row.flatMap((each) => (each.styles.includes(style) ? [each.text] : [])));

describe("Markdown on a terminal", () => {
  for (const [what, text, rows] of [
    ["headings, emphasis and code", "# One *two*\n\na **b** _c_ `d*e*` ~~f~~", ["One two", "", "a b c d*e* f"]],
    ["line breaks of the model", "Silver arcs\nat dusk", ["Silver arcs", "at dusk"]],
    ["nested lists", "- a\n  - b\n    1. c\n- [x] d\n- [ ] e", ["• a", "  • b", "    1. c", "• ☑ d", "• ☐ e"]],
    ["loose lists", "9. a\n\n   b\n\n10. c", ["9. a", "", "   b", "", "10. c"]],
    ["quotes", "> a\n> - b", ["│ a", "│ • b"]],
    ["a link, with where it leads", "[text](http://a.b) <http://c.d>", ["text (http://a.b) http://c.d"]],
    ["a link that pretends", "[http://good](http://evil)", ["http://good (http://evil)"]],
    ["HTML and entities as they are written", "a <b>c</b> &lt;d&gt;", ["a <b>c</b> <d>"]],
    ["a code block", "a\n```ts\nlet b = 1;\n\n**c**\n```\nd", ["a", "  let b = 1;", "", "  **c**", "d"]],
    ["an unclosed fence as text", "```js\nlet *a*", ["```js", "let *a*"]],
    ["a broken table as text", "| a | b\n| 1 |", ["| a | b", "| 1 |"]],
    ["JSON as it is", '{"a_b_c": "**d**"}', ['{"a_b_c": "**d**"}']],
    ["wide characters", "| a | b |\n|-|-|\n| 漢字 | c |", ["a     b", "───────", "漢字  c"]],
  ] as const)
    test(`shows ${what}`, () => assert.deepEqual(shown(text), rows));

  test("fits tables to the columns, by wrapping their cells or as lists", () => {
    const table = "| name | says |\n|:-|-:|\n| one | what it says is long |\n| two | x |";
    assert.deepEqual(shown(table, 20), [
      "name            says",
      "────────────────────",
      "one     what it says",
      "             is long",
      "two                x",
    ]);
    const wide = "| aaaaaaaaaa | bbbbbbbbbb | cccccccccc |\n|-|-|-|\n| 1 | 2 | 3 |\n| 4 | 5 | 6 |";
    assert.deepEqual(shown(wide, 20), [
      "aaaaaaaaaa: 1",
      "bbbbbbbbbb: 2",
      "cccccccccc: 3",
      "",
      "aaaaaaaaaa: 4",
      "bbbbbbbbbb: 5",
      "cccccccccc: 6",
    ]);
  });

  test("colors code by its language, and none that it does not know", () => {
    const code = (language: string) => `\`\`\`${language}\nconst a = "b"; // c\n\`\`\``;
    assert.deepEqual(styled(code("ts"), "magenta"), ["const"]);
    assert.deepEqual(styled(code("TypeScript title=x"), "green").join(""), '"b"');
    for (const language of ["", "../../x", "constructor", "nonsense"])
      assert.deepEqual(styled(code(language), "magenta"), [], language);
    assert.deepEqual(shown("```html\n<a href='&amp;'>&lt;</a>\n```"), ["  <a href='&amp;'>&lt;</a>"]);
  });

  test("is formatted only on a terminal with colors, wrapped on any other, and raw in a pipe", () => {
    const text = `**bold** ${"word ".repeat(10)}`;
    const on = (isTTY: boolean, env: Record<string, string>) =>
      answerTextOn({ write() {}, isTTY, columns: 40 }, env)(text.trim());
    assert.ok(on(true, { TERM: "xterm" }).startsWith("\x1b[1mbold"));
    for (const env of [{ NO_COLOR: "1" }, { TERM: "dumb" }] as Record<string, string>[])
      assert.deepEqual(
        on(true, env)
          .split("\n")
          .map((row) => row.length),
        [38, 19],
      );
    for (const env of [{ FORCE_COLOR: "1" }, {}] as Record<string, string>[]) assert.equal(on(false, env), text.trim());
  });
});

/** Pieces of Markdown, of what looks like it, and of what a terminal would obey. */
const markdown = fc
  .array(
    fc.oneof(
      fc.lorem({ maxCount: 9 }),
      fc.string({ unit: "grapheme", maxLength: 9 }),
      fc.constantFrom(
        "\n",
        "\n\n",
        "```ts\n",
        "\n```\n",
        "- ",
        "  ",
        "> ",
        "**",
        "_",
        "`",
        "[a](b)",
        "| a | b |\n|-|-|\n",
        "#",
      ),
      fc.constantFrom("\x1b[2J", "\x07", "\u202e", "&#27;", "\\", "漢字", "👩‍🚀", "\ud800", "\r\n", "\t", "1. ", "<b>"),
    ),
    { maxLength: 40 },
  )
  .map((parts) => parts.join(""));

describe("any text as Markdown", () => {
  test("fits the columns, and contains nothing that a terminal obeys", () => {
    fc.assert(
      fc.property(markdown, fc.integer({ min: 8, max: 100 }), (text, columns) => {
        for (const row of shown(text, columns)) {
          assert.ok(displayWidth(row) <= columns, JSON.stringify(row));
          assert.equal(row, harmless(row).replaceAll(/[\n\t]/g, ""));
        }
      }),
    );
  });

  test("gives the same rows in pieces, each final when it appears", () => {
    fc.assert(
      fc.property(markdown, fc.integer({ min: 1, max: 30 }), (text, length) => {
        const flow = createMarkdownFlow(() => 40, plain);
        const rows: string[] = [];
        for (let at = 0; at < text.length; at += length) {
          rows.push(...flow.add(text.slice(at, at + length)));
          for (const row of flow.open(10)) assert.ok(displayWidth(row.text) <= 40);
        }
        rows.push(...flow.end());
        if (!/^\s|\s$|^[[{]/.test(text)) assert.deepEqual(rows, shown(text, 40));
      }),
    );
  });

  test("takes a bounded time, whatever a model writes", { timeout: 60_000 }, () => {
    for (const hostile of [
      "*a ",
      "_a__",
      "[",
      "![a](",
      ">",
      "- ",
      "漢",
      "\n- a",
      "a**b",
      "a@",
      "`a",
      "<a ",
      "| a ",
      "~",
    ])
      assert.ok(markdownRows(hostile.repeat(100_000 / hostile.length), 80).length > 0);
  });
});
