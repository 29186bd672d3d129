import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { displayWidth } from "../../../src/cli/terminal/terminal-text.ts";
import { createTree } from "../../../src/cli/terminal/tree.ts";
import type { Event, Usage } from "../../../src/event.ts";
import { foldRun, type Run } from "../../../src/run/run.ts";
import { createFakeClock } from "../../../src/testing/fake-clock.ts";
import { ready, route } from "../../support/child-stage.ts";
import { createFakeTerminal } from "../../support/fake-terminal.ts";

const plain = (_style: unknown, text: string) => text;
const usage: Usage = { input: 10, output: 5, cached: 0, reasoning: 0 };

/** A tree that receives events about a run of `goals`. */
function stage(goals: string[], size = { columns: 80, rows: 24 }, verbose = false) {
  const clock = createFakeClock();
  const terminal = createFakeTerminal(size.columns, size.rows);
  const tree = createTree({ output: terminal, paint: plain, clock, verbose });
  let run: Run | undefined;
  const tell = (event: Event) => {
    run = foldRun(run, event);
    tree.onEvent(event, run);
  };
  const at = () => ({ at: clock.now(), delegationId: "run" });
  const about = (index: number) => ({ ...at(), childId: `run.${index + 1}` });
  const planned = goals.map((goal) => ready({ task: { goal }, route: route("zai", "glm-4.7") }));
  tell({
    ...at(),
    kind: "delegation-start",
    surface: "cli",
    warnings: [],
    planned,
    call: { tasks: goals.map((goal) => ({ goal })) },
  });
  return {
    clock,
    terminal,
    tree,
    tell,
    at,
    about,
    begin(index: number) {
      tell({ ...about(index), kind: "child-start", taskIndex: index, prompt: { system: "", user: "" } });
      tell({ ...about(index), kind: "attempt-start", position: 0, provider: "zai", model: "glm-4.7" });
      tell({ ...about(index), kind: "step-start", step: 1 });
    },
    say: (index: number, text: string) => tell({ ...about(index), kind: "text-delta", text }),
    finish(index: number, text: string) {
      const facts = { step: 1, usage, costUsd: 0.0012, durationMs: 4700 };
      tell({ ...about(index), kind: "step-end", ...facts, parts: [{ type: "text", text }], finish: "stop" });
      tell({ ...about(index), kind: "child-end", ending: { status: "completed", text }, durationMs: 4700 });
    },
  };
}

describe("the tree", () => {
  test("shows a child at work with its time, route and the end of what it writes", async () => {
    const { clock, terminal, begin, say } = stage(["Write a haiku about a lion."]);
    begin(0);
    say(0, "Golden mane at dawn");
    await clock.advance(3000);
    assert.match(terminal.text(), /^\S \[1\/1\] Write a haiku about a lion\. +3s · glm-4\.7 @ zai$/m);
    assert.match(terminal.text(), /^ {2}└ Golden mane at dawn$/m);
    assert.match(terminal.text(), /^0 of 1 done · 1 running · 3s · \$0\.0000 · Ctrl-C stops$/m);
  });

  test("leaves one line of a finished child, exactly", async () => {
    const { clock, terminal, tree, begin, finish } = stage(["Write a haiku about a lion.", "b", "c"]);
    begin(0);
    await clock.advance(500);
    finish(0, "Golden mane");
    tree.end();
    assert.match(terminal.text(), /^✓ \[1\/3\] Write a haiku about a lion\. \(4\.7s · glm-4\.7 @ zai · \$0\.0012\)$/m);
    assert.doesNotMatch(terminal.text(), /running/);
  });

  test("draws only when something changed", async () => {
    const { clock, terminal, begin } = stage(["a"]);
    let writes = 0;
    const { write } = terminal;
    terminal.write = (text) => {
      writes += 1;
      write(text);
    };
    begin(0);
    await clock.advance(950);
    assert.equal(writes, 1);
    await clock.advance(100);
    assert.equal(writes, 2);
  });

  test("never draws more rows than the screen has, with 200 children at work", async () => {
    const goals = Array.from({ length: 200 }, (_, index) => `Task ${index + 1}`);
    const { clock, terminal, begin, finish, tree } = stage(goals);
    for (const index of goals.keys()) begin(index);
    await clock.advance(1000);
    finish(7, "x");
    await clock.advance(1000);
    assert.ok(terminal.highestJump() < 24, `${terminal.highestJump()} rows`);
    assert.match(terminal.text(), /^1 of 200 done · 199 running/m);
    tree.end();
    assert.match(terminal.text(), /^✓ \[ {2}8\/200\] Task 8 /m);
  });

  test("counts the run's own children, and names those below them apart", async () => {
    const { clock, terminal, tell, at, about, begin } = stage(["a", "b", "c"]);
    begin(0);
    const goals = ["deep", "deeper"];
    const planned = goals.map((goal) => ready({ task: { goal }, route: route("zai", "glm-4.7") }));
    const call = { tasks: goals.map((goal) => ({ goal })) };
    const parent = { childId: "run.1", step: 1, callId: "call-1" };
    tell({
      ...at(),
      delegationId: "run.1.1",
      kind: "delegation-start",
      surface: "cli",
      warnings: [],
      planned,
      call,
      parent,
    });
    tell({ ...about(1), kind: "child-start", taskIndex: 1, prompt: { system: "", user: "" } });
    const ending = { status: "interrupted", exitReason: "the user", text: "" } as const;
    tell({ ...about(1), kind: "child-end", ending, durationMs: 0 });
    await clock.advance(100);
    assert.match(terminal.text(), /^1 of 3 ended, 1 not completed · 1 running · 1 waiting · 2 below them · 0s/m);
  });

  test("shows the position of waiting children, as far as there is room", async () => {
    const { clock, terminal, tell, about, begin } = stage(["a", "b"]);
    begin(0);
    tell({ ...about(1), kind: "queue-move", taskIndex: 1, place: 1 });
    await clock.advance(100);
    assert.match(terminal.text(), /^· \[2\/2\] b +waiting \(place 1\)$/m);
  });

  test("shows who waits for budget, in a permanent line and as the child's activity", async () => {
    const { clock, terminal, tell, about, begin } = stage(["a", "b"]);
    begin(0);
    begin(1);
    tell({ ...about(1), kind: "budget-wait", heldUsd: 1.2 });
    await clock.advance(100);
    assert.match(terminal.text(), /^· \[2\/2\] waiting for budget: siblings have reserved \$1\.20$/m);
    assert.match(terminal.text(), /waiting for budget \(siblings have reserved \$1\.20\)/);
    tell({ ...about(1), kind: "step-start", step: 1 });
    await clock.advance(100);
    assert.doesNotMatch(terminal.text(), /waiting for budget \(/);
  });

  test("gives way to a question and comes back after it", async () => {
    const { clock, terminal, tree, begin } = stage(["a"]);
    begin(0);
    await clock.advance(100);
    tree.pause();
    assert.doesNotMatch(terminal.text(), /running/);
    terminal.write("? Allow\n");
    await clock.advance(1000);
    assert.match(terminal.text(), /\? Allow$/);
    tree.resume();
    assert.match(terminal.text(), /\? Allow\n.*\[1\/1\] a[\s\S]*1 running/);
  });

  test("keeps what has happened whole when the terminal becomes narrower", async () => {
    const { clock, terminal, tree, begin, finish } = stage(["Write a haiku about a lion.", "b"]);
    begin(0);
    begin(1);
    finish(0, "x");
    await clock.advance(100);
    terminal.resize(30);
    await clock.advance(1000);
    tree.end();
    assert.match(terminal.text().replaceAll("\n", ""), /✓ \[1\/2\] .*glm-4\.7 @ zai · \$0\.0012\)$/);
  });

  test("no row of the moving part is wider than the terminal, whatever children write", () => {
    const text = fc.oneof(
      fc.string({ unit: "grapheme" }),
      fc.constantFrom("獅子の俳句", "👩‍👩‍👧‍👦🦁", "a\x1b[2Jb\r\n", "e\u0301".repeat(50)),
    );
    fc.assert(
      fc.asyncProperty(
        fc.array(text, { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 20, max: 120 }),
        async (goals, columns) => {
          const { clock, terminal, begin, say } = stage(goals, { columns, rows: 10 });
          let drawn = "";
          terminal.write = (written) => {
            drawn = String(written);
          };
          for (const [index, goal] of goals.entries()) {
            begin(index);
            say(index, goal);
          }
          await clock.advance(200);
          const rows = drawn
            .split("\n")
            .slice(0, -1)
            .slice(2)
            .map((row) => row.replace("\x1b[K", ""));
          for (const row of rows) assert.ok(displayWidth(row) < columns, row);
          assert.ok(!rows.join("").includes("\x1b"));
        },
      ),
      { numRuns: 100 },
    );
  });
});
