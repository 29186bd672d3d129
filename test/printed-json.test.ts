/** What Deputy prints as JSON is the same value, and shows every character that acts on a terminal or hides in it. */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import fc from "fast-check";
import { createMemory } from "../src/journal/memory.ts";
import { jsonDocument, jsonLine } from "../src/text/printed-json.ts";
import { says } from "./support/child-stage.ts";
import { deputy } from "./support/command-line.ts";
import { createTestEngine } from "./support/engine-stage.ts";

/** Listed here in another form than in the source: by code, not by property. */
const UNSAFE_CODES = [
  [0x00, 0x09],
  [0x0b, 0x1f],
  [0x7f, 0x9f],
  [0xad, 0xad],
  [0x34f, 0x34f],
  [0x61c, 0x61c],
  [0x115f, 0x1160],
  [0x180b, 0x180f],
  [0x200b, 0x200f],
  [0x2028, 0x202e],
  [0x2060, 0x206f],
  [0x2800, 0x2800],
  [0x3164, 0x3164],
  [0xfeff, 0xfeff],
  [0xffa0, 0xffa0],
  [0xfff9, 0xfffb],
  [0x1d173, 0x1d17a],
  [0xe0000, 0xe01ef],
] as const;
const UNSAFE = UNSAFE_CODES.flatMap(([from, to]) =>
  Array.from({ length: to - from + 1 }, (_, offset) => String.fromCodePoint(from + offset)),
);
const isUnsafe = new Set(UNSAFE);
const hidden = (text: string) => Array.from(text).filter((character) => isUnsafe.has(character));

const READABLE = "中文 　 日本語 한국어 naïve café Ω Жук ‘“—”’ 👍🏽 ❤️ 1️⃣ 🏳 नमस्ते مرحبا שלום";

describe("printed JSON", () => {
  test("is the same value in visible characters, whatever the value", () => {
    const unsafe = fc.constantFrom(...UNSAFE);
    const text = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.array(fc.oneof(unsafe, fc.string())).map((all) => all.join("")),
    );
    const value = fc.letrec((tie) => ({
      value: fc.oneof(
        text,
        fc.integer(),
        fc.constantFrom(null, true),
        fc.array(tie("value"), { maxLength: 3 }),
        fc.dictionary(
          text.filter((key) => key !== "__proto__"),
          tie("value"),
          { maxKeys: 3 },
        ),
      ),
    })).value;
    fc.assert(
      fc.property(value, (given) => {
        for (const printed of [jsonDocument(given), jsonLine(given)]) {
          assert.deepEqual(JSON.parse(printed), JSON.parse(JSON.stringify(given)));
          assert.deepEqual(hidden(printed), []);
        }
      }),
    );
  });

  test("leaves text in any script, and emoji, as they are", () => {
    assert.equal(jsonLine({ [READABLE]: READABLE }), `{"${READABLE}":"${READABLE}"}\n`);
    assert.equal(jsonLine("👩‍💻"), '"👩\\u200d💻"\n');
  });

  test("shows variation selectors that carry data behind a letter", () => {
    assert.equal(jsonLine("a\ufe0f\u{e0101}"), '"a\\ufe0f\\udb40\\udd01"\n');
  });
});

describe("the commands that print JSON", () => {
  const answer = `${UNSAFE.join("x")} ${READABLE}`;
  test("print no hidden character of a goal or an answer, and keep both", async () => {
    const memory = createMemory();
    const engine = () => createTestEngine({ memory, script: async () => says(answer) }).engine;
    const goal = answer.replaceAll("\0", "");
    const { stdout: result } = await deputy(["run", "--goal", goal, "--json"], { engine: engine() });
    const { delegation_id: id, results } = JSON.parse(result) as {
      delegation_id: string;
      results: { summary: string }[];
    };
    assert.equal(results[0]?.summary, answer.trim());
    const others = [
      ["run", "--goal", goal, "--ndjson"],
      ["run", "--goal", goal, "--json", "--dry-run"],
      ["show", id, "--json"],
      ["show", `${id}.1`, "--json"],
      ["watch", id, "--json"],
      ["watch", id, "--ndjson"],
      ["runs", "--json"],
    ];
    for (const argv of others) {
      const { stdout, stderr } = await deputy(argv, { engine: engine() });
      assert.ok(stdout.includes("日本語"), `${argv.at(0)}: ${stderr}`);
      assert.deepEqual(hidden(stdout), [], argv.at(0));
      for (const line of argv.includes("--ndjson") ? stdout.trimEnd().split("\n") : [stdout]) JSON.parse(line);
    }
  });

  test("are all that print JSON: no other way to do it is in the source", () => {
    const src = join(import.meta.dirname, "..", "src/cli");
    const others = globSync("**/*.ts", { cwd: src }).filter((path) =>
      /\b(write|log)\([^;]*JSON\.stringify|asJson/.test(
        readFileSync(join(src, path), "utf8").replace(/writeFileSync\([^;]*/g, ""),
      ),
    );
    assert.deepEqual(others, []);
  });
});
