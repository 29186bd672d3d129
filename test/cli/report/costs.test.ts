/** `deputy costs`: every request counts once, at its own price, and what is unknown is never counted as nothing. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createMemory } from "../../../src/journal/memory.ts";
import type { Route } from "../../../src/route.ts";
import { createFakeClock } from "../../../src/testing/fake-clock.ts";
import { fails, route, says } from "../../support/child-stage.ts";
import { deputy } from "../../support/command-line.ts";
import { createTestEngine, type ModelScript, type Staged } from "../../support/engine-stage.ts";

const PRICE = { input: 1, output: 2 };
const priced = (provider: string, model: string): Route => route(provider, model, { facts: { price: PRICE } });
const usage = (input: number, output: number) => ({
  usage: { input, output, cached: Math.floor(input / 4), reasoning: Math.floor(output / 2) },
});
const answers: ModelScript = async () => says("Done.", usage(1000, 500));

function stage(more: Partial<Staged> = {}) {
  return createTestEngine({ memory: createMemory(), script: answers, route: priced, ...more }).engine;
}

async function costs(engine: ReturnType<typeof stage>, ...flags: string[]) {
  const { stdout, code } = await deputy(["costs", ...flags, "--json"], { engine, cwd: "/work" });
  assert.equal(code, 0);
  return JSON.parse(stdout);
}

describe("deputy costs", () => {
  test("adds up requests, tokens and dollars by model, dearest first", async () => {
    const engine = stage();
    const tasks = [
      { goal: "One", model: "a" },
      { goal: "Two", model: "b" },
      { goal: "Three", model: "b" },
    ];
    await (await engine.submit({ tasks }, { surface: "cli", workspace: "/work" })).result;
    const { stdout } = await deputy(["costs"], { engine });
    assert.equal(
      stdout,
      [
        "MODEL    REQUESTS  TOKENS IN  CACHED  OUT   REASONING  COST",
        "b @ zai  2         2k         500     1k    500        $0.0040",
        "a @ zai  1         1k         250     500   250        $0.0020",
        "total    3         3k         750     1.5k  750        $0.0060",
        "",
      ].join("\n"),
    );
  });

  test("groups by provider, day, tag, agent and run; a total counts each request once", async () => {
    const engine = stage();
    const tasks = [
      { goal: "One", tags: ["x", "y"] },
      { goal: "Two", provider: "other", tags: ["x"] },
      { goal: "Three" },
    ];
    const { id, result } = await engine.submit({ tasks }, { surface: "cli", workspace: "/work" });
    await result;
    const named = async (by: string) => {
      const { groups, total } = await costs(engine, "--by", by);
      assert.equal(total.api_calls, 3);
      return groups.map((group: Record<string, unknown>) => [group[by], group.api_calls]);
    };
    assert.deepEqual(await named("provider"), [
      ["zai", 2],
      ["other", 1],
    ]);
    assert.deepEqual(await named("tag"), [
      ["x", 2],
      ["y", 1],
      ["(no tag)", 1],
    ]);
    assert.deepEqual(await named("agent"), [["(no agent)", 3]]);
    assert.deepEqual(await named("run"), [[id, 3]]);
    const [[day]] = await named("day");
    assert.match(day, /^\d{4}-\d\d-\d\d$/);
  });

  test("shows an unknown part next to the known one, and never as nothing", async () => {
    const { usage: _, ...unmeasured } = says("Done.");
    const engine = stage({
      script: async ({ route: { model } }) => (model === "a" ? says("Done.", usage(1000, 500)) : unmeasured),
    });
    const tasks = [
      { goal: "One", model: "a" },
      { goal: "Two", model: "b" },
    ];
    await (await engine.submit({ tasks }, { surface: "cli", workspace: "/work" })).result;
    const { stdout } = await deputy(["costs"], { engine });
    assert.match(stdout, /^b @ zai .* cost unknown$/m);
    assert.match(stdout, /^total .* \$0\.0020 \+ unknown$/m);
    const { total } = await costs(engine);
    assert.deepEqual([total.known_cost_usd, total.cost_complete], [0.002, false]);
  });

  test("counts nothing of the results that a retry carries over", async () => {
    let isBroken = true;
    const memory = createMemory();
    const open = () =>
      stage({
        memory,
        script: async ({ messages }) =>
          isBroken && JSON.stringify(messages).includes("Two") ? fails("refused") : says("Done.", usage(1000, 500)),
      });
    const tasks = [{ goal: "One" }, { goal: "Two" }];
    const first = await open().submit({ tasks }, { surface: "cli", workspace: "/work" });
    await first.result;
    const before = await costs(open(), "--by", "run");
    isBroken = false;
    const again = await open().retry(first.id, { surface: "cli", workspace: "/work" });
    await again.result;
    const after = await costs(open(), "--by", "run");
    assert.equal(after.total.api_calls, before.total.api_calls + 1);
    assert.equal(after.groups[0].run, again.id);
    assert.equal(after.groups[0].known_cost_usd, 0.002);
  });

  test("counts only requests since a time, and only runs of this directory", async () => {
    const clock = createFakeClock();
    const memory = createMemory();
    const engine = stage({ memory, clock });
    await (await engine.submit({ tasks: [{ goal: "Old" }] }, { surface: "cli", workspace: "/work/below" })).result;
    clock.jump(2 * 86_400_000);
    await (await engine.submit({ tasks: [{ goal: "New" }] }, { surface: "cli", workspace: "/elsewhere" })).result;
    const at = { engine, cwd: "/work", clock };
    const counted = async (...flags: string[]) =>
      JSON.parse((await deputy(["costs", "--json", ...flags], at)).stdout).total.api_calls;
    assert.equal(await counted(), 2);
    assert.equal(await counted("--since", "1d"), 1);
    assert.equal(await counted("--here"), 1);
    assert.equal(await counted("--here", "--since", "1d"), 0);
    assert.match((await deputy(["costs", "--here", "--since", "1d"], at)).stdout, /^No requests\. .*deputy runs\n$/);
  });

  test("fits 80 columns with long names", async () => {
    const engine = stage();
    const tasks = [{ goal: "One", model: `provider/${"long-".repeat(20)}` }];
    await (await engine.submit({ tasks }, { surface: "cli", workspace: "/work" })).result;
    const { stdout } = await deputy(["costs"], { engine, terminal: true });
    for (const line of stdout.split("\n")) assert.ok(line.length < 80, line);
    assert.match(stdout, /…/);
  });

  test("rejects an unknown key with those that exist", async () => {
    const { code, stderr } = await deputy(["costs", "--by", "colour"], { engine: stage() });
    assert.equal(code, 2);
    assert.match(stderr, /model, provider, day, tag, agent, run/);
  });
});
