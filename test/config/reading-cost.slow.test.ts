/** The cost of reading unreviewed files is low, whatever they contain. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { readAgentFile } from "../../src/config/agents/agent-file.ts";
import { loadConfig } from "../../src/config/load.ts";

/** Loads the config of a directory with these files in its home. */
function loaderAt(t: TestContext, files: Record<string, string>) {
  const home = mkdtempSync(join(tmpdir(), "deputy-cost-"));
  t.after(() => rmSync(home, { recursive: true }));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(home, path)), { recursive: true });
    writeFileSync(join(home, path), text);
  }
  const env = { HOME: home, XDG_CONFIG_HOME: join(home, "config"), DEPUTY_STATE_DIR: join(home, "state") };
  return () => loadConfig({ env, cwd: join(home, "work") });
}

/** Seconds of CPU. */
function costOf(action: () => unknown): number {
  const before = process.cpuUsage();
  action();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

describe("an agent definition", () => {
  const SIZE = 250_000;
  const matter = (lines: string) => `---\n${lines}\n---\n\nDo it well.\n`;
  const filled = (text: string) => text.repeat(Math.ceil(SIZE / text.length)).slice(0, SIZE);
  const SHAPES: Record<string, string> = {
    "empty lines": `---\n${filled("\n")}`,
    "empty lines, closed": `---\n${filled("\n")}\n---\nBody`,
    "carriage returns": `---\r\n${filled("\r")}`,
    fences: filled("--- x\n"),
    "commas among tools": matter(`name: a\ntools: ${filled("a,")}`),
    "parentheses among tools": matter(`name: a\ndisallowedTools: "${filled("(")}"`),
    "spaces after a key": matter(`name:${filled(" ")}x: y`),
    "brackets in brackets": matter(`name: ${filled("[")}`),
    "maps in maps": matter(filled("{a: ")),
    "as many mistakes as fit": matter(`tools: [${filled(",")}`),
    "as many keys as fit": matter(Array.from({ length: 20_000 }, (_, index) => `k${index}: 1`).join("\n")),
    "aliases of aliases": matter(
      ["a0: &a0 [x]", ...Array.from({ length: 40 }, (_, n) => `a${n + 1}: &a${n + 1} [${`*a${n},`.repeat(9)}]`)].join(
        "\n",
      ),
    ),
    "a text over as many lines as fit": matter(`description: a\n${filled("user: x\n")}`),
    "as many keys as fit, and one that is no YAML": matter(
      `name: *\n${Array.from({ length: 20_000 }, (_, index) => `k${index}: 1`).join("\n")}`,
    ),
    "quotes that are never closed": matter(filled('description: "\n')),
    "a map that contains itself": matter("name: &a [*a]"),
  };
  for (const [name, text] of Object.entries(SHAPES))
    test(`costs little to parse, whole or cut to what is parsed of it: ${name}`, () => {
      for (const content of [text, `${text.slice(0, 16_000)}\n---\nBody`])
        for (const format of ["claude", "opencode"] as const) {
          const cost = costOf(() => readAgentFile("x.md", content, format, "x"));
          assert.ok(cost < 5, `${cost} s of CPU`);
        }
    });

  const MISTAKES: Record<string, string> = {
    commas: `a: [${",".repeat(15_000)}`,
    brackets: `a: ${"[".repeat(7_000)}`,
    "the same key": "a: 1\n".repeat(3_000),
  };
  for (const [name, text] of Object.entries(MISTAKES))
    test(`costs little where it is full of mistakes: ${name}`, () => {
      const { stackTraceLimit } = Error;
      const cost = costOf(() => {
        for (let count = 0; count < 5; count++) readAgentFile("x.md", matter(text), "claude", "x");
      });
      assert.ok(cost < 5, `${cost} s of CPU`);
      assert.equal(Error.stackTraceLimit, stackTraceLimit);
    });

  test("costs next to nothing among hundreds until one is asked for", (t) => {
    const files = Array.from({ length: 290 }, (_, index) => [
      `work/.claude/agents/x${index}.md`,
      matter(MISTAKES["the same key"] ?? ""),
    ]);
    const load = loaderAt(t, { ...Object.fromEntries(files), "work/.claude/agents/honest.md": matter("name: honest") });
    const cost = costOf(load);
    assert.ok(cost < 1, `${cost} s of CPU`);
    const { agents } = load();
    assert.deepEqual(
      agents.definitions.map(({ name }) => name),
      ["honest"],
    );
    assert.equal(agents.warnings.length, 290);
  });

  test("in a folder with too many files is read up to a limit, with a warning", (t) => {
    const notes = Array.from({ length: 5_200 }, (_, index) => [`work/.claude/agents/note-${index}.txt`, ""]);
    const { agents } = loaderAt(t, Object.fromEntries(notes))();
    const warnings = agents.warnings.map(({ message }) => message).join();
    assert.match(warnings, /expected at most 300 definitions, .*found more/);
  });
});

describe("a config", () => {
  const SHAPES: Record<string, string> = {
    "unknown keys": Array.from({ length: 8_000 }, (_, index) => `k${index}: 1`).join("\n"),
    "commas in a list": `models: [${",".repeat(60_000)}`,
    "open brackets": "[".repeat(60_000),
    "the same key": "a: 1\n".repeat(12_000),
  };
  for (const [name, text] of Object.entries(SHAPES))
    test(`of a project costs little where it is full of mistakes: ${name}`, (t) => {
      const load = loaderAt(t, { "work/.deputy/config.yaml": text });
      const cost = costOf(() =>
        assert.throws(load, ({ code, message }) => code === "config-invalid" && message.split("\n").length <= 20),
      );
      assert.ok(cost < 10, `${cost} s of CPU`);
    });

  test("of a hundred aliases is read in a few milliseconds", (t) => {
    const aliases = Array.from({ length: 100 }, (_, index) => `  m${index}: { model: x${index}, provider: zai }\n`);
    const load = loaderAt(t, { "config/deputy/config.yaml": `models:\n${aliases.join("")}`, "work/README.md": "" });
    load();
    const cost = costOf(() => {
      for (let count = 0; count < 10; count++) load();
    });
    assert.ok(cost / 10 < 0.05, `${cost / 10} s of CPU each`);
  });
});
