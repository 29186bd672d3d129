/** The pictures of the README show what the program prints now, and the writer of SVG draws colors and escapes text. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { svgOf, textOf } from "../scripts/pictures/svg.ts";
import { drawPictures } from "../scripts/pictures.ts";

const root = join(import.meta.dirname, "..");

/** Words without times and amounts, which differ from run to run, in any order of the lines. */
function wordsOf(svg: string): string[] {
  return textOf(svg)
    .replaceAll(/[\d.]+s\b|\$[\d.]+/g, "#")
    .split(/\s+/)
    .sort();
}

test("the pictures show what the program prints now", async () => {
  for (const [path, drawn] of Object.entries(await drawPictures())) {
    const kept = readFileSync(join(root, path), "utf8");
    assert.deepEqual(wordsOf(kept), wordsOf(drawn), `${path} is out of date. Run npm run pictures.`);
    assert.doesNotMatch(kept, /\/tmp\/|\/home\/|\/Users\/|:\d{4,5}\b/);
    assert.match(kept, /prefers-color-scheme: dark/);
  }
});

describe("a picture", () => {
  const red = (text: string) => `\u001b[31m${text}\u001b[39m`;

  test("keeps words, colors and columns", () => {
    const svg = svgOf("A title", `${red("a")} b\n\u001b[1;2mc\u001b[0md`, 80);
    assert.equal(textOf(svg), "a b\ncd");
    assert.match(svg, /<tspan x="16.00" class="red">a<\/tspan><tspan x="24.43"> b<\/tspan>/);
    assert.match(svg, /class="dim">c<\/tspan><tspan x="24.43">d/);
    assert.match(svg, /<title>A title<\/title>/);
  });

  test("continues a long line below, between words", () => {
    const svg = svgOf("Long", `${red("word ".repeat(30))}end`, 104);
    const rows = textOf(svg).split("\n");
    assert.equal(rows.length, 2);
    assert.ok(rows.every((row) => row.length <= 104));
    assert.deepEqual(rows.join(" ").trim().split(/\s+/), [...Array(30).fill("word"), "end"]);
  });

  test("escapes markup, and drops other control sequences", () => {
    const svg = svgOf("<b>", "<script>&\u001b[2J\u001b]0;title\u0007x", 80);
    assert.doesNotMatch(svg, /<script|<b>|(?!\n)\p{Cc}/u);
    assert.match(svg, /&lt;script&gt;&amp;x/);
  });
});
