/** Every spelling of a model, and its meaning. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Given, KEYS, nameOf, problem, ready } from "../desk.ts";

const config = {
  model: "glm-4.7",
  provider: "zai",
  providers: {
    mylab: { base_url: "http://127.0.0.1:8000/v1", models: { "openai:odd": {}, "org/name": {} } },
    local: { base_url: "http://127.0.0.1:8001/v1" },
  },
  models: {
    small: "glm-4.5-air",
    tiny: "small --effort low",
    far: { model: "claude-opus-5", provider: "anthropic", reasoning_effort: "high" },
    same: "inherit",
    "glm-5.1": "glm-5.1 --effort max",
    one: "two",
    two: "three",
    three: "one",
    broken: "x --provider nowhere",
    Mixed: "glm-5",
  },
};
const given = { config, env: KEYS };

describe("accepted", () => {
  const cases: [written: unknown, beside: Record<string, unknown>, route: string][] = [
    ["glm-5", {}, "glm-5 @ zai"],
    ["  glm-5  ", {}, "glm-5 @ zai"],
    ["stepfun/step-3.5-flash --provider openrouter", {}, "stepfun/step-3.5-flash @ openrouter"],
    ["--provider openrouter stepfun/step-3.5-flash", {}, "stepfun/step-3.5-flash @ openrouter"],
    ["stepfun/step-3.5-flash --provider=or", {}, "stepfun/step-3.5-flash @ openrouter"],
    ["glm-5 --effort high", {}, "glm-5 @ zai · high"],
    ["glm-5 --effort HIGH", { reasoning_effort: "high" }, "glm-5 @ zai · high"],
    ["glm-5 --provider glm", { provider: "zai" }, "glm-5 @ zai"],
    ["--effort low", {}, "glm-4.7 @ zai · low"],
    [{ model: "claude-opus-5", provider: "anthropic" }, {}, "claude-opus-5 @ anthropic"],
    [{ model: "x/y --effort low", provider: "OpenRouter" }, {}, "x/y @ openrouter · low"],
    ["small", {}, "glm-4.5-air @ zai"],
    ["SMALL", {}, "glm-4.5-air @ zai"],
    ["mixed", {}, "glm-5 @ zai"],
    ["tiny", {}, "glm-4.5-air @ zai · low"],
    ["far", {}, "claude-opus-5 @ anthropic · high"],
    ["far", { provider: "claude" }, "claude-opus-5 @ anthropic · high"],
    ["far", { reasoning_effort: "low" }, "claude-opus-5 @ anthropic · low"],
    ["same", {}, "glm-4.7 @ zai"],
    ["glm-5.1", {}, "glm-5.1 @ zai · max"],
    ["deepseek/deepseek-v4-pro:free", { provider: "openrouter" }, "deepseek/deepseek-v4-pro:free @ openrouter"],
    ["glm-5:thinking", {}, "glm-5:thinking @ zai"],
    ["qwen:8b", { provider: "ollama" }, "qwen:8b @ ollama"],
    ["qwen3:8b", { provider: "local" }, "qwen3:8b @ local"],
    ["openai:odd", { provider: "mylab" }, "openai:odd @ mylab"],
    ["anthropic/claude-sonnet-5", {}, "claude-sonnet-5 @ anthropic"],
    ["anthropic/claude-sonnet-5", { provider: "anthropic" }, "claude-sonnet-5 @ anthropic"],
    ["anthropic/claude-sonnet-5", { provider: "openrouter" }, "anthropic/claude-sonnet-5 @ openrouter"],
    ["nvidia/nemotron", { provider: "mylab" }, "nvidia/nemotron @ mylab"],
    ["zai-org/glm", {}, "zai-org/glm @ zai"],
    ["a-model-newer-than-any-list-9", {}, "a-model-newer-than-any-list-9 @ zai"],
  ];
  for (const [written, beside, route] of cases)
    test(`${JSON.stringify(written)}${Object.keys(beside).length ? ` beside ${JSON.stringify(beside)}` : ""}`, () => {
      assert.equal(nameOf(ready({ model: written, ...beside }, given)), route);
    });

  test("--global, with a warning", () => {
    const { route } = ready({ model: "glm-5 --global" }, given);
    assert.equal(route.model, "glm-5");
    assert.deepEqual(
      route.warnings.map(({ code }) => code),
      ["global-ignored"],
    );
  });

  test("an alias that brings a provider is recorded as having decided it", () => {
    assert.deepEqual(ready({ model: "far" }, given).route.chosenBy, {
      provider: "alias",
      model: "task",
      effort: "alias",
    });
  });

  test("provider/model is recorded as the task's decision", () => {
    const { chosenBy } = ready({ model: "anthropic/claude-sonnet-5" }, given).route;
    assert.deepEqual(chosenBy, { provider: "task", model: "task" });
  });
});

describe("refused", () => {
  const cases: [
    written: unknown,
    beside: Record<string, unknown>,
    code: string,
    message: RegExp,
    suggestion?: string,
  ][] = [
    [
      "openrouter:stepfun/step-3.5-flash",
      {},
      "conflicting-route",
      /stepfun\/step-3\.5-flash --provider openrouter/,
      "stepfun/step-3.5-flash --provider openrouter",
    ],
    [
      "anthropic:claude-opus-5",
      { provider: "anthropic" },
      "conflicting-route",
      /before a colon/,
      "claude-opus-5 --provider anthropic",
    ],
    ["glm:glm-5", {}, "conflicting-route", /before a colon/, "glm-5 --provider zai"],
    ["glm-5 --provider zai", { provider: "openrouter" }, "conflicting-route", /sets zai.*openrouter/],
    ["glm-5 --effort low", { reasoning_effort: "high" }, "conflicting-route", /sets low.*high/],
    ["glm-5 --provider openrouter --provider zai", {}, "conflicting-route", /--provider twice/],
    ["glm-5 --effort=low --effort=high", {}, "conflicting-route", /--effort twice/],
    ["far", { provider: "zai" }, "conflicting-route", /sets anthropic.*zai/],
    ["anthropic/claude-opus-5", { provider: "zai" }, "conflicting-route", /sets anthropic.*zai/],
    ["glm-5 glm-4", {}, "unknown-model", /glm-5 and glm-4/],
    ["glm-5 --provder zai", {}, "unknown-model", /Did you mean --provider/, "--provider"],
    ["glm-5 --provider", {}, "unknown-model", /--provider without a value/],
    ["glm-5 --effort hihg", {}, "effort-unsupported", /found hihg/, "high"],
    ["glm-5 --provider opnrouter", {}, "unknown-provider", /Did you mean openrouter/, "openrouter"],
    ["gpt-5 --provider copilot", {}, "unsupported-provider", /copilot yet.*`openai`/],
    ["one", {}, "unknown-alias", /one → two → three → one/],
    ["broken", {}, "unknown-provider", /nowhere/],
    ["smal", {}, "unknown-alias", /Did you mean small/, "small"],
    ["auto", {}, "unknown-alias", /inherit/, "inherit"],
    [
      "claude-sonnet-5",
      {},
      "foreign-model",
      /zai serves; found claude-sonnet-5/,
      "claude-sonnet-5 --provider anthropic",
    ],
    ["gemini-3.8-flash", { provider: "anthropic" }, "foreign-model", /anthropic serves/],
    ["claude-haiku-4-5-2", { provider: "zai" }, "foreign-model", /zai serves/],
  ];
  for (const [written, beside, code, message, suggestion] of cases)
    test(`${JSON.stringify(written)}${Object.keys(beside).length ? ` beside ${JSON.stringify(beside)}` : ""}: ${code}`, () => {
      const found = problem({ model: written, ...beside }, given);
      assert.equal(found.code, code);
      assert.match(found.message, message);
      if (suggestion !== undefined) assert.ok(found.suggestions.includes(suggestion), found.suggestions.join(" | "));
    });
});

describe("declared fallbacks", () => {
  const withFallbacks = {
    ...config,
    models: {
      ...config.models,
      large: {
        model: "claude-opus-5",
        provider: "anthropic",
        fallbacks: ["x/y --provider openrouter", "k --provider kimi"],
      },
    },
    delegation: { fallbacks: ["glm-5 --provider zai"] },
  };
  const fallbacksOf = (task: Record<string, unknown>, more: object = {}) => {
    const { route } = ready(task, { config: { ...withFallbacks, ...more }, env: KEYS });
    return { names: route.fallbacks.map(({ model, provider }) => `${model} @ ${provider}`), route };
  };

  test("of the alias go before the delegation's; an unavailable one is a warning", () => {
    const { names, route } = fallbacksOf({ model: "large" });
    assert.deepEqual(names, ["x/y @ openrouter"]);
    assert.match(route.warnings[0]?.message ?? "", /fallback k --provider kimi cannot be used\. No key for kimi/);
    assert.equal(route.fallbacks[0]?.chosenBy.model, "fallback");
  });

  test("of the delegation hold for every other task, but not for itself", () => {
    assert.deepEqual(fallbacksOf({}).names, ["glm-5 @ zai"]);
    assert.deepEqual(fallbacksOf({ model: "glm-5" }).names, []);
  });

  test("are never the parent's", () => {
    assert.deepEqual(fallbacksOf({ provider: "anthropic" }, { delegation: {} }).names, []);
  });

  test("drop an effort that only the first model supports", () => {
    const more = { delegation: { fallbacks: ["gpt-4o --provider openai"] } };
    const { route } = ready(
      { model: "glm-5", reasoning_effort: "high" },
      { config: { ...config, ...more }, env: { ...KEYS, OPENAI_API_KEY: "key-of-openai" } },
    );
    assert.equal(route.fallbacks[0]?.effort, undefined);
    assert.match(route.fallbacks[0]?.warnings[0]?.message ?? "", /without effort: gpt-4o @ openai accepts no effort/);
  });
});

const LAB = "http://127.0.0.1:1/v1";

describe("a typo is reported with a suggestion:", () => {
  const given: Given = {
    config: {
      provider: "zai",
      model: "glm-5.1",
      models: { small: "glm-4.7" },
      providers: { lab: { base_url: LAB } },
    },
    env: KEYS,
  };
  const problems: [task: Record<string, unknown>, meant: string, more?: object][] = [
    [{ model: "smal" }, "small"],
    [{ model: "sonet --provider anthropic" }, "sonnet"],
    [{ model: "glmm" }, "glm"],
    [{ model: "antropic/claude-opus-5" }, "claude-opus-5 --provider anthropic"],
    [{ model: "openruter:stepfun/step-3.5-flash" }, "stepfun/step-3.5-flash --provider openrouter"],
    [{ model: "glm-5.1 --provider openruter" }, "openrouter"],
    [{ model: "glm-5.1 --efort high" }, "--effort"],
    [{ model: "glm-5.1 --effort hgih" }, "high"],
    [{ provider: "antropic" }, "anthropic"],
    [{}, "small", { rules: [{ when: { toolset: "file" }, use: "smal" }] }],
    [{}, "zai", { rules: [{ when: { toolset: "file" }, use: "x-1 --provider zay" }] }],
    [{}, "openai", { delegation: { provider: "opnai" } }],
    [{}, "haiku", { delegation: { model: "haikku" } }],
    [{}, "openrouter", { model: "glm-5.1 --provider openruter", provider: undefined }],
  ];
  for (const [task, meant, more = {}] of problems)
    test(`${JSON.stringify(task)} ${JSON.stringify(more)} is a problem that suggests ${meant}`, () => {
      const { message, suggestions } = problem(task, { ...given, config: { ...(given.config as object), ...more } });
      assert.ok(suggestions.includes(meant), `${message} ${suggestions}`);
      assert.ok(message.includes(meant), message);
    });

  const written: [task: Record<string, unknown>, runs: string, more?: object][] = [
    [{ model: "llama-lab" }, "llama @ lab", { models: { "llama-lab": "llama --provider lab" } }],
    [{ model: "llama-lab", provider: "lab" }, "llama @ lab", { models: { "llama-lab": "llama --provider lab" } }],
    [{ model: "big" }, "lagre @ lab", { models: { large: "glm-4.7", big: { model: "lagre", provider: "lab" } } }],
    [{ model: "coder" }, "coder @ zai · high", { models: { coder: { model: "coder", reasoning_effort: "high" } } }],
    [{ provider: "lab" }, "default @ lab", { providers: { lab: { base_url: LAB, default_model: "default" } } }],
    [
      { model: "smal" },
      "smal @ lab",
      { provider: "lab", providers: { lab: { base_url: LAB, default_model: "smal" } } },
    ],
  ];
  for (const [task, runs, more] of written)
    test(`${JSON.stringify(task)} ${JSON.stringify(more)} follows the config and runs on ${runs}`, () => {
      assert.equal(nameOf(ready(task, { ...given, config: { ...(given.config as object), ...more } })), runs);
    });

  for (const model of ["foo", "foo:free", "x".repeat(400)])
    test(`${model.slice(0, 20)} at an endpoint of one's own is near nothing, and sent without a word`, () => {
      assert.deepEqual(ready({ model, provider: "lab" }, given).route.warnings, []);
    });

  const warnings: [model: string, meant: string][] = [
    ["sonet --provider lab", "sonnet"],
    ["antropic/claude-opus-5 --provider lab", "claude-opus-5 --provider anthropic"],
    ["openruter:stepfun/step-3.5-flash --provider lab", "stepfun/step-3.5-flash --provider openrouter"],
  ];
  for (const [model, meant] of warnings)
    test(`${model}, at a provider that accepts any name, is sent with a warning that suggests ${meant}`, () => {
      const { route } = ready({ model }, given);
      assert.equal(route.model, model.split(" ")[0]);
      assert.match(route.warnings[0]?.message ?? "", new RegExp(`Did you mean .*${RegExp.escape(meant)}`));
    });
});

describe("an endpoint of the user's own serves ids of any form", () => {
  const ids = [
    "openai/gpt-oss-120b",
    "Qwen/Qwen3-32B",
    "google/gemma-3-27b-it",
    "mistralai/Mistral-Small-3.2",
    "z-ai/glm-9",
    "openai/org/deep/model",
    "qwen:7b",
    "mistral:7b-instruct-q4_K_M",
    "/models/qwen.gguf",
  ];
  for (const id of ids)
    test(`${id} stays whole next to it, as its pair, in an alias, as a flag, and over it`, () => {
      const routes = [
        ready({ model: id, provider: "local" }, given),
        ready({ model: { model: id, provider: "local" } }, given),
        ready({ model: `${id} --provider local` }, given),
        ready({ model: id }, { ...given, config: { ...config, provider: "local", model: "m" } }),
        ready({}, { ...given, config: { ...config, provider: "local", model: id } }),
        ready({ model: "mine" }, { ...given, config: { ...config, models: { mine: `${id} --provider local` } } }),
      ];
      for (const plan of routes) assert.deepEqual([nameOf(plan), plan.route.warnings], [`${id} @ local`, []]);
    });

  test("so does a built-in provider with a custom address, if it is named next to the id", () => {
    const env = { ...KEYS, OPENAI_API_KEY: "key-of-a-gateway", OPENAI_BASE_URL: "http://127.0.0.1:4000/v1" };
    for (const id of ["openai/gpt-oss-120b", "anthropic/claude-opus-5"])
      assert.equal(nameOf(ready({ model: id, provider: "openai" }, { config, env })), `${id} @ openai`);
  });

  test("but a vendor at its own address does not, and a provider before a colon is no part of an id", () => {
    assert.equal(problem({ model: "anthropic/claude-opus-5", provider: "zai" }, given).code, "conflicting-route");
    assert.equal(problem({ model: "zai:glm-5", provider: "local" }, given).code, "conflicting-route");
    assert.equal(nameOf(ready({ model: "anthropic/claude-opus-5" }, given)), "claude-opus-5 @ anthropic");
  });
});
