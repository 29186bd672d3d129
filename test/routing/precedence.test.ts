/** Task › call › delegation › parent, overlaid as pairs; and the recorded levels. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { KEYS, nameOf, planAll, problem, problemOf, ready, readyOf } from "./desk.ts";

const PARENT = { model: "glm-4.7", provider: "zai", reasoning_effort: "high" };

describe("what a task runs on", () => {
  const cases: [rule: string, config: object, task: Record<string, unknown>, route: string, chosenBy: string][] = [
    ["nothing said: as the parent, effort included", PARENT, {}, "glm-4.7 @ zai · high", "parent parent parent"],
    ["a model alone keeps the provider", PARENT, { model: "glm-5.1" }, "glm-5.1 @ zai", "parent task"],
    [
      "the parent's effort stays with the same model",
      PARENT,
      { model: "glm-4.7" },
      "glm-4.7 @ zai · high",
      "parent task parent",
    ],
    [
      "a provider alone brings its default model",
      PARENT,
      { provider: "anthropic" },
      "claude-sonnet-5 @ anthropic",
      "task default",
    ],
    [
      "a provider alone that is the current one keeps the model",
      PARENT,
      { provider: "glm" },
      "glm-4.7 @ zai · high",
      "task parent parent",
    ],
    ["both are that pair", PARENT, { provider: "openrouter", model: "x/y" }, "x/y @ openrouter", "task task"],
    ["an effort alone", PARENT, { reasoning_effort: "low" }, "glm-4.7 @ zai · low", "parent parent task"],
    [
      "delegation goes before the parent",
      { ...PARENT, delegation: { model: "claude-sonnet-5", provider: "anthropic", reasoning_effort: "low" } },
      {},
      "claude-sonnet-5 @ anthropic · low",
      "delegation delegation delegation",
    ],
    [
      "a task's model stays on delegation's provider, and keeps its effort",
      { ...PARENT, delegation: { provider: "anthropic", reasoning_effort: "low" } },
      { model: "claude-opus-5" },
      "claude-opus-5 @ anthropic · low",
      "delegation task delegation",
    ],
    [
      "a task's provider leaves delegation's model behind",
      { ...PARENT, delegation: { model: "claude-opus-5", provider: "anthropic" } },
      { provider: "zai" },
      "glm-5.3 @ zai",
      "task default",
    ],
    [
      "an alias's effort is for the alias's own model",
      { ...PARENT, models: { large: "glm-5.1 --effort high" }, delegation: { model: "large" } },
      { model: "glm-5.3" },
      "glm-5.3 @ zai",
      "parent task",
    ],
    [
      "a rule's alias keeps its effort where the task names the same model",
      {
        ...PARENT,
        models: { large: "glm-5.1 --effort high" },
        rules: [{ when: { tag: "x" }, use: "large" }],
      },
      { model: "glm-5.1", tags: ["x"] },
      "glm-5.1 @ zai · high",
      "parent task alias",
    ],
    [
      "a rule's alias leaves its effort behind where the task names another model",
      {
        ...PARENT,
        models: { large: "glm-5.1 --effort high" },
        rules: [{ when: { tag: "x" }, use: "large" }],
      },
      { model: "glm-5.3", tags: ["x"] },
      "glm-5.3 @ zai",
      "parent task",
    ],
    ["inherit is as if nothing was said", PARENT, { model: "inherit" }, "glm-4.7 @ zai · high", "parent parent parent"],
    [
      "inherit beside a provider is the provider alone",
      PARENT,
      { model: "Inherit", provider: "anthropic" },
      "claude-sonnet-5 @ anthropic",
      "task default",
    ],
    [
      "a pair above does without a broken default below",
      { ...PARENT, delegation: { provider: "nowhere" } },
      { provider: "zai" },
      "glm-5.3 @ zai",
      "task default",
    ],
  ];
  for (const [rule, config, task, route, chosenBy] of cases)
    test(rule, () => {
      const planned = ready(task, { config, env: KEYS });
      assert.equal(nameOf(planned), route);
      const { provider, model, effort } = planned.route.chosenBy;
      assert.equal([provider, model, ...(effort ? [effort] : [])].join(" "), chosenBy);
    });

  test("a call's fields are a default for its tasks", () => {
    const { planned } = planAll(
      {
        model: "claude-opus-5",
        provider: "anthropic",
        reasoning_effort: "low",
        tasks: [{ goal: "a" }, { goal: "b", model: "claude-sonnet-5" }],
      },
      { config: PARENT, env: KEYS },
    );
    assert.deepEqual(
      planned.map((one) => nameOf(readyOf(one))),
      ["claude-opus-5 @ anthropic · low", "claude-sonnet-5 @ anthropic · low"],
    );
    assert.deepEqual(readyOf(planned[1]).route.chosenBy, { provider: "call", model: "task", effort: "call" });
  });

  test("with batch_defaults: explicit they are not, and the caller gets a warning", () => {
    const { planned, warnings } = planAll(
      { model: "claude-opus-5", provider: "anthropic", tasks: [{ goal: "a" }] },
      { config: { ...PARENT, delegation: { batch_defaults: "explicit" } }, env: KEYS },
    );
    assert.equal(nameOf(readyOf(planned[0])), "glm-4.7 @ zai · high");
    assert.match(warnings[0]?.message ?? "", /model, provider next to tasks.*batch_defaults is explicit/);
  });

  test("flags go before the config's top level", () => {
    const planned = ready({}, { config: PARENT, env: KEYS, parent: { provider: "anthropic", effort: "low" } });
    assert.equal(nameOf(planned), "claude-sonnet-5 @ anthropic · low");
    assert.equal(planned.route.chosenBy.provider, "parent");
  });

  test("the request is kept as it was written", () => {
    const config = { ...PARENT, models: { small: "glm-5 --provider zai" } };
    assert.deepEqual(ready({ model: "small" }, { config, env: KEYS }).route.requested, { model: "small" });
    assert.deepEqual(ready({}, { config, env: KEYS }).route.requested, {});
  });
});

describe("a parent without a configured route", () => {
  test("is the one provider that has a key, with its default model", () => {
    const planned = ready({}, { env: { ANTHROPIC_API_KEY: "key-1" } });
    assert.equal(nameOf(planned), "claude-sonnet-5 @ anthropic");
    assert.deepEqual(planned.route.chosenBy, { provider: "parent", model: "default" });
  });

  test("with several keys is a problem that lists them", () => {
    const { code, suggestions } = problem({}, { env: KEYS });
    assert.equal(code, "ambiguous-route");
    assert.deepEqual(suggestions.toSorted(), ["anthropic", "openrouter", "zai"]);
  });

  test("with several keys does not matter to a task that names its own", () => {
    assert.equal(nameOf(ready({ provider: "zai", model: "glm-5" }, { env: KEYS })), "glm-5 @ zai");
  });

  test("without any key is a problem that explains what to set", () => {
    const { code, message } = problem({}, {});
    assert.equal(code, "missing-key");
    assert.match(message, /ANTHROPIC_API_KEY.*providers:/);
  });

  test("is a keyless custom endpoint if that is the only one", () => {
    const config = { providers: { mylab: { base_url: "http://127.0.0.1:8000/v1", default_model: "qwen3" } } };
    const planned = ready({}, { config });
    assert.equal(nameOf(planned), "qwen3 @ mylab");
    assert.equal(planned.route.keyName, undefined);
  });
});

describe("a batch", () => {
  test("reports every bad task at once and plans the others", () => {
    const { planned } = planAll(
      [
        { goal: "a" },
        { goal: "b", provider: "zia" },
        { goal: "c", provider: "kimi" },
        { goal: "d", model: "claude-opus-5" },
        { goal: "e", model: "glm-5", toolsets: ["flie"] },
        { goal: "f", workspace: "/nowhere/at/all" },
      ],
      { config: PARENT, env: KEYS },
    );
    assert.deepEqual(
      planned.map((one) => ("problem" in one ? `${one.problem.code} ${one.problem.field}` : "ready")),
      [
        "ready",
        "unknown-provider provider",
        "missing-key provider",
        "foreign-model model",
        "toolset-unavailable toolsets",
        "workspace-unusable workspace",
      ],
    );
  });

  test("on_unresolved: fallback runs a bad task on the delegation's default, on record", () => {
    const config = { ...PARENT, delegation: { on_unresolved: "fallback" } };
    const { route } = ready({ provider: "kimi", model: "kimi-k3", reasoning_effort: "low" }, { config, env: KEYS });
    assert.equal(`${route.model} @ ${route.provider}`, "glm-4.7 @ zai");
    assert.deepEqual(route.requested, { provider: "kimi", model: "kimi-k3", effort: "low" });
    assert.deepEqual(route.chosenBy, { provider: "fallback", model: "fallback", effort: "fallback" });
    assert.match(route.warnings.find(({ code }) => code === "fallback-used")?.message ?? "", /No key for kimi/);
  });

  test("on_unresolved: fallback drops the task's wish before the call's", () => {
    const { planned } = planAll(
      {
        provider: "anthropic",
        tasks: [
          { goal: "a", provider: "kimi" },
          { goal: "b", provider: "nowhere" },
        ],
      },
      { config: { ...PARENT, delegation: { on_unresolved: "fallback" } }, env: KEYS },
    );
    assert.deepEqual(
      planned.map((one) => readyOf(one).route.provider),
      ["anthropic", "anthropic"],
    );
  });

  test("on_unresolved: fallback without a usable default stays a problem, the first one", () => {
    const config = { provider: "nowhere", delegation: { on_unresolved: "fallback" } };
    assert.match(problem({ provider: "kimi" }, { config, env: KEYS }).message, /No key for kimi/);
  });

  test("a broken default is attributed to the config", () => {
    const config = { ...PARENT, delegation: { provider: "opnai" } };
    assert.match(
      problem({}, { config, env: KEYS }).message,
      /^In `delegation:` of the config: .*opnai.*Did you mean openai/,
    );
  });

  test("planning changes neither the call, nor the config, nor the parent", () => {
    const given = { config: { ...PARENT, models: { small: "glm-5" } }, env: { ...KEYS }, parent: { model: "glm-4.6" } };
    const call = {
      model: "small",
      tasks: [
        { goal: "a", model: "large" },
        { goal: "b", provider: "anthropic" },
      ],
    };
    const before = JSON.stringify([given, call]);
    planAll(call, given);
    assert.equal(JSON.stringify([given, call]), before);
  });

  test("a thousand tasks take well under 50 ms of CPU", () => {
    const tasks = Array.from({ length: 1000 }, (_, index) => ({
      goal: `task ${index}`,
      ...(index % 3 === 0 ? { model: `glm-5.${index % 30}` } : {}),
      ...(index % 5 === 0 ? { provider: "anthropic", model: "claude-sonnet-5" } : {}),
    }));
    planAll([{ goal: "warm up" }], { config: PARENT, env: KEYS });
    const before = process.cpuUsage();
    const { planned } = planAll(tasks, { config: PARENT, env: KEYS });
    const { user, system } = process.cpuUsage(before);
    assert.equal(planned.filter((one) => "route" in one).length, 1000);
    assert.ok(user + system < 150_000, `${(user + system) / 1000} ms`);
  });
});

test("a provider without a default model is a problem with that message", () => {
  const env = { TOGETHER_API_KEY: "key-of-together" };
  const { code, message, suggestions } = problem({ provider: "together" }, { env });
  assert.equal(code, "unknown-model");
  assert.match(message, /providers\.together\.default_model/);
  assert.ok(suggestions.length > 3);
  const own = { providers: { mylab: { base_url: "http://127.0.0.1:1/v1", models: { "qwen3-235b": {} } } } };
  assert.deepEqual(problem({ provider: "mylab" }, { config: own }).suggestions, ["qwen3-235b"]);
  assert.equal(problemOf(planAll({ goal: "x" }, { config: own }).planned[0]).code, "unknown-model");
});

describe("a problem of the caller's own request", () => {
  const place = /^In the top level of the config: /;
  for (const model of ["glm 4 7 x", "openrouter:stepfun/x", "glm-5 --bogus", "glm-5 --provider"]) {
    test(`cites the config only if that names it: ${model}`, () => {
      const ofFlags = problem({}, { config: PARENT, env: KEYS, parent: { model } });
      assert.doesNotMatch(ofFlags.message, /^In /);
      const ofConfig = problem({}, { config: { ...PARENT, model }, env: KEYS });
      assert.match(ofConfig.message, place);
      assert.equal(ofConfig.message.replace(place, ""), ofFlags.message);
    });
  }
});
