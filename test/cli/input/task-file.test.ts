import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { deputy, temporaryDirectory } from "../../support/command-line.ts";

/** The goals (and models) in a text of tasks, or its error. */
async function read(stdin: string | Uint8Array) {
  const { code, stdout, stderr } = await deputy(["run", "-", "--dry-run", "--json"], { stdin });
  if (code !== 0) return { code, stderr };
  return JSON.parse(stdout).tasks.map(({ goal }: { goal: string }) => goal) as string[];
}

describe("a task file", () => {
  for (const [kind, text] of [
    ["YAML, a call", "context: c\ntasks:\n  - goal: a\n  - goal: b\n"],
    ["YAML, a bare list", "- a\n- goal: b\n"],
    ["YAML in brackets", "[a, {goal: b}]"],
    ["JSON, a call", '{"tasks":[{"goal":"a"},{"goal":"b"}]}'],
    ["JSON over several lines", '[\n  {"goal": "a"},\n  {"goal": "b"}\n]\n'],
    ["JSON lines", '{"goal":"a"}\n\n{"goal":"b"}\n'],
    ["JSON lines of Windows", '\ufeff{"goal":"a"}\r\n{"goal":"b"}\r\n'],
  ] as const) {
    test(`may be ${kind}`, async () => assert.deepEqual(await read(text), ["a", "b"]));
  }

  test("may be a single task", async () => assert.deepEqual(await read("goal: a\nmodel: m\n"), ["a"]));

  test("goes by its name before its contents", async (t) => {
    const cwd = temporaryDirectory(t.after.bind(t));
    writeFileSync(join(cwd, "one.jsonl"), '{"goal":"a"}\n');
    writeFileSync(join(cwd, "bad.json"), "- a\n");
    assert.equal((await deputy(["run", "one.jsonl", "--dry-run"], { cwd })).code, 0);
    assert.match(
      (await deputy(["run", "bad.json", "--dry-run"], { cwd })).stderr,
      /bad\.json:1:1: expected JSON; found an invalid symbol/,
    );
  });

  test("may hold the same goal twice, and a goal of 2 MB", async () => {
    assert.deepEqual(await read("- a\n- a\n"), ["a", "a"]);
    const long = "x".repeat(2_000_000);
    assert.deepEqual(await read(JSON.stringify([long])), [long]);
  });

  for (const [what, text, expected] of [
    ["an empty file", " \n", /standard input is empty\. Expected tasks as YAML/],
    [
      "a key given twice",
      '[{"goal": "a",\n "goal": "b"}]',
      /standard input:2:2: expected each key once; found "goal" again/,
    ],
    [
      "nesting without end",
      "[".repeat(50_000) + "]".repeat(50_000),
      /standard input:1:1001: expected at most 1000 levels/,
    ],
    ["a YAML mistake, with line and column", "- a\n- {b: [}\n", /standard input:2:\d+: /],
    ["a JSON mistake, with line and column", '{"tasks": [', /standard input:1:12: /],
    [
      "a line that is no JSON, by its number",
      '{"goal":"a"}\n\n{"goal"\n',
      /standard input:3:8: expected a colon; found the end/,
    ],
    ["binary data", new Uint8Array([0x89, 0x50, 0, 1]), /not text: it has a zero byte at 2/],
    ["text that is not UTF-8", new Uint8Array([0x2d, 0x20, 0xff, 0xfe]), /not text in UTF-8/],
    [
      "an unknown field, by line and index",
      "- goal: a\n- goal: b\n  modle: x\n",
      /standard input:3: task 2, modle: .*`model`/,
    ],
    [
      "a wrong value in JSON, by line",
      '[\n{"goal":"a"},\n{"goal":"b",\n"effort":"hgh"}\n]',
      /:4: task 2, reasoning_effort|:3: task 2/,
    ],
    ["a mistake in JSON lines, by line", '{"goal":"a"}\n\n{"gaol":"b"}\n', /standard input:3: task 2, gaol: .*`goal`/],
    ["a plain text", "Write a haiku", /Expected a task, a list of tasks/],
    ["10,000 tasks", JSON.stringify(Array.from({ length: 10_000 }, () => "a")), /at most 1000 tasks.*found 10000/],
  ] as const) {
    test(`is refused with exit code 2: ${what}`, async () => {
      const answer = await read(text);
      assert.ok(!Array.isArray(answer));
      assert.equal(answer.code, 2);
      assert.match(answer.stderr, expected);
    });
  }

  test("that is unknown is rejected with a suggestion", async (t) => {
    const cwd = temporaryDirectory(t.after.bind(t));
    writeFileSync(join(cwd, "tasks.yaml"), "- a\n");
    const { code, stderr } = await deputy(["run", "task.yaml"], { cwd });
    assert.equal(code, 2);
    assert.match(stderr, /There is no file task\.yaml\. Did you mean tasks\.yaml\?/);
    assert.match((await deputy(["run", "."], { cwd })).stderr, /is a directory/);
    const unlike = await deputy(["run", "Explain this project"], { cwd });
    assert.match(unlike.stderr, /There is no file Explain this project\. Expected tasks .* deputy run --goal "…"/);
  });
});
