/**
 * A result contains only what the events contain: whatever a child's model answers, however its requests fail, and
 * wherever it is stopped, its result is the fold of its events.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Reply } from "../../src/child/wire/reply/reply.ts";
import { FAILURE_KINDS, ROUTE_GONE } from "../../src/errors.ts";
import type { ChildEvent, StoredEvent } from "../../src/event.ts";
import { foldRun, hasEnded, type Run, resultsOf } from "../../src/run/run.ts";
import { calls, fails, play, ready, says, tool } from "../support/child-stage.ts";

const usage = fc.record({
  input: fc.integer({ min: 1, max: 5_000 }),
  output: fc.nat(500),
  cached: fc.constant(0),
  reasoning: fc.constant(0),
});
const words = fc.string({ maxLength: 12 });
/** A missing route interrupts the child, which the tests of routes cover. */
const kind = fc.constantFrom(...FAILURE_KINDS.filter((each) => each !== ROUTE_GONE));

/** Possible answers of a model: text, valid or invalid calls, a cut-off answer, a failure with or without text. */
const reply: fc.Arbitrary<Reply> = fc.oneof(
  words.map((text) => says(text)),
  fc.constantFrom("look", "change", "fly").map((name) => calls([name, { word: "x" }])),
  fc.constant(calls(["look", { word: 7 }])),
  words.map((text) => says(text, { finish: "length" })),
  fc.record({ kind, partialText: words, charged: fc.boolean() }).map(({ kind, ...more }) => fails(kind, more)),
  fc
    .record({ partialText: words, usage })
    .map((more) => fails("network", { ...more, usageSoFar: true, charged: true })),
);

const TOOLS = [tool("look", "read", (word) => word), tool("change", "write", (word) => word)];
const planned = ready({ limits: { maxIterations: 4, timeoutMs: 0, stallMs: 0 } });

test("a child's result is the fold of its events, and its words, cost and status are in them", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(reply, { minLength: 1, maxLength: 12 }), fc.nat(12), async (replies, stopAt) => {
      const stop = new AbortController();
      let requests = 0;
      const { result, stored } = await play([...replies, says("the end")], {
        planned,
        tools: TOOLS,
        signal: stop.signal,
        deps: {
          recover: ({ earlier }) => (earlier.length < 2 ? { action: "retry", delayMs: 0 } : { action: "give-up" }),
        },
        onRequest: () => {
          requests += 1;
          if (requests === stopAt) stop.abort({ status: "interrupted", by: "test" });
        },
      });
      assert.deepEqual(resultOfRun(stored), result);
      checkWords(result.summary, stored);
      const steps = stored.filter(({ kind }) => kind === "step-start").length;
      assert.deepEqual([result.api_calls, requests], [steps, steps]);
      assert.equal(
        result.status === "interrupted",
        stored.at(-1)?.kind === "child-end" && stop.signal.aborted && result.exit_reason === "test",
      );
      const known = stored.reduce((sum, event) => sum + ("costUsd" in event ? (event.costUsd ?? 0) : 0), 0);
      if (result.cost_usd !== null) assert.ok(Math.abs(result.cost_usd - known) < 1e-9);
      const isUncertain = stored.some(
        (event) => event.kind === "step-fail" && (event.usageSoFar || (event.charged && event.costUsd === undefined)),
      );
      assert.equal(result.cost_status === "known", !isUncertain);
    }),
    { numRuns: 300 },
  );
});

test("at no moment of a run is anything reported of a child that has not ended", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(reply, { minLength: 1, maxLength: 8 }), async (replies) => {
      const { stored } = await play([...replies, ...Array.from({ length: 12 }, () => says("the end"))], {
        planned,
        tools: TOOLS,
      });
      let run = foldRun(undefined, START);
      for (const event of stored) {
        run = foldRun(run, event);
        assert.equal(resultsOf(run).results.length, run.children.filter(hasEnded).length);
        assert.equal(hasEnded(run.children[0] ?? assert.fail()), event.kind === "child-end");
      }
    }),
    { numRuns: 100 },
  );
});

const START: StoredEvent = {
  kind: "delegation-start",
  at: 0,
  delegationId: "d",
  call: { tasks: [planned.task] },
  planned: [planned],
  surface: "library",
  warnings: [],
};

function resultOfRun(events: readonly ChildEvent[]) {
  const run = events.reduce<Run>((before, event) => foldRun(before, event), foldRun(undefined, START));
  return resultsOf(run).results[0];
}

/** The text that a child reports was sent by its model: completely, or the part that arrived. */
function checkWords(summary: string, events: readonly ChildEvent[]): void {
  if (summary === "") return;
  const said = events.flatMap((event) => {
    if (event.kind === "step-fail") return [event.partialText];
    if (event.kind !== "step-end") return [];
    return [event.parts.map((part) => (part.type === "text" ? part.text : "")).join("")];
  });
  assert.ok(said.includes(summary), `${JSON.stringify(summary)} was never said`);
}
