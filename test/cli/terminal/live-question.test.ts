import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createLiveQuestion } from "../../../src/cli/terminal/live-question.ts";
import { displayWidth } from "../../../src/cli/terminal/terminal-text.ts";

const plain = (_style: unknown, text: string) => text;
const size = { columns: 60, rows: 20 };

function asked(text: string, waiting = 0) {
  const question = createLiveQuestion(plain, () => waiting);
  question.output.write(`\n${text}\n`);
  question.ask("Allow? [y]es · [n]o: ");
  return question;
}

describe("a question below the tree", () => {
  test("shows its text and prompt, what is typed, and how many others wait", () => {
    const rows = asked("? abc.1 asks\n  │ npm test", 2).rows(size, "because");
    assert.deepEqual(
      rows.map(({ text }) => text),
      ["", "? abc.1 asks", "  │ npm test", "Allow? [y]es · [n]o: (2 more waiting) because"],
    );
  });

  test("keeps its text as lines when it ends", () => {
    const question = asked("? abc.1 asks\n  │ npm test");
    assert.deepEqual(question.overflow(size), []);
    question.output.write("Allow? y\n");
    assert.deepEqual(question.end(), ["? abc.1 asks", "  │ npm test", "Allow? y"]);
  });

  test("is written whole above the tree if it is long, and its end stays next to the prompt", () => {
    const lines = Array.from({ length: 40 }, (_, at) => `  │ line ${at + 1}`);
    const question = asked(["? abc.1 asks", ...lines].join("\n"));
    assert.deepEqual(question.overflow(size), ["? abc.1 asks", ...lines]);
    assert.deepEqual(question.overflow(size), []);
    const rows = question.rows(size, "").map(({ text }) => text);
    assert.ok(rows.length <= size.rows - 5, `${rows.length} rows`);
    assert.deepEqual(rows.slice(1, 4), ["? abc.1 asks", "  │ line 1", "  … shown whole above"]);
    assert.deepEqual(rows.at(-2), "  │ line 40");
    question.output.write("Allow? y\n");
    assert.deepEqual(question.end(), ["Allow? y"]);
  });

  test("wraps a long command, each row with its mark, and no row is too wide", () => {
    const rows = asked(`? abc.1 asks\n  │ ${"word ".repeat(40)}`).rows(size, "x".repeat(200));
    for (const { text } of rows) assert.ok(displayWidth(text) < size.columns, text);
    assert.equal(rows.filter(({ text }) => text.startsWith("  │ ")).length, 4);
  });
});
