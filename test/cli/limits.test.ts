import assert from "node:assert/strict";
import { test } from "node:test";
import { createFakeClock } from "../../src/testing/index.ts";
import { answers, COSTLY, PRICED, worksFor } from "../fields/effects.ts";
import { fails, says } from "../support/child-stage.ts";
import { createTestEngine } from "../support/engine-stage.ts";
import { command, type Document, type Scene } from "../support/whole-stage.ts";

const TWO = JSON.stringify([{ goal: "one" }, { goal: "two" }]);
const ENDINGS: [limit: string, stdin: string, scene: Scene & { config: Document }, said: RegExp, value: number][] = [
  [
    "requests",
    TWO,
    { config: { delegation: { max_iterations: 2 } }, script: worksFor(3) },
    /incomplete: max_iterations – it reached its limit of 2 requests with tools/,
    2,
  ],
  [
    "money",
    TWO,
    {
      config: { ...PRICED, delegation: { max_cost_usd: 2, max_concurrent_children: 1 } },
      script: answers(COSTLY),
    },
    /incomplete: max_cost – the budget of \$2.00 leaves too little for another request/,
    2,
  ],
  [
    "money of its own",
    JSON.stringify([{ goal: "one", max_cost_usd: 0.3 }]),
    { config: { ...PRICED, delegation: { max_cost_usd: 2 } }, script: answers(COSTLY) },
    /incomplete: max_cost – the budget of \$0\.3000 leaves too little for another request/,
    0.3,
  ],
  [
    "time",
    TWO,
    { config: { delegation: { child_timeout_seconds: 0.2 } }, script: answers({ text: "late", latencyMs: 5_000 }) },
    /timeout: timeout_seconds – it reached its limit of 0\.2s/,
    0.2,
  ],
];

for (const [limit, stdin, scene, said, value] of ENDINGS)
  test(`a child that reached its limit in ${limit} names the limit and its value`, async () => {
    const shown = await command(["run", "-"], scene, stdin);
    assert.match(`${shown.stdout}${shown.stderr}`, said);
    const asked = await command(["run", "-", "--json"], scene, stdin);
    const values = (JSON.parse(asked.stdout) as { results: { limit?: number }[] }).results.map(
      (result) => result.limit,
    );
    assert.ok(values.includes(value), String(values));
  });

test("children side by side under one budget all answer where it pays for what they cost, at whatever worst case", async () => {
  const stdin = JSON.stringify(Array.from({ length: 6 }, (_, index) => ({ goal: `Count to ${index}.` })));
  const script = answers({ text: "done", latencyMs: 20, usage: { input: 1_000, output: 100 } });
  const models = { "acme-1": { price: { input: 1, output: 10 } } };
  // One request is estimated at $0.1 or more, and costs $0.002.
  const scene = { config: { providers: { acme: { models } }, delegation: { max_cost_usd: 0.1 } }, script };
  const { stdout } = await command(["run", "-", "--json"], scene, stdin);
  const { results } = JSON.parse(stdout) as { results: { status: string }[] };
  assert.deepEqual(new Set(results.map(({ status }) => status)), new Set(["completed"]));
});

test("a system clock that jumps back and forward ends nothing early, hangs nothing, and leaves no negative time", async () => {
  for (const jump of [-365 * 86_400_000, 365 * 86_400_000]) {
    const clock = createFakeClock();
    let asked = 0;
    const { engine } = createTestEngine({
      clock,
      script: async () => {
        asked += 1;
        clock.jump(jump);
        return asked < 3 ? fails("network") : says("done");
      },
    });
    const delegation = await engine.submit(
      { tasks: [{ goal: "one", timeout_seconds: 600 }] },
      { surface: "library", workspace: "/work" },
    );
    const over = delegation.result.then((result) => ({ result }));
    let ended: Awaited<typeof over> | undefined;
    void over.then((value) => {
      ended = value;
    });
    while (ended === undefined) await clock.advance(100);
    const [result] = ended.result.results;
    assert.deepEqual([result?.status, asked], ["completed", 3]);
    assert.ok((result?.duration_seconds ?? -1) >= 0 && (result?.duration_seconds ?? 999) < 60);
    assert.ok(ended.result.total_duration_seconds >= 0);
    for await (const event of engine.events(delegation.id))
      if ("durationMs" in event) assert.ok(event.durationMs >= 0, event.kind);
    await engine.close();
  }
});
