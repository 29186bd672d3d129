/** The progress lines that a client receives while it waits. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { StoredEvent } from "../../src/event.ts";
import { createProgress, type ProgressLine } from "../../src/mcp/runs/progress.ts";
import { foldRun, type Run } from "../../src/run/run.ts";
import { createFakeClock } from "../../src/testing/index.ts";
import { route } from "../support/child-stage.ts";
import { until } from "../support/command-line.ts";
import { type CallOptions, CLIENTS } from "../support/mcp-clients.ts";
import { onMcpStage } from "../support/mcp-stage.ts";

type Facts = StoredEvent extends infer Event
  ? Event extends StoredEvent
    ? Omit<Event, "at" | "delegationId">
    : never
  : never;

/** A run of tasks with these goals on the test's clock, and its progress lines. */
function stage(goals: string[]) {
  const clock = createFakeClock();
  const lines: ProgressLine[] = [];
  const progress = createProgress((line) => lines.push(line), clock);
  let run: Run | undefined;
  const happen = (facts: Facts, delegationId = "d") => {
    run = foldRun(run, { at: clock.now(), delegationId, ...facts } as StoredEvent);
    progress.onRun(run);
  };
  const limits = { maxIterations: 50, timeoutMs: 0, stallMs: 0 };
  const begin = (tasks: { goal: string }[], delegationId = "d") => {
    const planned = tasks.map((task) => ({ task, route: route("zai", "m"), limits, toolsets: [], workspace: "/" }));
    const depth = delegationId.split(".").length === 1 ? 1 : 2;
    happen({ kind: "delegation-start", call: { tasks }, planned, surface: "mcp", warnings: [], depth }, delegationId);
  };
  begin(goals.map((goal) => ({ goal })));
  return {
    clock,
    progress,
    happen,
    begin,
    said: () => lines.splice(0).map(({ message }) => message),
    lines,
    start: (n: number) =>
      happen({ kind: "child-start", childId: `d.${n}`, taskIndex: n - 1, prompt: { system: "", user: "" } }),
    run: (n: number, name: string) =>
      happen({ kind: "tool-start", childId: `d.${n}`, callId: "c", name, target: "", effect: "read" }),
    end: (n: number) =>
      happen({ kind: "child-end", childId: `d.${n}`, ending: { status: "completed", text: "" }, durationMs: 12_000 }),
  };
}

describe("progress", () => {
  test("reports the latest news of one child at a time, once a second", async () => {
    const { clock, said, start, run, end } = stage(["lion", "falcon", "seal"]);
    start(1);
    start(2);
    assert.deepEqual(said(), ["[1/3] lion: starting (0.0 s, $0.0000)"]);
    run(2, "grep");
    await clock.advance(900);
    assert.deepEqual(said(), []);
    await clock.advance(100);
    assert.deepEqual(said(), ["[2/3] falcon: running grep (1.0 s, $0.0000)"]);
    end(1);
    run(2, "glob");
    await clock.advance(1_000);
    assert.deepEqual(said(), ["[1/3] lion: completed (12 s, $0.0000)"]);
    await clock.advance(1_000);
    assert.deepEqual(said(), ["[2/3] falcon: running glob (3.0 s, $0.0000)"]);
    start(3);
    end(2);
    end(3);
    await clock.advance(1_000);
    assert.deepEqual(said(), ["3 of 3 done"]);
  });

  test("reports the children of children, with their parents", async () => {
    const { clock, said, start, begin, happen, end, lines } = stage(["lion", "falcon"]);
    start(2);
    begin([{ goal: "wing" }, { goal: "beak" }], "d.2.1");
    happen({ kind: "child-start", childId: "d.2.1.2", taskIndex: 1, prompt: { system: "", user: "" } }, "d.2.1");
    await clock.advance(1_000);
    const ending = { status: "completed", text: "" } as const;
    happen({ kind: "child-end", childId: "d.2.1.2", ending, durationMs: 1_000 }, "d.2.1");
    await clock.advance(1_000);
    begin([{ goal: "tail" }], "d.2.2");
    happen({ kind: "child-start", childId: "d.2.2.1", taskIndex: 0, prompt: { system: "", user: "" } }, "d.2.2");
    end(2);
    await clock.advance(1_000);
    await clock.advance(1_000);
    assert.deepEqual(
      lines.map((line) => Math.floor(line.progress)),
      [0, 0, 0, 1, 1],
    );
    assert.deepEqual(said(), [
      "[2/2] falcon: starting (0.0 s, $0.0000)",
      "[2›2/2] beak: starting (1.0 s, $0.0000)",
      "[2›2/2] beak: completed (1.0 s, $0.0000)",
      "[2/2] falcon: completed (12 s, $0.0000)",
      "[2.2›1/1] tail: starting (2.0 s, $0.0000)",
    ]);
  });

  test("sends a sign of life without news, and nothing once it is over", async () => {
    const { clock, said, start, run, progress } = stage(["lion", "falcon"]);
    start(1);
    start(2);
    await clock.advance(1_000);
    said();
    await clock.advance(12_000);
    assert.deepEqual(said(), ["[1/2] lion: starting (6.0 s, $0.0000)", "[2/2] falcon: starting (11 s, $0.0000)"]);
    progress.stop();
    run(1, "grep");
    await clock.advance(60_000);
    assert.deepEqual([said(), clock.pending], [[], 0]);
  });

  test("only ever grows, and never beyond the number of tasks", async () => {
    const goals = ["a", "b", "c", "d"];
    const move = fc.record({
      child: fc.integer({ min: 1, max: 4 }),
      ends: fc.boolean(),
      waitMs: fc.integer({ max: 9_000, min: 0 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(move, { maxLength: 40 }), async (moves) => {
        const { clock, start, run, end, lines, progress } = stage(goals);
        const over = new Set<number>();
        for (const child of [1, 2, 3, 4]) start(child);
        for (const [index, { child, ends, waitMs }] of moves.entries()) {
          if (!over.has(child)) (ends ? end : (n: number) => run(n, `tool${index}`))(child);
          if (ends) over.add(child);
          await clock.advance(waitMs);
        }
        progress.stop();
        const values = lines.map((line) => line.progress);
        assert.ok(values.every((value, index) => value > (values[index - 1] ?? 0) && value <= 4 && value >= 0));
      }),
      { numRuns: 50 },
    );
  });

  test("reaches every kind of client that asks for it, and ends before the answer", async () => {
    const seen = CLIENTS.map((): Parameters<NonNullable<CallOptions["onprogress"]>>[0][] => []);
    const script = async () => {
      await until(() => seen.every((lines) => lines.length > 0));
      return { text: "done" };
    };
    const clock = createFakeClock();
    await onMcpStage({ script, serverClock: clock }, async ({ client }) => {
      const agents = await Promise.all(CLIENTS.map((kind) => client(kind)));
      const counts = await Promise.all(
        agents.map(async (agent, index) => {
          const tasks = [{ goal: "lion" }, { goal: "seal" }];
          await agent.call("delegate_task", { tasks }, { onprogress: (line) => seen[index]?.push(line) });
          return seen[index]?.length ?? 0;
        }),
      );
      for (const lines of seen) {
        assert.match(lines[0]?.message ?? "", /^\[\d\/2\] (lion|seal): /);
        assert.equal(lines[0]?.total, 2);
      }
      await clock.advance(60_000);
      await Promise.all(agents.map((agent) => agent.listTools()));
      assert.deepEqual(
        seen.map(({ length }) => length),
        counts,
      );
    });
  });
});
