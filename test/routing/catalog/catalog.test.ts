/** Model facts, their sources, and that unknown facts stay unknown. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Usage } from "../../../src/event.ts";
import { createPriceLibrary } from "../../../src/routing/catalog/price-library.ts";
import { planAll, problem, ready, routingOf } from "../desk.ts";

const env = { ANTHROPIC_API_KEY: "key-1", OPENAI_API_KEY: "key-2", GLM_API_KEY: "key-3", OPENROUTER_API_KEY: "key-4" };
const usage = (input: number, output: number, cached = 0): Usage => ({ input, output, cached, reasoning: 0 });

function costOf(task: Record<string, unknown>, used: Usage, config: object = {}) {
  const { route } = ready(task, { config, env });
  return routingOf({ config, env }).catalog.costUsd(route, used);
}

describe("facts of a model", () => {
  test("come from the library and the own table together", () => {
    const { facts } = ready({ provider: "anthropic", model: "claude-opus-5-5" }, { env }).route;
    assert.deepEqual(facts, {
      contextWindow: 1_000_000,
      price: { input: 4, output: 20, cachedInput: 0.2, cacheWrite: 5 },
      efforts: ["low", "medium", "high", "xhigh", "max"],
      maxOutputTokens: 128_000,
      vision: true,
      tools: true,
    });
  });

  test("of a dated id are those of the model", () => {
    const facts = (model: string) => ready({ provider: "anthropic", model }, { env }).route.facts;
    assert.deepEqual(facts("claude-opus-4-5-20251101"), facts("claude-opus-4-5"));
  });

  test("are the user's first, each on its own", () => {
    const models = {
      "claude-opus-5-5": {
        context_window: 9,
        reasoning_efforts: ["low"],
        tools: false,
        price: { input: 1, output: 2, cached_input: 3 },
      },
    };
    const { facts } = ready(
      { provider: "anthropic", model: "claude-opus-5-5" },
      { config: { providers: { anthropic: { models } } }, env },
    ).route;
    assert.deepEqual(facts, {
      contextWindow: 9,
      price: { input: 1, output: 2, cachedInput: 3 },
      efforts: ["low"],
      maxOutputTokens: 128_000,
      vision: true,
      tools: false,
    });
  });

  test("of a newer version are not taken from an older one that the library has", () => {
    const library = createPriceLibrary();
    assert.ok(library.factsOf("anthropic", "claude-sonnet-5"));
    assert.equal(library.factsOf("anthropic", "claude-sonnet-5-7"), undefined);
    assert.equal(library.costUsd("anthropic", "claude-sonnet-5-7", usage(1, 1)), undefined);
  });

  test("of a custom endpoint come from the user, or are unknown", () => {
    const mylab = { base_url: "http://127.0.0.1:1/v1", models: { known: { max_output_tokens: 7 } } };
    const facts = (model: string) =>
      ready({ provider: "mylab", model }, { config: { providers: { mylab } } }).route.facts;
    assert.deepEqual([facts("known"), facts("claude-opus-5")], [{ maxOutputTokens: 7 }, {}]);
  });
});

describe("the cost of a request", () => {
  test("is the library's, by tokens and by cache", () => {
    assert.equal(costOf({ provider: "anthropic", model: "claude-sonnet-5" }, usage(1_000_000, 100_000)), 3);
    assert.equal(costOf({ provider: "anthropic", model: "claude-sonnet-5" }, usage(1_000_000, 0, 1_000_000)), 0.2);
  });

  test("charges tokens written to a cache once at their own price, or at the input price if that is unknown", () => {
    const written = { ...usage(1_000_000, 0), cacheWrite: 1_000_000 };
    assert.equal(costOf({ provider: "anthropic", model: "claude-sonnet-5" }, written), 2.5);
    const both = { ...usage(1_000_000, 0, 500_000), cacheWrite: 500_000 };
    assert.equal(costOf({ provider: "anthropic", model: "claude-sonnet-5" }, both), 1.35);
    const stated = { providers: { zai: { models: { m: { price: { input: 1, output: 10 } } } } } };
    assert.equal(costOf({ provider: "zai", model: "m" }, written, stated), 1);
  });

  test("follows the library's tiers where a long prompt costs more", () => {
    const short = costOf({ provider: "openai", model: "gpt-6-astra" }, usage(100_000, 0)) ?? 0;
    const long = costOf({ provider: "openai", model: "gpt-6-astra" }, usage(300_000, 0)) ?? 0;
    assert.ok(long > short * 3.5, `${short} ${long}`);
  });

  test("uses the user's price rather than the library's", () => {
    const price = (more: object) => ({
      providers: { zai: { models: { m: { price: { input: 1, output: 10, ...more } } } } },
    });
    assert.equal(costOf({ provider: "zai", model: "m" }, usage(1_000_000, 1_000_000, 500_000), price({})), 11);
    assert.equal(
      costOf({ provider: "zai", model: "m" }, usage(1_000_000, 0, 500_000), price({ cached_input: 0 })),
      0.5,
    );
  });

  test("is unknown, not nothing, where no price is known", () => {
    assert.equal(costOf({ provider: "zai", model: "glm-unheard-of" }, usage(1, 1)), undefined);
  });
});

describe("a budget", () => {
  const unpriced = { provider: "zai", model: "glm-9-preview" };
  const budgets: [whose: string, task: object, call: object, delegation: object][] = [
    ["of the task", { max_cost_usd: 1 }, {}, {}],
    ["of the call", {}, { max_cost_usd: 1 }, {}],
    ["of the config", {}, {}, { max_cost_usd: 1 }],
  ];
  for (const [whose, task, call, delegation] of budgets)
    test(`${whose} needs a price`, () => {
      const [planned] = planAll(
        { ...call, tasks: [{ goal: "x", ...unpriced, ...task }] },
        { config: { delegation }, env },
      ).planned;
      assert.ok(planned && "problem" in planned);
      assert.equal(planned.problem.code, "unknown-price");
      assert.match(planned.problem.message, /providers\.zai\.models\.glm-9-preview\.price.*allow_unknown_price/);
    });

  test("that cannot pay for a single request is a problem, whoever sets it", () => {
    const priced = {
      providers: { lab: { base_url: "http://127.0.0.1:1/v1", models: { "m-1": { price: { input: 2, output: 10 } } } } },
    };
    const task = { model: "m-1", provider: "lab" };
    const small = problem({ ...task, max_cost_usd: 0.002 }, { config: priced });
    assert.deepEqual([small.code, small.field], ["budget-too-small", "max_cost_usd"]);
    assert.match(
      small.message,
      /at least \$0\.0026, the least that one request to m-1 @ lab can cost; found \$0\.002\./,
    );
    const ofConfig = { config: { ...priced, delegation: { max_cost_usd: 0.002 } } };
    assert.equal(problem(task, ofConfig).code, "budget-too-small");
    assert.equal(
      problem({ ...task, context: "x".repeat(80_000), max_cost_usd: 0.02 }, { config: priced }).code,
      "budget-too-small",
    );
    assert.equal(ready({ ...task, max_cost_usd: 0.0027 }, { config: priced }).limits.maxCostUsd, 0.0027);
    const free = {
      providers: { lab: { base_url: "http://127.0.0.1:1/v1", models: { "m-1": { price: { input: 0, output: 0 } } } } },
    };
    ready({ ...task, max_cost_usd: 0.000001 }, { config: free });
  });

  test("needs no price where the operator allows it", () => {
    const config = { delegation: { max_cost_usd: 1, allow_unknown_price: true } };
    assert.equal(ready(unpriced, { config, env }).route.model, "glm-9-preview");
  });

  test("makes a declared fallback without a price a warning", () => {
    const config = { delegation: { max_cost_usd: 1, fallbacks: ["glm-9-preview --provider zai"] } };
    const { route } = ready({ provider: "anthropic" }, { config, env });
    assert.deepEqual([route.fallbacks, route.warnings.map(({ code }) => code)], [[], ["fallback-unusable"]]);
  });
});

describe("an effort", () => {
  const refused: [provider: string, model: string, effort: string][] = [
    ["openai", "gpt-4o", "low"],
    ["openai", "gpt-5", "max"],
    ["openai", "gpt-6-astra", "none"],
    ["openai", "gpt-5-2025-08-07", "xhigh"],
    ["anthropic", "claude-opus-5-5", "minimal"],
    ["anthropic", "claude-3-haiku-20240307", "low"],
  ];
  for (const [provider, model, reasoning_effort] of refused)
    test(`${reasoning_effort} is refused for ${model}, with what it takes`, () => {
      const found = problem({ provider, model, reasoning_effort }, { env });
      assert.deepEqual([found.code, found.field], ["effort-unsupported", "reasoning_effort"]);
      assert.match(found.message, found.suggestions.length > 0 ? /accepts .*; found/ : /accepts no effort: omit it/);
    });

  test("that the model's facts do not exclude passes", () => {
    for (const [provider, model, reasoning_effort] of [
      ["openai", "gpt-6-sol", "none"],
      ["openai", "gpt-5.4", "xhigh"],
      ["zai", "glm-5", "max"],
      ["openrouter", "openai/gpt-4o", "low"],
    ])
      assert.equal(ready({ provider, model, reasoning_effort }, { env }).route.effort, reasoning_effort);
  });

  test("the user declares for a model is what counts", () => {
    const config = { providers: { zai: { models: { "glm-5": { reasoning_efforts: ["low", "high"] } } } } };
    const found = problem({ provider: "zai", model: "glm-5", reasoning_effort: "medium" }, { config, env });
    assert.deepEqual(found.suggestions, ["low", "high"]);
  });
});

describe("an unknown model", () => {
  const warnings = (provider: string, model: string, config: object = {}) =>
    ready({ provider, model }, { config, env }).route.warnings.map(({ message }) => message);

  const unknown: [provider: string, model: string, hint: RegExp][] = [
    ["anthropic", "claude-sonet-5", /Did you mean .*claude-sonnet-5/],
    ["anthropic", "claude-sonnet-77", /Did you mean .*claude-sonnet/],
    ["anthropic", "banana", /deputy models --provider anthropic lists/],
    ["openai", "gpt6", /Did you mean .*gpt-/],
    ["openai", "gpt-6-soll", /Did you mean .*gpt-6-sol/],
    ["zai", "glm-4.77", /Did you mean .*glm-4\.7/],
    ["openrouter", "z-ai/glm-99", /openrouter as is/],
  ];
  for (const [provider, model, hint] of unknown)
    test(`such as ${model} at ${provider} passes, with a warning and the nearest ids`, () => {
      const [warning = "", ...more] = warnings(provider, model);
      assert.deepEqual(more, []);
      assert.ok(warning.startsWith(`${model} is not known to Deputy; it is sent to ${provider} as is.`), warning);
      assert.match(warning, hint);
    });

  test("is one that neither the config, nor the provider's list, nor Deputy has", () => {
    for (const [provider = "", model = ""] of [
      ["zai", "glm-4.7"],
      ["anthropic", "claude-opus-4-5-20251101"],
      ["openai", "gpt-6-sol"],
      ["openrouter", "stepfun/step-3.5-flash"],
    ])
      assert.deepEqual(warnings(provider, model), [], model);
    assert.deepEqual(warnings("zai", "glm-99", { providers: { zai: { models: { "glm-99": {} } } } }), []);
  });

  for (const name of ["claude", "anthropic", "ChatGPT", "openrouter", "mistral", "z-ai"])
    test(`cannot have the name of a vendor or provider: ${name}`, () => {
      const { code, message, suggestions } = problem({ provider: "anthropic", model: name }, { env });
      assert.equal(code, "unknown-model");
      assert.ok(message.includes(`found ${name}`) && suggestions.length > 0, message);
    });

  for (const name of ["large", "zai", "chatgpt"])
    test(`is named as such where several providers have a key: ${name}`, () => {
      const several = { ANTHROPIC_API_KEY: "key-of-anthropic", ZAI_API_KEY: "key-of-zai" };
      const { code, message } = problem({ model: name }, { env: several });
      assert.equal(code, "unknown-model");
      assert.match(message, /which no provider with a key has\. Name both, such as .*--provider zai/);
      const config = { providers: { lab: { base_url: "http://127.0.0.1:1/v1" } } };
      assert.equal(problem({ model: name }, { config, env: several }).code, "ambiguous-route");
    });

  test("may have such a name where the models are not known, or the config lists it", () => {
    assert.equal(ready({ provider: "ollama", model: "mistral" }, { env }).route.model, "mistral");
    const config = { providers: { anthropic: { models: { claude: {} } } } };
    assert.deepEqual(warnings("anthropic", "claude", config), []);
  });

  const moved = (base_url: string, models: object = {}) => ({
    providers: { zai: { base_url, api_key: "key-of-proxy", models } },
  });
  for (const base_url of ["https://proxy.example/v1", "http://127.0.0.1:1/zai", "https://gate.example:8443/api"])
    test(`is one where the address was moved to ${base_url}, if its name is the vendor's`, () => {
      const [warning = "", ...more] = warnings("zai", "glm-4.77", moved(base_url));
      assert.deepEqual(more, []);
      assert.match(warning, /^glm-4\.77 is not known to Deputy; it is sent to zai as is\. Did you mean .*glm-4\.7/);
      assert.deepEqual(warnings("zai", "glm-4.7", moved(base_url)), []);
      assert.deepEqual(warnings("zai", "qwen3-32b", moved(base_url)), [], "a gateway's own");
      assert.deepEqual(warnings("zai", "team/glm-4.77", moved(base_url)), [], "a gateway's own name");
      assert.deepEqual(warnings("zai", "glm-4.77", moved(base_url, { "glm-4.77": {} })), []);
    });

  test("passes at a gateway, whoever made it", () => {
    const config = { providers: { openai: { base_url: "https://gate.example/v1", api_key: "key-of-gate" } } };
    const { route } = ready({ provider: "openai", model: "claude-opus-5" }, { config, env });
    assert.deepEqual([route.model, route.warnings], ["claude-opus-5", []]);
  });
});

describe("a model that cannot call tools", () => {
  const mute = { base_url: "http://127.0.0.1:1/v1", models: { mute: { tools: false } } };
  const config = { providers: { mylab: mute } };

  test("gets none, and the task gets a warning", () => {
    const { toolsets, route } = ready({ provider: "mylab", model: "mute" }, { config });
    assert.deepEqual([toolsets, route.warnings.map(({ code }) => code)], [[], ["no-tools"]]);
    assert.deepEqual(ready({ provider: "mylab", model: "other" }, { config }).route.warnings, []);
  });

  test("is rejected if the task names toolsets, and accepted if it names none", () => {
    const found = problem({ provider: "mylab", model: "mute", toolsets: ["file"] }, { config });
    assert.deepEqual([found.code, found.field], ["toolset-unavailable", "toolsets"]);
    assert.match(found.message, /\(file\); found mute @ mylab, which cannot/);
    assert.deepEqual(ready({ provider: "mylab", model: "mute", toolsets: [] }, { config }).toolsets, []);
  });

  test("is no fallback for a child that has tools", () => {
    const declared = { ...config, delegation: { fallbacks: ["mute --provider mylab"] } };
    const { route } = ready({ provider: "mylab", model: "other" }, { config: declared });
    assert.deepEqual([route.fallbacks, route.warnings.map(({ code }) => code)], [[], ["fallback-unusable"]]);
    const toolless = ready({ provider: "mylab", model: "other", toolsets: [] }, { config: declared });
    assert.equal(toolless.route.fallbacks.length, 1);
  });
});
