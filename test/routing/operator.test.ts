/** The operator's decisions: rules by tag and toolset, the models' choices, and a program's routing hook. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { askHook, type HookDecision, type RouteHook } from "../../src/routing/resolve/hook.ts";
import { parseCall } from "../../src/task.ts";
import { type Given, KEYS, nameOf, planAll, problem, ready, readyOf, routingOf } from "./desk.ts";

const PARENT = { model: "glm-4.7", provider: "zai" };

describe("a rule", () => {
  const config = {
    ...PARENT,
    models: { small: "glm-4.5-air", far: { model: "claude-opus-5", provider: "anthropic", reasoning_effort: "low" } },
    delegation: { model: "glm-5" },
    rules: [
      { when: { tag: "explore" }, use: "small" },
      { when: { tag: "review", toolset: "terminal" }, use: { model: "far" } },
      { when: { toolset: "search" }, use: "glm-5.1 --effort high" },
    ],
  };
  const cases: [rule: string, task: object, route: string, chosenBy: string][] = [
    ["goes before the delegation's default", { tags: ["explore"], toolsets: [] }, "glm-4.5-air @ zai", "parent rule"],
    ["is the first that matches", { tags: ["explore", "review"] }, "glm-4.5-air @ zai", "parent rule"],
    ["matches a tag in any case", { tags: ["Explore"] }, "glm-4.5-air @ zai", "parent rule"],
    ["may use an alias with a provider", { tags: ["review"] }, "claude-opus-5 @ anthropic · low", "alias rule"],
    ["needs all of its conditions", { tags: ["review"], toolsets: ["search"] }, "glm-5.1 @ zai · high", "parent rule"],
    ["matches a toolset that was given by default", {}, "glm-5.1 @ zai · high", "parent rule"],
    ["leaves what matches none to the default", { toolsets: ["file"] }, "glm-5 @ zai", "parent delegation"],
    ["gives way to the task", { tags: ["explore"], model: "glm-5.2" }, "glm-5.2 @ zai", "parent task"],
    [
      "stays under a task's effort",
      { tags: ["explore"], reasoning_effort: "max" },
      "glm-4.5-air @ zai · max",
      "parent rule",
    ],
  ];
  for (const [rule, task, route, chosenBy] of cases)
    test(rule, () => {
      const planned = ready(task as Record<string, unknown>, { config, env: KEYS });
      assert.equal(nameOf(planned), route);
      const { provider, model } = planned.route.chosenBy;
      assert.equal(`${provider} ${model}`, chosenBy);
    });

  test("is overridden by the call", () => {
    const { planned } = planAll({ model: "glm-5.2", tasks: [{ goal: "a", tags: ["explore"] }] }, { config, env: KEYS });
    assert.equal(nameOf(readyOf(planned[0])), "glm-5.2 @ zai");
  });

  test("is not what the task asked for", () => {
    assert.deepEqual(ready({ tags: ["explore"] }, { config, env: KEYS }).route.requested, {});
  });

  test("that is broken names its location; with on_unresolved: fallback the default runs", () => {
    const broken = { ...PARENT, rules: [{ when: { tag: "x" }, use: "m --provider nowhere" }] };
    assert.match(
      problem({ tags: ["x"] }, { config: broken, env: KEYS }).message,
      /^In rules\[0\] of the config: .*nowhere/,
    );
    const falling = { ...broken, delegation: { on_unresolved: "fallback" } };
    assert.equal(nameOf(ready({ tags: ["x"] }, { config: falling, env: KEYS })), "glm-4.7 @ zai");
  });

  test("has a condition", () => {
    assert.throws(() => routingOf({ config: { rules: [{ when: {}, use: "m" }] } }), /at least one of tag, toolset/);
  });
});

describe("what a model may choose", () => {
  const models = { small: "glm-4.5-air", far: "claude-opus-5 --provider anthropic --effort high" };
  const may = (delegation: object, task: object, more: object = {}): string => {
    const given: Given = { config: { ...PARENT, models, delegation, ...more }, env: KEYS, askedBy: "model" };
    const [planned] = planAll({ goal: "x", ...task }, given).planned;
    return planned !== undefined && "route" in planned ? nameOf(planned) : (planned?.problem.code ?? "");
  };
  const denied = "denied-by-policy";
  const cases: [rule: string, delegation: object, task: object, outcome: string][] = [
    ["is anything by default", {}, { model: "claude-opus-5", provider: "anthropic" }, "claude-opus-5 @ anthropic"],
    ["is what a pattern allows", { allow: ["anthropic/*"] }, { provider: "anthropic" }, "claude-sonnet-5 @ anthropic"],
    ["is nothing else", { allow: ["anthropic/*"] }, { model: "glm-5" }, denied],
    ["is always what runs anyway", { allow: [] }, {}, "glm-4.7 @ zai"],
    ["is always what runs anyway, named", { allow: [] }, { model: "glm-4.7", provider: "zai" }, "glm-4.7 @ zai"],
    ["is not what is denied", { deny: ["*/claude-opus-*"] }, { provider: "anthropic", model: "claude-opus-5" }, denied],
    [
      "may be a variant only",
      { allow: ["openrouter/*:free"] },
      { provider: "openrouter", model: "x/y:free" },
      "x/y:free @ openrouter",
    ],
    [
      "may not be without that variant",
      { allow: ["openrouter/*:free"] },
      { provider: "openrouter", model: "x/y" },
      denied,
    ],
    ["may be the aliases only", { allow: ["alias:*"] }, { model: "small" }, "glm-4.5-air @ zai"],
    ["may not be what an alias stands for", { allow: ["alias:*"] }, { model: "glm-4.5-air" }, denied],
    [
      "may not be an alias moved to another provider",
      { allow: ["alias:*"] },
      { model: "small", provider: "openrouter" },
      denied,
    ],
    ["may be one alias", { allow: ["alias:small"] }, { model: "far" }, denied],
    ["may not be a denied alias", { deny: ["alias:far"] }, { model: "FAR" }, denied],
    ["may not be a family by an alias's right", { allow: ["alias:*"] }, { model: "glm" }, denied],
    [
      "has the efforts that are allowed",
      { allow: [{ match: "zai/*", efforts: ["low"] }] },
      { reasoning_effort: "low" },
      "glm-4.7 @ zai · low",
    ],
    ["has no other effort", { allow: [{ match: "zai/*", efforts: ["low"] }] }, { reasoning_effort: "high" }, denied],
    ["may leave the effort open", { allow: [{ match: "zai/*", efforts: ["low"] }] }, { model: "glm-5" }, "glm-5 @ zai"],
    [
      "has no denied effort",
      { deny: [{ match: "*", efforts: ["max"] }] },
      { model: "glm-5", reasoning_effort: "max" },
      denied,
    ],
    [
      "has the other efforts",
      { deny: [{ match: "*", efforts: ["max"] }] },
      { model: "glm-5", reasoning_effort: "low" },
      "glm-5 @ zai · low",
    ],
    [
      "has the effort of an alias it named only where that is allowed",
      { allow: [{ match: "*", efforts: ["low"] }] },
      { model: "far" },
      denied,
    ],
    [
      "keeps an effort that the operator gave",
      { allow: [{ match: "*", efforts: ["low"] }], reasoning_effort: "high" },
      { model: "glm-5" },
      "glm-5 @ zai · high",
    ],
    [
      "is replaced by the default where that is wanted",
      { allow: [], on_unresolved: "fallback" },
      { model: "glm-5" },
      "glm-4.7 @ zai",
    ],
  ];
  for (const [rule, delegation, task, outcome] of cases) test(rule, () => assert.equal(may(delegation, task), outcome));

  test("does not restrict what a rule chose", () => {
    const rules = [{ when: { tag: "hard" }, use: "far" }];
    assert.equal(may({ allow: [] }, { tags: ["hard"] }, { rules }), "claude-opus-5 @ anthropic · high");
  });

  test("does not restrict the operator", () => {
    const config = { ...PARENT, delegation: { allow: [] } };
    assert.equal(nameOf(ready({ model: "glm-5" }, { config, env: KEYS })), "glm-5 @ zai");
    assert.equal(nameOf(ready({ model: "glm-5" }, { config, env: KEYS, askedBy: "operator" })), "glm-5 @ zai");
  });

  test("restricts the fields next to the tasks, too", () => {
    const given: Given = { config: { ...PARENT, delegation: { allow: [] } }, env: KEYS, askedBy: "model" };
    const { planned } = planAll({ model: "glm-5", tasks: [{ goal: "a" }] }, given);
    assert.ok(planned[0] && "problem" in planned[0] && planned[0].problem.code === denied);
  });

  test("is listed if something else was requested", () => {
    const delegation = {
      allow: ["alias:*", { match: "openrouter/*", efforts: ["low", "medium"] }],
      deny: ["openrouter/openai/*"],
    };
    const found = problem(
      { model: "glm-5" },
      { config: { ...PARENT, models, delegation }, env: KEYS, askedBy: "model" },
    );
    assert.deepEqual(found.suggestions, ["small", "far", "openrouter/* (effort low, medium)"]);
    assert.match(
      found.message,
      /found zai\/glm-5\. Allowed: small, far, openrouter\/\* \(effort low, medium\), except openrouter\/openai\/\*\./,
    );
  });
});

describe("a routing hook", () => {
  const given: Given = { config: { ...PARENT, rules: [{ when: { tag: "x" }, use: "glm-5" }] }, env: KEYS };
  const decide = (hook: RouteHook, tasks: object[] = [{ goal: "x", tags: ["x"] }]): Promise<HookDecision[]> =>
    askHook(hook, parseCall(tasks, 10).tasks, routingOf(given).candidates());
  const planWith = async (hook: RouteHook, task: object = {}, more: Given = {}) => {
    const tasks = [{ goal: "x", tags: ["x"], ...task }];
    const decisions = await decide(hook, tasks);
    const [planned] = planAll(tasks, { ...given, ...more, decisions }).planned;
    assert.ok(planned);
    return planned;
  };

  test("overrides the rules, and is recorded", async () => {
    const planned = readyOf(await planWith(() => ({ provider: "anthropic", model: "claude-opus-5", effort: "low" })));
    assert.equal(nameOf(planned), "claude-opus-5 @ anthropic · low");
    assert.deepEqual(planned.route.chosenBy, { provider: "hook", model: "hook", effort: "hook" });
    assert.deepEqual(planned.route.requested, {});
  });

  test("is overridden by the task", async () => {
    assert.equal(nameOf(readyOf(await planWith(() => ({ model: "glm-5.1" }), { model: "glm-5.2" }))), "glm-5.2 @ zai");
  });

  test("that returns nothing leaves the choice to the rules", async () => {
    assert.equal(readyOf(await planWith(async () => undefined)).route.chosenBy.model, "rule");
  });

  test("is not bound by what a model may choose", async () => {
    const config = { ...PARENT, delegation: { allow: [] } };
    const planned = await planWith(() => ({ model: "glm-5" }), {}, { config, askedBy: "model" });
    assert.equal(nameOf(readyOf(planned)), "glm-5 @ zai");
  });

  const bad: [what: string, hook: RouteHook, message: RegExp][] = [
    [
      "throws",
      () => {
        throw new Error("no idea");
      },
      /it threw: no idea/,
    ],
    ["rejects", async () => Promise.reject(new Error("later")), /it threw: later/],
    ["says what is no choice", () => ({ modle: "x" }) as never, /modle/],
  ];
  for (const [what, hook, message] of bad)
    test(`that ${what} is that task's problem`, async () => {
      const planned = await planWith(hook, { provider: "zai", model: "glm-5" });
      assert.ok("problem" in planned && planned.problem.code === "hook-failed");
      assert.match(planned.problem.message, message);
    });

  test("that names something unknown is reported", async () => {
    const planned = await planWith(() => ({ provider: "nowhere" }));
    assert.ok("problem" in planned);
    assert.match(planned.problem.message, /^In what the program's routing hook chose: .*nowhere/);
  });

  test("sees each task and every candidate with a key, and no key", async () => {
    const seen: string[] = [];
    await decide(
      (task, candidates) => {
        seen.push(`${task.goal}: ${[...new Set(candidates.map(({ provider }) => provider))].sort().join(" ")}`);
        assert.ok(candidates.find(({ model }) => model === "claude-sonnet-5")?.facts.contextWindow);
        assert.doesNotMatch(JSON.stringify(candidates), /key-of/);
        return undefined;
      },
      [{ goal: "a" }, { goal: "b" }],
    );
    assert.deepEqual(seen, ["a: anthropic openrouter zai", "b: anthropic openrouter zai"]);
  });

  test("cannot change its arguments", async () => {
    const { tasks } = parseCall([{ goal: "x" }], 10);
    const candidates = routingOf(given).candidates();
    const before = JSON.stringify([tasks, candidates]);
    const vandal: RouteHook = (task, seen) => {
      task.goal = "y";
      for (const candidate of seen) candidate.provider = "z";
      return undefined;
    };
    await askHook(vandal, tasks, candidates);
    assert.equal(JSON.stringify([tasks, candidates]), before);
  });
});
