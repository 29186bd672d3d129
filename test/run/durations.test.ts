/** Durations of documents: to the millisecond, whatever a clock measured. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { listingDocument } from "../../src/cli/terminal/run-table.ts";
import type { Event } from "../../src/event.ts";
import { foldRun, type Run, resultsOf } from "../../src/run/run.ts";
import { reportOf } from "../../src/run/run-report.ts";
import { ready, route } from "../support/child-stage.ts";

/** A run of two children: one has worked for a time, the other works. */
function runOf(tookMs: number): Run {
  const goals = ["One", "Two"];
  const planned = goals.map((goal) => ready({ task: { goal }, route: route("zai", "glm-4.7") }));
  const at = { at: 1000.123456, delegationId: "7f3a" };
  const started = (taskIndex: number): Event => ({
    ...at,
    childId: `7f3a.${taskIndex + 1}`,
    kind: "child-start",
    taskIndex,
    prompt: { system: "", user: "" },
  });
  const events: Event[] = [
    {
      ...at,
      kind: "delegation-start",
      surface: "cli",
      warnings: [],
      planned,
      call: { tasks: goals.map((goal) => ({ goal })) },
    },
    started(0),
    started(1),
    { ...at, childId: "7f3a.1", kind: "child-end", ending: { status: "completed", text: "" }, durationMs: tookMs },
  ];
  let run: Run | undefined;
  for (const event of events) run = foldRun(run, event);
  return run ?? assert.fail("no run");
}

function decimalsOf(value: number): number {
  return String(value).split(".")[1]?.length ?? 0;
}

describe("a duration in a document", () => {
  for (const [tookMs, seconds] of [
    [1234.567890123, 1.235],
    [0.4, 0],
    [59_999.6, 60],
    [4700, 4.7],
  ] as const)
    test(`of ${tookMs} ms is ${seconds} s`, () => {
      const run = runOf(tookMs);
      const now = 3000.987654;
      const { results, total_duration_seconds: total } = resultsOf(run);
      const report = reportOf({ run, owner: "here" }, now);
      const listing = listingDocument({ run, owner: "here" }, now);
      assert.equal(results[0]?.duration_seconds, seconds);
      assert.equal(report.results[0]?.duration_seconds, seconds);
      for (const value of [
        total,
        report.total_duration_seconds,
        report.open[0]?.duration_seconds,
        listing.duration_seconds,
      ])
        assert.ok(decimalsOf(value ?? 0.123456) <= 3, `${value}`);
    });
});
