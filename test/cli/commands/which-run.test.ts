/** Finding a run without typing its id: filters of `deputy runs`, `--last`, and a choice at a terminal. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { earliest, parseSince } from "../../../src/cli/input/since.ts";
import { formatWhen } from "../../../src/cli/terminal/local-time.ts";
import { runTable } from "../../../src/cli/terminal/run-table.ts";
import { createMemory } from "../../../src/journal/memory.ts";
import { createFakeClock } from "../../../src/testing/fake-clock.ts";
import { fails, says } from "../../support/child-stage.ts";
import { deputy, start, until } from "../../support/command-line.ts";
import { createTestEngine } from "../../support/engine-stage.ts";

const HOUR_MS = 3_600_000;

/** A journal with a run in /work that failed, and an hour later one in /work/inner that completed. */
async function journal() {
  const memory = createMemory();
  const clock = createFakeClock(Date.now() - 2 * HOUR_MS);
  const { engine } = createTestEngine({
    memory,
    clock,
    script: async ({ messages }) => (JSON.stringify(messages).includes("Fail") ? fails("refused") : says("fine")),
  });
  const ids: string[] = [];
  for (const [goal, workspace] of [
    ["Fail", "/work"],
    ["Work", "/work/inner"],
  ] as const) {
    const delegation = await engine.submit({ tasks: [{ goal }] }, { surface: "cli", workspace });
    await delegation.result;
    ids.push(delegation.id);
    await clock.advance(HOUR_MS);
  }
  const [failed = "", completed = ""] = ids;
  const again = () => createTestEngine({ memory, script: async () => says("now") }).engine;
  const type = (...argv: string[]) => deputy(argv, { engine: again(), cwd: "/work" });
  return { type, failed, completed, again };
}

describe("deputy runs", () => {
  test("marks what failed, and shows when, how long, what kind and where", async () => {
    const { type, failed, completed } = await journal();
    const { stdout } = await type("runs");
    assert.match(stdout, /^ +RUN +STARTED +TIME +DONE +STATE +KIND +COST +DIRECTORY +FIRST GOAL\n/);
    assert.match(stdout, new RegExp(`^✓  ${completed} +1h ago +0\\.0s +1/1 +ended +run +\\S+ +inner +Work$`, "m"));
    assert.match(stdout, new RegExp(`^✗  ${failed} +2h ago +0\\.0s +0/1 +1 failed +run +\\S+ +\\. +Fail$`, "m"));
  });

  for (const [flags, expected] of [
    [["--failed"], ["failed"]],
    [["--since", "90m"], ["completed"]],
    [
      ["--since", "1d"],
      ["completed", "failed"],
    ],
    [["--here"], ["completed", "failed"]],
    [["--failed", "--since", "90m"], []],
  ] as const) {
    test(`${flags.join(" ")} lists only the runs that fit`, async () => {
      const { type, ...ids } = await journal();
      const { stdout } = await type("runs", ...flags, "--json");
      const listed = JSON.parse(stdout).map((run: { delegation_id: string }) => run.delegation_id);
      assert.deepEqual(
        listed,
        expected.map((name) => ids[name]),
      );
    });
  }

  test("--here leaves out the runs of other directories", async () => {
    const { again } = await journal();
    const { stdout } = await deputy(["runs", "--here"], { engine: again(), cwd: "/elsewhere" });
    assert.equal(stdout, "No such runs. See all: deputy runs\n");
  });

  test("--watch redraws the table until the user interrupts, and needs a terminal", async () => {
    const { again, type, failed } = await journal();
    const clock = createFakeClock(Date.now());
    const watching = start(["runs", "--watch"], { engine: again(), terminal: true, clock });
    await until(() => watching.stdout().includes(failed));
    watching.interrupt();
    assert.equal(await watching.code, 0);
    const piped = await type("runs", "--watch");
    assert.deepEqual([piped.code, piped.stdout], [2, ""]);
    assert.match(piped.stderr, /--watch needs a terminal/);
  });
});

describe("--last", () => {
  test("means the newest run, and with .n its nth child", async () => {
    const { type, completed } = await journal();
    assert.match(
      (await type("show", "--last")).stdout,
      new RegExp(`\\[1/1\\] Work\\n[\\s\\S]*deputy show ${completed}\n`),
    );
    assert.match((await type("show", ".1", "--last")).stdout, /── answer\nfine/);
    assert.match((await type("watch", "--last")).stderr, new RegExp(`run ${completed}`));
    assert.match((await type("stop", "--last")).stdout, new RegExp(`${completed} has ended already`));
    assert.match((await type("retry", "--last")).stderr, /Every task of \w+ completed/);
    assert.match((await type("steer", "Hello.", "--last")).stderr, new RegExp(`${completed} has ended`));
    assert.match((await type("resume", "--last")).stderr, /1 of 1 task completed/);
  });

  test("next to another id, or without any run, is an error", async () => {
    const { type, failed } = await journal();
    const both = await type("show", failed, "--last");
    assert.deepEqual([both.code, both.stdout], [2, ""]);
    assert.match(both.stderr, /Expected an id or --last, not both/);
    const none = await deputy(["show", "--last"], { script: async () => says("") });
    assert.deepEqual([none.code, none.stderr], [2, 'deputy: No runs yet. Start one: deputy run --goal "…"\n']);
  });
});

describe("a command without an id", () => {
  test("is an error in a pipe", async () => {
    const { type } = await journal();
    for (const command of ["show", "resume", "retry", "stop"]) {
      const { code, stderr } = await type(command);
      assert.deepEqual(
        [code, stderr],
        [2, "deputy: Expected the id of a run, or --last for the newest. See: deputy runs\n"],
      );
    }
  });

  test("lets the user choose at a terminal, among the runs that fit; what was typed ahead chooses none", async () => {
    const { again, failed, completed } = await journal();
    const clock = createFakeClock(Date.now());
    const running = start(["retry"], { engine: again(), terminal: true, clock });
    running.stdin.write("1\n");
    await until(() => running.stderr().includes("Which run?"));
    assert.match(running.stderr(), new RegExp(`^1 {2}✗ {2}${failed}`, "m"));
    assert.ok(!running.stderr().includes(completed));
    await clock.advance(300);
    assert.ok(!running.stdout().includes("retry of"));
    running.stdin.write("1\n");
    assert.equal(await running.code, 0);
    assert.match(running.stdout(), new RegExp(`retry of ${failed}`));
  });

  test("shows a list that fits the terminal", async () => {
    const { again } = await journal();
    const engine = again();
    const { result } = await engine.submit(
      { tasks: [{ goal: "word ".repeat(40) }] },
      { surface: "cli", workspace: "/work" },
    );
    await result;
    const running = start(["show"], { engine, terminal: true });
    await until(() => running.stderr().includes("Which run?"));
    running.interrupt();
    await running.code;
    const rows = running
      .stderr()
      .split("\n")
      .filter((line) => /^( {3}|\d)/.test(line));
    assert.equal(rows.length, 4);
    for (const row of rows) assert.ok(row.length <= 80, row);
    const view = {
      paint: (_: unknown, text: string) => text,
      columns: 64,
      now: Date.now(),
      cwd: "/work",
      home: undefined,
    };
    for (const row of runTable(await engine.runs(9), view).split("\n")) assert.ok(row.length <= 64, row);
  });

  test("does nothing if the user chooses none", async () => {
    const { again } = await journal();
    const clock = createFakeClock(Date.now());
    const running = start(["show"], { engine: again(), terminal: true, clock });
    await until(() => running.stderr().includes("Which run?"));
    await clock.advance(300);
    running.stdin.write("7\n");
    await until(() => running.stderr().split("Which run?").length === 3);
    await clock.advance(300);
    running.stdin.write("\n");
    assert.equal(await running.code, 2);
    assert.equal(running.stdout(), "");
  });
});

describe("times", () => {
  test("are relative while recent, then local", () => {
    const now = new Date(2026, 10, 28, 12, 0).getTime();
    const at = (...parts: [number, number, number, number, number]) => formatWhen(new Date(...parts).getTime(), now);
    assert.deepEqual(
      [
        at(2026, 10, 28, 12, 0),
        at(2026, 10, 28, 11, 58),
        at(2026, 10, 27, 13, 0),
        at(2026, 10, 26, 14, 5),
        at(2025, 10, 26, 14, 5),
        formatWhen(now + 5000, now),
      ],
      ["just now", "2m ago", "23h ago", "Nov 26 14:05", "2025-11-26", "just now"],
    );
  });

  test("are read as a span before now or a local date; anything else is an error", () => {
    assert.equal(earliest(parseSince("2h"), 10 * HOUR_MS), 8 * HOUR_MS);
    assert.equal(earliest(parseSince("2026-11-20"), 0), new Date(2026, 10, 20).getTime());
    assert.equal(earliest(parseSince("2026-11-20T10:30Z"), 0), Date.UTC(2026, 10, 20, 10, 30));
    for (const wrong of ["yesterday", "5", "h", "-2h", "2026-13-45"])
      assert.throws(() => parseSince(wrong), /Expected a time/);
  });
});
