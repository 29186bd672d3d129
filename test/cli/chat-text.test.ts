/** Text written to and typed into a chat, piece by piece: rows of a model's text, pastes, completion. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { completeLine } from "../../src/cli/chat/completion.ts";
import { createPasteFolding, folded, unfolded } from "../../src/cli/chat/keyboard/paste.ts";
import { isSlashCommand } from "../../src/cli/chat/slash-commands.ts";
import { createTextFlow } from "../../src/cli/terminal/markdown/text-flow.ts";
import { displayWidth } from "../../src/cli/terminal/terminal-text.ts";
import { harmless } from "../../src/text/spelled-text.ts";

/** Text as models write it, and hostile text. */
const text = fc
  .array(
    fc.oneof(fc.lorem(), fc.string({ unit: "grapheme" }), fc.constantFrom("\n", "\t", " ", "\x1b[2J", "漢字", "👩‍🚀")),
  )
  .map((parts) => parts.join(" "));

/** The text in pieces, cut anywhere. */
function cutAt(whole: string, places: number[]): string[] {
  const edges = [0, ...places.map((place) => place % (whole.length + 1)).sort((a, b) => a - b), whole.length];
  return edges.slice(1).map((edge, index) => whole.slice(edges[index], edge));
}

function rowsOf(pieces: string[], columns: number): string[] {
  const flow = createTextFlow(() => columns);
  return [...pieces.flatMap(flow.add), ...flow.end()];
}

describe("the rows of a text that arrives in pieces", () => {
  test("fit the columns, hold every word, and nothing that a terminal would obey", () => {
    fc.assert(
      fc.property(
        text,
        fc.array(fc.nat(), { maxLength: 5 }),
        fc.integer({ min: 8, max: 60 }),
        (whole, places, columns) => {
          const rows = rowsOf(cutAt(whole, places), columns);
          for (const row of rows) {
            assert.ok(displayWidth(row) <= columns, JSON.stringify(row));
            assert.equal(row, harmless(row).replaceAll("\n", ""));
          }
          const blackOnly = (some: string) => some.replaceAll(/\s/g, "");
          if (places.length === 0) assert.equal(blackOnly(rows.join("")), blackOnly(harmless(whole)));
        },
      ),
    );
  });

  test("keep the existing lines, and break between words", () => {
    assert.deepEqual(rowsOf(["one two ", "three four five"], 12), ["one two", "three four", "five"]);
    assert.deepEqual(rowsOf(["a\n\nb\n"], 12), ["a", "", "b"]);
    assert.deepEqual(rowsOf(["    indented code"], 12), ["    indented", "code"]);
    assert.deepEqual(rowsOf(["abcdefghijklmnop"], 12), ["abcdefghijkl", "mnop"]);
  });

  test("know a character that was cut in two", () => {
    const [high = "", low = ""] = "😀".split("");
    assert.deepEqual(rowsOf([`a${high}`, `${low}b`], 12), ["a😀b"]);
  });
});

describe("what is pasted", () => {
  async function through(chunks: string[]): Promise<string> {
    const folding = createPasteFolding(() => false);
    for (const chunk of chunks) folding.write(chunk);
    folding.end();
    return (await folding.toArray()).join("");
  }

  test("is one line for the editor and the same text again afterwards, wherever it is cut", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.stringMatching(/^[a-z ]{0,9}(\n[a-z ]{0,9}){0,3}$/),
        fc.array(fc.nat(), { maxLength: 4 }),
        async (pasted, places) => {
          const pieces = cutAt(`x\x1b[200~${pasted}\x1b[201~y`, places).filter((piece) => piece !== "");
          fc.pre(!pieces.includes("\x1b")); // By itself, it is a key.
          const line = await through(pieces);
          assert.equal(line, `x${folded(pasted)}y`);
          assert.equal(unfolded(line), `x${pasted}y`);
        },
      ),
    );
  });

  test("leaves keys as they are: a lone escape, arrows, Enter", async () => {
    assert.equal(await through(["\x1b"]), "\x1b");
    assert.equal(await through(["\x1b[A", "a\r"]), "\x1b[Aa\r");
  });
});

test("a command line is completed, and a message is not", async () => {
  const source = {
    commands: ["model", "models", "show"],
    models: () => ["glm-4.7", "opus"],
    providers: () => ["zai", "openrouter"],
    efforts: ["low", "high"],
    runs: async () => ["abc", "abc.1"],
    files: (path: string) => ["src/", "src/a b.ts"].filter((each) => each.startsWith(path)),
  };
  const complete = async (line: string) => (await completeLine(line, source))[0];
  assert.deepEqual(await complete("/mo"), ["/model ", "/models "]);
  assert.deepEqual(await complete("/model g"), ["glm-4.7 "]);
  assert.deepEqual(await complete("/model opus --p"), ["--provider "]);
  assert.deepEqual(await complete("/model opus --provider o"), ["openrouter "]);
  assert.deepEqual(await complete("/effort h"), ["high "]);
  assert.deepEqual(await complete("/show abc."), ["abc.1 "]);
  assert.deepEqual(await complete("/show abc x"), []);
  assert.deepEqual(await complete("please show glm"), []);
  assert.deepEqual(await complete("see @src/a"), ["src/a\\ b.ts "]);
  assert.deepEqual(await complete("see @s"), ["src/", "src/a\\ b.ts "]);
  assert.deepEqual(await complete("me@s"), []);
});

test("a command is one word after a slash; a path is a message", () => {
  for (const line of ["/help", "/model opus", "/?", "/frobnicate"]) assert.ok(isSlashCommand(line), line);
  for (const line of ["/etc/hosts is a file", "a /help", "//", "/usr/bin"]) assert.ok(!isSlashCommand(line), line);
});
