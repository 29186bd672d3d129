/**
 * A plan's contents besides the route: limits, toolsets and workspace; and refreshed routes.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import { KEYS, planAll, problem, ready, readyOf, routingOf } from "./desk.ts";

const base = { model: "glm-5", provider: "zai" };
const env = KEYS;

describe("limits", () => {
  const cases: [what: string, delegation: object, call: object, task: object, limits: object][] = [
    [
      "are the config's",
      { max_iterations: 7, child_timeout_seconds: 9, stall_seconds: 3 },
      {},
      {},
      { maxIterations: 7, timeoutMs: 9000, stallMs: 3000 },
    ],
    [
      "of the task may be lower",
      { max_iterations: 7, child_timeout_seconds: 9 },
      {},
      { max_iterations: 2, timeout_seconds: 1.5 },
      { maxIterations: 2, timeoutMs: 1500 },
    ],
    [
      "of the task may not be higher",
      { max_iterations: 7, child_timeout_seconds: 9 },
      {},
      { max_iterations: 70, timeout_seconds: 90 },
      { maxIterations: 7, timeoutMs: 9000 },
    ],
    [
      "of the call hold for its tasks",
      {},
      { max_iterations: 5, timeout_seconds: 4 },
      {},
      { maxIterations: 5, timeoutMs: 4000 },
    ],
    [
      "of the task go before the call's",
      {},
      { max_iterations: 5, timeout_seconds: 4 },
      { max_iterations: 6, timeout_seconds: 8 },
      { maxIterations: 6, timeoutMs: 8000 },
    ],
    [
      "of money are the task's own",
      { allow_unknown_price: true, max_cost_usd: 2 },
      { max_cost_usd: 1 },
      {},
      { maxCostUsd: undefined },
    ],
    [
      "of money are the lower of task and config",
      { allow_unknown_price: true, max_cost_usd: 2 },
      {},
      { max_cost_usd: 5 },
      { maxCostUsd: 2 },
    ],
  ];
  for (const [what, delegation, call, task, expected] of cases)
    test(what, () => {
      const given = { config: { ...base, delegation }, env };
      const { limits } = readyOf(planAll({ ...call, tasks: [{ goal: "x", ...task }] }, given).planned[0]);
      for (const [name, value] of Object.entries(expected))
        assert.equal(limits[name as keyof typeof limits], value, name);
    });
});

describe("toolsets", () => {
  const given = { config: { ...base, delegation: { toolsets: ["file", "search"] } }, env };

  test("come from the task, else the call, else the config", () => {
    const { planned } = planAll(
      { toolsets: ["file"], tasks: [{ goal: "a" }, { goal: "b", toolsets: ["search"] }, { goal: "c", toolsets: [] }] },
      given,
    );
    assert.deepEqual(
      planned.map((one) => readyOf(one).toolsets),
      [["file"], ["search"], []],
    );
    assert.deepEqual(ready({}, given).toolsets, ["file", "search"]);
  });

  test("beyond the config's are a problem that lists those", () => {
    const { code, message, suggestions } = problem({ toolsets: ["terminal"] }, given);
    assert.deepEqual([code, suggestions], ["toolset-unavailable", ["file", "search"]]);
    assert.match(message, /delegation\.toolsets does not give/);
  });

  test("that do not exist are rejected with the nearest name", () => {
    assert.match(problem({ toolsets: ["flie"] }, given).message, /found flie\. Did you mean file\?/);
  });
});

describe("the workspace", () => {
  const given = { config: base, env };

  test("is relative to the caller's directory, and defaults to it", () => {
    const root = join(import.meta.dirname, "..");
    const { planned } = planAll([{ goal: "a" }, { goal: "b", workspace: "routing" }], given, root);
    assert.deepEqual(
      planned.map((one) => readyOf(one).workspace),
      [root, join(root, "routing")],
    );
  });

  for (const [what, workspace, found] of [
    ["too long", "a".repeat(5_000), /\/a+…; found what cannot be looked at \(ENAMETOOLONG\)/],
    ["with a NUL byte", "a\0b", /found what cannot be looked at/],
    ["below a file", "/dev/null/x", /found nothing|ENOTDIR/],
  ] as const)
    test(`a path ${what} is a problem of its task`, () => assert.match(problem({ workspace }, given).message, found));

  test("must exist", () => assert.match(problem({ workspace: "gone" }, given).message, /routing\/gone; found nothing/));
  test("must be a directory", () => assert.match(problem({ workspace: "desk.ts" }, given).message, /found a file/));
});

describe("an earlier route", () => {
  const given = { config: { ...base, delegation: { fallbacks: ["claude-opus-5 --provider anthropic"] } }, env };
  const { route } = ready({ model: "glm-5.1", reasoning_effort: "high" }, given);

  test("is the same where nothing has changed", () => {
    assert.deepEqual(routingOf(given).refreshRoute(JSON.parse(JSON.stringify(route))), { route });
  });

  test("gets today's endpoint and key for the same provider, model and effort", () => {
    const today = { config: { providers: { zai: { base_url: "https://new.example/v1", api_key: "new-key" } } }, env };
    const renewed = routingOf(today).refreshRoute(route);
    assert.ok("route" in renewed);
    assert.deepEqual(
      [renewed.route.endpoint.baseUrl, renewed.route.keyName, renewed.route.model, renewed.route.effort],
      ["https://new.example/v1", "providers.zai.api_key", "glm-5.1", "high"],
    );
    assert.deepEqual(renewed.route.chosenBy, route.chosenBy);
  });

  test("is a problem if its provider or key is missing", () => {
    assert.match(JSON.stringify(routingOf({}).refreshRoute(route)), /No key for zai/);
    assert.match(JSON.stringify(routingOf({}).refreshRoute({ ...route, provider: "gone" })), /unknown-provider/);
  });

  test("keeps the positions of its fallbacks if one is unavailable", () => {
    const renewed = routingOf({ env: { GLM_API_KEY: "key-1" } }).refreshRoute(route);
    assert.ok("route" in renewed);
    assert.deepEqual(
      renewed.route.fallbacks.map(({ model }) => model),
      ["claude-opus-5"],
    );
  });
});
