/** Family names, and ids in another case or with other dashes. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FAMILY_NAMES, newestFirst, newestOf } from "../../../src/routing/catalog/families.ts";
import { KEYS, nameOf, planAll, problem, problemOf, ready, readyOf } from "../desk.ts";

const ZAI = { provider: "zai", model: "glm-5" };

describe("the newest of a family is", () => {
  const cases: [rule: string, family: string, ids: string[], newest: string[]][] = [
    ["the highest version", "haiku", ["claude-haiku-5-5", "claude-3-5-haiku", "claude-3-haiku"], ["claude-haiku-5-5"]],
    ["counted in decimals", "grok", ["grok-4.20", "grok-4.3", "grok-3"], ["grok-4.3"]],
    ["plain before dated", "sonnet", ["claude-sonnet-5-20260101", "claude-sonnet-5"], ["claude-sonnet-5"]],
    ["dated before preview", "o3", ["o3-preview", "o3-2025-04-16"], ["o3-2025-04-16"]],
    [
      "a preview where it is the highest",
      "pro",
      ["gemini-2.5-pro", "gemini-3.1-pro-preview"],
      ["gemini-3.1-pro-preview"],
    ],
    ["plain before a name of its own", "kimi", ["kimi-k3-fast", "kimi-k3"], ["kimi-k3"]],
    [
      "the provider's default among names of one version",
      "gpt",
      ["gpt-6-astra", "gpt-6-sol", "gpt-6-luna"],
      ["gpt-6-sol"],
    ],
    ["the shorter of a name and its variant", "o4", ["o4-mini-deep-research", "o4-mini"], ["o4-mini"]],
    [
      "several where only a person can choose",
      "llama",
      ["meta-llama/llama-4-scout", "meta-llama/llama-4-maverick"],
      ["meta-llama/llama-4-scout", "meta-llama/llama-4-maverick"],
    ],
    ["no size taken for a version", "qwen", ["qwen3-8b", "qwen3.7-plus"], ["qwen3.7-plus"]],
    [
      "no image, audio or guard model, and none on terms of its own",
      "gemini",
      ["gemini-9-image", "gemini-8:free", "gemini-3.8-flash"],
      ["gemini-3.8-flash"],
    ],
    ["not gpt-oss, nor a mini", "gpt", ["gpt-oss-120b", "gpt-5.4-mini", "gpt-5.4"], ["gpt-5.4"]],
    ["none", "glm", ["kimi-k3"], []],
  ];
  for (const [rule, family, ids, newest] of cases) test(rule, () => assert.deepEqual(newestOf(family, ids), newest));
});

test("a list has the newest of each maker's line first, whatever its dates and sizes", () => {
  const ids = [
    "gpt-4o-2024-11-20",
    "glm-4.7",
    "gpt-5.4-mini",
    "gpt-6-sol",
    "claude-3-opus",
    "claude-opus-5-5",
    "glm-5.3",
  ];
  assert.deepEqual(newestFirst(ids), [
    ...["gpt-6-sol", "gpt-5.4-mini", "gpt-4o-2024-11-20"],
    ...["glm-5.3", "glm-4.7", "claude-opus-5-5", "claude-3-opus"],
  ]);
});

describe("a family alias", () => {
  test("selects the newest on the current provider, which stays", () => {
    const { route } = ready({ model: "haiku" }, { config: { provider: "anthropic" }, env: KEYS });
    assert.equal(route.model, "claude-haiku-5-5");
    assert.deepEqual([route.chosenBy, route.requested], [{ provider: "parent", model: "task" }, { model: "haiku" }]);
  });

  test("is each maker's own, with a key of it", () => {
    const found = (family: string, variable: string) =>
      nameOf(ready({ model: family }, { env: { [variable]: "key-1" } }));
    assert.deepEqual(
      [
        found("gpt", "OPENAI_API_KEY"),
        found("Flash", "GEMINI_API_KEY"),
        found("glm", "GLM_API_KEY"),
        found("deepseek", "DEEPSEEK_API_KEY"),
        found("step", "STEPFUN_API_KEY"),
        found("mimo", "XIAOMI_API_KEY"),
        found("qwen", "DASHSCOPE_API_KEY"),
        found("GPT Mini", "OPENAI_API_KEY"),
      ],
      [
        "gpt-6.2-sol @ openai",
        "gemini-3.8-flash @ gemini",
        "glm-5.3 @ zai",
        "deepseek-v4-pro @ deepseek",
        "step-5-preview @ stepfun",
        "mimo-v2.6-pro @ xiaomi",
        "qwen4-max @ alibaba",
        "gpt-5.4-mini @ openai",
      ],
    );
  });

  test("leaves a provider without the family for the one with a key that has it, on record", () => {
    const env = { GLM_API_KEY: "key-1", ANTHROPIC_API_KEY: "key-2" };
    const { route } = ready({ model: "opus" }, { config: ZAI, env });
    assert.equal(`${route.model} @ ${route.provider}`, "claude-opus-5-5 @ anthropic");
    assert.deepEqual(route.chosenBy, { provider: "family", model: "task" });
    assert.equal(route.keyName, "ANTHROPIC_API_KEY");
  });

  test("that several providers with a key have is a problem that lists them", () => {
    const { code, suggestions } = problem({ model: "opus" }, { config: ZAI, env: KEYS });
    assert.equal(code, "ambiguous-route");
    assert.deepEqual(suggestions.toSorted(), [
      "anthropic/claude-opus-5.5 --provider openrouter",
      "claude-opus-5-5 --provider anthropic",
    ]);
  });

  test("that can mean several models is a problem that lists them", () => {
    const { code, suggestions } = problem({ model: "llama", provider: "openrouter" }, { env: KEYS });
    assert.equal(code, "ambiguous-route");
    assert.deepEqual(suggestions.toSorted(), ["meta-llama/llama-4-maverick", "meta-llama/llama-4-scout"]);
  });

  test("that no provider with a key has is a problem that names the providers that do", () => {
    const { code, suggestions } = problem({ model: "kimi" }, { config: ZAI, env: { GLM_API_KEY: "key-1" } });
    assert.equal(code, "unknown-model");
    assert.ok(suggestions.includes("kimi") && suggestions.includes("openrouter"));
  });

  test("next to a provider that does not have it is sent to no other", () => {
    const { message } = problem({ model: "haiku", provider: "zai" }, { env: KEYS });
    assert.match(message, /model of the haiku family that zai is known to serve; found none.*anthropic/);
  });

  test("after a slash is the family at that provider", () => {
    assert.equal(
      nameOf(ready({ model: "anthropic/haiku" }, { config: ZAI, env: KEYS })),
      "claude-haiku-5-5 @ anthropic",
    );
  });

  test("at a provider with a custom address still selects that one's, with a warning, and goes nowhere else", () => {
    const env = { ...KEYS, ANTHROPIC_BASE_URL: "https://gate.example" };
    const { route } = ready({ model: "haiku" }, { config: { provider: "anthropic" }, env });
    assert.deepEqual(
      [route.provider, route.model, route.chosenBy.provider],
      ["anthropic", "claude-haiku-5-5", "parent"],
    );
    assert.deepEqual(
      route.warnings.map(({ code }) => code),
      ["family-assumed"],
    );
  });

  test("found at another provider with a custom address has the same warning as with the provider named", () => {
    const env = { GLM_API_KEY: "key-1", ANTHROPIC_API_KEY: "key-2", ANTHROPIC_BASE_URL: "https://gate.example" };
    const warnings = (task: object) => ready({ model: "opus", ...task }, { config: ZAI, env }).route.warnings;
    assert.deepEqual(warnings({}), warnings({ provider: "anthropic" }));
    assert.deepEqual(
      warnings({}).map(({ code }) => code),
      ["family-assumed"],
    );
  });

  test("is a model's name where a provider's models are not known, with a warning", () => {
    const { route } = ready({ model: "qwen", provider: "ollama" }, {});
    assert.deepEqual([route.model, route.warnings.map(({ code }) => code)], ["qwen", ["family-unknown"]]);
  });

  test("of an undefined tier is a problem that says how to define it", () => {
    for (const model of ["Small", "large", "best"]) {
      const { code, message } = problem({ model, provider: "zai" }, { env: KEYS });
      assert.equal(code, "unknown-model");
      assert.ok(message.includes("not one of your aliases") && message.includes(`models: { ${model}: `), message);
    }
    const config = { models: { small: "glm-4.7" } };
    assert.deepEqual(ready({ model: "Small", provider: "zai" }, { config, env: KEYS }).route.warnings, []);
    const listed = { providers: { zai: { models: { small: {} } } } };
    assert.deepEqual(ready({ model: "small", provider: "zai" }, { config: listed, env: KEYS }).route.warnings, []);
  });

  test("of an undefined tier is sent unchanged, with a warning, to an endpoint whose models are not known", () => {
    const config = { providers: { mylab: { base_url: "http://127.0.0.1:1/v1" } } };
    const { route } = ready({ model: "large", provider: "mylab" }, { config });
    assert.deepEqual([route.model, route.warnings.map(({ code }) => code)], ["large", ["alias-missing"]]);
  });

  test("finds what the config states of an endpoint of the user's own", () => {
    const mylab = { base_url: "http://127.0.0.1:1/v1", models: { "qwen3-8b": {}, "qwen3.5-8b": {} } };
    assert.equal(
      nameOf(ready({ model: "qwen", provider: "mylab" }, { config: { providers: { mylab } } })),
      "qwen3.5-8b @ mylab",
    );
  });

  test("is overridden by the user's own alias, and may be its target", () => {
    const config = { ...ZAI, models: { haiku: "glm-4.7", cheap: "sonnet --provider anthropic" } };
    assert.equal(nameOf(ready({ model: "haiku" }, { config, env: KEYS })), "glm-4.7 @ zai");
    assert.equal(nameOf(ready({ model: "cheap" }, { config, env: KEYS })), "claude-sonnet-5-5 @ anthropic");
  });

  test("is found by its name in the catalog where no table has it, and only there", () => {
    const models = { "claude-saga-6": {}, "claude-saga-6-1": {}, "anthropic/claude-7-ballad": {} };
    const config = { provider: "mylab", providers: { mylab: { base_url: "http://127.0.0.1:1/v1", models } } };
    assert.equal(nameOf(ready({ model: "saga" }, { config })), "claude-saga-6-1 @ mylab");
    assert.equal(nameOf(ready({ model: "Ballad" }, { config })), "anthropic/claude-7-ballad @ mylab");
    assert.equal(nameOf(ready({ model: "sonata" }, { config })), "sonata @ mylab");
    assert.equal(nameOf(ready({ model: "constructor" }, { config })), "constructor @ mylab");
  });

  test("exists for every family of the documentation", () => {
    const words =
      "haiku sonnet opus fable gpt gpt-mini codex o3 o4 gemini flash pro grok deepseek llama qwen minimax nemotron kimi glm step mimo";
    assert.deepEqual(FAMILY_NAMES.toSorted(), words.split(" ").toSorted());
  });
});

describe("an id may be written in another way", () => {
  const cases: [written: string, provider: string, id: string][] = [
    ["GLM 4.7", "zai", "glm-4.7"],
    ["glm-4-7", "zai", "glm-4.7"],
    ["Claude_Sonnet_5", "anthropic", "claude-sonnet-5"],
    ["claude-opus-4.5", "anthropic", "claude-opus-4-5"],
    ["GLM 4.7", "openrouter", "z-ai/glm-4.7"],
  ];
  for (const [written, provider, id] of cases)
    test(`${written} at ${provider} is ${id}, on record`, () => {
      const { route } = ready({ model: written, provider }, { env: KEYS });
      assert.equal(route.model, id);
      assert.equal(route.requested.model, written);
      assert.deepEqual(
        route.warnings.map(({ code }) => code),
        ["model-respelled"],
      );
    });

  test("of a model that the config states twice, as a model and as the default", () => {
    const mylab = { base_url: "http://127.0.0.1:1/v1", models: { "lab-1": {} }, default_model: "lab-1" };
    const { route } = ready({ model: "LAB 1", provider: "mylab" }, { config: { providers: { mylab } } });
    assert.equal(route.model, "lab-1");
  });

  test("but is not guessed where it could be two", () => {
    const mylab = { base_url: "http://127.0.0.1:1/v1", models: { "a-1": {}, a_1: {} } };
    const { route } = ready({ model: "A.1", provider: "mylab" }, { config: { providers: { mylab } } });
    assert.equal(route.model, "A.1");
  });

  test("and is left alone at a gateway whose models are not known", () => {
    const config = { providers: { zai: { base_url: "https://gate.example/v1", api_key: "key-of-gate" } } };
    assert.equal(ready({ model: "GLM-4-7", provider: "zai" }, { config }).route.model, "GLM-4-7");
  });
});

test("one task's family does not move its siblings", () => {
  const env = { GLM_API_KEY: "key-1", ANTHROPIC_API_KEY: "key-2" };
  const { planned } = planAll([{ goal: "a", model: "opus" }, { goal: "b" }, { goal: "c", model: "gpt" }], {
    config: ZAI,
    env,
  });
  assert.equal(nameOf(readyOf(planned[0])), "claude-opus-5-5 @ anthropic");
  assert.equal(nameOf(readyOf(planned[1])), "glm-5 @ zai");
  assert.equal(problemOf(planned[2]).code, "unknown-model");
});
