/** The config's own model, provider and effort, those for children, and its aliases. */
import assert from "node:assert/strict";
import { dataUrl, TINY_PNG } from "../support/tiny-images.ts";
import { type Document, endings, play, refusal, routesIn, type Scene } from "../support/whole-stage.ts";
import { ACME_REFUSES, type Effects } from "./effects.ts";

/** The routes of one task under a config. */
async function routes(config: Document, task: object = {}, scene: Scene = {}): Promise<string[]> {
  return routesIn(await play({ goal: "one", ...task }, { ...scene, config }));
}

/** The routes of a task whose provider rejects every request. */
function routesOfRefused(config: Document, task: object = {}): Promise<string[]> {
  return routes(config, task, { script: ACME_REFUSES });
}

const PARENT_EFFECTS: Effects = {
  model: async () => {
    assert.deepEqual(await routes({ model: "acme-2" }), ["acme-2 @ acme"]);
    assert.deepEqual(await routes({}), ["acme-1 @ acme"]);
  },
  "model.model": async () => {
    assert.deepEqual(await routes({ model: { model: "acme-2" } }), ["acme-2 @ acme"]);
  },
  "model.provider": async () => {
    assert.deepEqual(await routes({ provider: undefined, model: { model: "x", provider: "beta" } }), ["x @ beta"]);
    const { message } = await refusal({ goal: "one" }, { config: { provider: undefined, model: { model: "x" } } });
    assert.match(message, /several have a key: acme, beta/);
  },
  "model.reasoning_effort": async () => {
    assert.deepEqual(await routes({ model: { model: "x", reasoning_effort: "low" } }), ["x @ acme · low"]);
    assert.deepEqual(await routes({ model: { model: "x" } }), ["x @ acme"]);
  },
  provider: async () => {
    assert.deepEqual(await routes({ provider: "beta" }), ["beta-1 @ beta"]);
    assert.match((await refusal({ goal: "one" }, { config: { provider: undefined } })).message, /nothing names one/);
  },
  reasoning_effort: async () => {
    assert.deepEqual(await routes({ reasoning_effort: "high" }), ["acme-1 @ acme · high"]);
    assert.deepEqual(await routes({ reasoning_effort: "high" }, { model: "acme-2" }), ["acme-2 @ acme"]);
  },
};

/** Each of them overrides the parent's, and a task overrides it. */
const CHILDREN_EFFECTS: Effects = {
  delegation: async () => {
    // Maps of two files are merged; a list is replaced.
    const config = { delegation: { model: "acme-2", fallbacks: ["acme-3"] } };
    const project = { delegation: { reasoning_effort: "low", fallbacks: ["beta-2 --provider beta"] } };
    const played = await play({ goal: "one" }, { config, project, script: ACME_REFUSES });
    assert.deepEqual(routesIn(played), ["acme-2 @ acme · low", "beta-2 @ beta · low"]);
  },
  "delegation.model": async () => {
    assert.deepEqual(await routes({ model: "acme-2", delegation: { model: "acme-3" } }), ["acme-3 @ acme"]);
    assert.deepEqual(await routes({ model: "acme-2" }), ["acme-2 @ acme"]);
    assert.deepEqual(await routes({ delegation: { model: "acme-3" } }, { model: "acme-4" }), ["acme-4 @ acme"]);
  },
  "delegation.model.model": async () => {
    assert.deepEqual(await routes({ delegation: { model: { model: "acme-3" } } }), ["acme-3 @ acme"]);
  },
  "delegation.model.provider": async () => {
    assert.deepEqual(await routes({ delegation: { model: { model: "x", provider: "beta" } } }), ["x @ beta"]);
    assert.deepEqual(await routes({ delegation: { model: { model: "x" } } }), ["x @ acme"]);
  },
  "delegation.model.reasoning_effort": async () => {
    const delegation = { model: { model: "x", reasoning_effort: "low" } };
    assert.deepEqual(await routes({ delegation }), ["x @ acme · low"]);
  },
  "delegation.provider": async () => {
    const played = await play({ goal: "one" }, { config: { delegation: { provider: "beta" } } });
    assert.deepEqual(routesIn(played), ["beta-1 @ beta"]);
    assert.equal(played.results[0]?.route?.chosen_by.provider, "delegation");
  },
  "delegation.reasoning_effort": async () => {
    const config = { reasoning_effort: "low", delegation: { reasoning_effort: "high" } };
    assert.deepEqual(await routes(config, { model: "acme-2" }), ["acme-2 @ acme · high"]);
  },
  "delegation.fallbacks": async () => {
    const delegation = { fallbacks: ["acme-2", "beta-2 --provider beta"] };
    const played = await play({ goal: "one" }, { config: { delegation }, script: ACME_REFUSES });
    assert.deepEqual(routesIn(played), ["acme-1 @ acme", "acme-2 @ acme", "beta-2 @ beta"]);
    assert.equal(played.results[0]?.route?.fallback_used, true);
    assert.deepEqual(endings(await play({ goal: "one" }, { script: ACME_REFUSES })), ["failed: invalid-request"]);
  },
  "delegation.fallbacks[].model": async () => {
    const delegation = { fallbacks: [{ model: "acme-2" }] };
    assert.deepEqual(await routesOfRefused({ delegation }), ["acme-1 @ acme", "acme-2 @ acme"]);
  },
  "delegation.fallbacks[].provider": async () => {
    const delegation = { fallbacks: [{ model: "x", provider: "beta" }] };
    assert.deepEqual(await routesOfRefused({ delegation }), ["acme-1 @ acme", "x @ beta"]);
  },
  "delegation.fallbacks[].reasoning_effort": async () => {
    const delegation = { fallbacks: [{ model: "acme-2", reasoning_effort: "low" }] };
    assert.deepEqual(await routesOfRefused({ delegation }), ["acme-1 @ acme", "acme-2 @ acme · low"]);
  },
  "delegation.on_unresolved": async () => {
    const call = { tasks: [{ goal: "one", provider: "nowhere" }, { goal: "two" }] };
    const under = (choice: string) => ({ config: { delegation: { on_unresolved: choice } } });
    for (const scene of [{}, under("skip")])
      assert.deepEqual(endings(await play(call, scene)), ["rejected: unknown-provider", "completed"]);
    assert.match((await refusal(call, under("reject"))).message, /Nothing was started/);
    const instead = await play(call, under("fallback"));
    assert.deepEqual(routesIn(instead, "one", "two"), ["acme-1 @ acme", "acme-1 @ acme"]);
    assert.deepEqual(
      instead.results.map(({ route, warnings }) => [route?.fallback_used, warnings.map(({ code }) => code)]),
      [
        [true, ["fallback-used"]],
        [false, []],
      ],
    );
  },
  "delegation.batch_defaults": async () => {
    const call = { tasks: [{ goal: "one" }], model: "acme-2" };
    const explicit = await play(call, { config: { delegation: { batch_defaults: "explicit" } } });
    assert.deepEqual(routesIn(explicit), ["acme-1 @ acme"]);
    assert.deepEqual(
      explicit.result.warnings.map(({ code }) => code),
      ["no-batch-default"],
    );
    for (const delegation of [{}, { batch_defaults: "inherit" }]) {
      const inherited = await play(call, { config: { delegation } });
      assert.deepEqual(routesIn(inherited), ["acme-2 @ acme"]);
      assert.deepEqual(inherited.result.warnings, []);
    }
  },
};

const ALIAS_EFFECTS: Effects = {
  models: async () => {
    const models = { small: "acme-mini", large: "small" };
    assert.deepEqual(await routes({ models }, { model: "small" }), ["acme-mini @ acme"]);
    assert.deepEqual(await routes({ models }, { model: "LARGE" }), ["acme-mini @ acme"]);
    assert.deepEqual(await routes({}, { model: "small" }), ["small @ acme"]);
  },
  "models.*": async () => {
    const models = { small: "beta-mini --provider beta --effort low", same: "inherit" };
    assert.deepEqual(await routes({ models }, { model: "small" }), ["beta-mini @ beta · low"]);
    assert.deepEqual(await routes({ models, model: "acme-2" }, { model: "same" }), ["acme-2 @ acme"]);
  },
  "models.*.model": async () => {
    assert.deepEqual(await routes({ models: { small: { model: "acme-mini" } } }, { model: "small" }), [
      "acme-mini @ acme",
    ]);
  },
  "models.*.provider": async () => {
    const models = { small: { model: "mini", provider: "beta" } };
    assert.deepEqual(await routes({ models }, { model: "small" }), ["mini @ beta"]);
    assert.deepEqual(await routes({ models: { small: { model: "mini" } } }, { model: "small" }), ["mini @ acme"]);
  },
  "models.*.reasoning_effort": async () => {
    const models = { small: { model: "mini", reasoning_effort: "low" } };
    assert.deepEqual(await routes({ models }, { model: "small" }), ["mini @ acme · low"]);
  },
  "models.*.fallbacks": async () => {
    const models = { small: { model: "mini", fallbacks: ["beta-2 --provider beta"] } };
    const config = { models, delegation: { fallbacks: ["beta-3 --provider beta"] } };
    assert.deepEqual(await routesOfRefused(config, { model: "small" }), ["mini @ acme", "beta-2 @ beta"]);
    assert.deepEqual(await routesOfRefused(config, { model: "mini" }), ["mini @ acme", "beta-3 @ beta"]);
  },
  "models.*.fallbacks[].model": async () => {
    const models = { small: { model: "mini", fallbacks: [{ model: "acme-2" }] } };
    assert.deepEqual(await routesOfRefused({ models }, { model: "small" }), ["mini @ acme", "acme-2 @ acme"]);
  },
  "models.*.fallbacks[].provider": async () => {
    const models = { small: { model: "mini", fallbacks: [{ model: "x", provider: "beta" }] } };
    assert.deepEqual(await routesOfRefused({ models }, { model: "small" }), ["mini @ acme", "x @ beta"]);
  },
  "models.*.fallbacks[].reasoning_effort": async () => {
    const models = { small: { model: "mini", fallbacks: [{ model: "acme-2", reasoning_effort: "low" }] } };
    assert.deepEqual(await routesOfRefused({ models }, { model: "small" }), ["mini @ acme", "acme-2 @ acme · low"]);
  },
};

/** The outcome of a model's own choice of route under this `delegation:`. */
async function chosen(delegation: Document, task: object): Promise<string[]> {
  const asking = { ...task, goal: "one" };
  const played = await play(
    { tasks: [asking, { goal: "two" }] },
    { config: { delegation }, options: { askedBy: "model" } },
  );
  return [...routesIn(played, "one"), ...endings(played).filter((ending) => ending !== "completed")];
}

const DENIED = ["rejected: denied-by-policy"];

const OPERATOR_EFFECTS: Effects = {
  "delegation.allow": async () => {
    assert.deepEqual(await chosen({ allow: ["acme/*"] }, { model: "acme-2" }), ["acme-2 @ acme"]);
    assert.deepEqual(await chosen({ allow: ["acme/*"] }, { provider: "beta" }), DENIED);
  },
  "delegation.allow[].match": async () => {
    const allow = [{ match: "beta/*", efforts: ["low"] }];
    assert.deepEqual(await chosen({ allow }, { provider: "beta" }), ["beta-1 @ beta"]);
    assert.deepEqual(await chosen({ allow }, { model: "acme-2" }), DENIED);
  },
  "delegation.allow[].efforts": async () => {
    const allow = [{ match: "*", efforts: ["low"] }];
    assert.deepEqual(await chosen({ allow }, { reasoning_effort: "low" }), ["acme-1 @ acme · low"]);
    assert.deepEqual(await chosen({ allow }, { reasoning_effort: "high" }), DENIED);
  },
  "delegation.deny": async () => {
    assert.deepEqual(await chosen({ deny: ["beta/*"] }, { model: "acme-2" }), ["acme-2 @ acme"]);
    assert.deepEqual(await chosen({ deny: ["beta/*"] }, { provider: "beta" }), DENIED);
  },
  "delegation.deny[].match": async () => {
    const deny = [{ match: "beta/*", efforts: ["high"] }];
    assert.deepEqual(await chosen({ deny }, { provider: "beta", reasoning_effort: "high" }), DENIED);
    assert.deepEqual(await chosen({ deny }, { reasoning_effort: "high" }), ["acme-1 @ acme · high"]);
  },
  "delegation.deny[].efforts": async () => {
    const deny = [{ match: "*", efforts: ["high"] }];
    assert.deepEqual(await chosen({ deny }, { reasoning_effort: "high" }), DENIED);
    assert.deepEqual(await chosen({ deny }, { reasoning_effort: "low" }), ["acme-1 @ acme · low"]);
  },
  rules: async () => {
    const rules = [
      { when: { tag: "a" }, use: "acme-2" },
      { when: { tag: "b" }, use: "acme-3" },
    ];
    assert.deepEqual(await routes({ rules }, { tags: ["b", "a"] }), ["acme-2 @ acme"]);
    assert.deepEqual(await routes({ rules }), ["acme-1 @ acme"]);
  },
  "rules[].when": async () => {
    const rules = [{ when: { tag: "a", toolset: "terminal" }, use: "acme-2" }];
    assert.deepEqual(await routes({ rules }, { tags: ["a"] }), ["acme-2 @ acme"]);
    assert.deepEqual(await routes({ rules }, { tags: ["a"], toolsets: ["file"] }), ["acme-1 @ acme"]);
  },
  "rules[].when.tag": async () => {
    const rules = [{ when: { tag: "a" }, use: "acme-2" }];
    assert.deepEqual(await routes({ rules }, { tags: ["A"] }), ["acme-2 @ acme"]);
    assert.deepEqual(await routes({ rules }, { tags: ["ab"] }), ["acme-1 @ acme"]);
  },
  "rules[].when.toolset": async () => {
    const rules = [{ when: { toolset: "terminal" }, use: "acme-2" }];
    assert.deepEqual(await routes({ rules }), ["acme-2 @ acme"]);
    assert.deepEqual(await routes({ rules }, { toolsets: ["file"] }), ["acme-1 @ acme"]);
  },
  "rules[].when.agent": async () => {
    const agents = { reviewer: { prompt: "Review." }, tester: { prompt: "Test." } };
    const rules = [{ when: { agent: "reviewer" }, use: "acme-2" }];
    assert.deepEqual(await routes({ rules, agents }, { agent: "Reviewer" }), ["acme-2 @ acme"]);
    assert.deepEqual(await routes({ rules, agents }, { agent: "tester" }), ["acme-1 @ acme"]);
    assert.deepEqual(await routes({ rules, agents }), ["acme-1 @ acme"]);
    const routed = { ...agents, reviewer: { prompt: "Review.", model: "acme-3" } };
    assert.deepEqual(await routes({ rules, agents: routed }, { agent: "reviewer" }), ["acme-3 @ acme"]);
  },
  "rules[].when.images": async () => {
    const images = [dataUrl(TINY_PNG)];
    const rules = [
      { when: { images: true, tag: "a" }, use: "acme-3" },
      { when: { images: true }, use: "acme-2" },
    ];
    assert.deepEqual(await routes({ rules }, { images, tags: ["a"] }), ["acme-3 @ acme"]);
    assert.deepEqual(await routes({ rules }, { images }), ["acme-2 @ acme"]);
    assert.deepEqual(await routes({ rules }, { tags: ["a"] }), ["acme-1 @ acme"]);
    assert.deepEqual(await routes({ rules: [{ when: { images: false }, use: "acme-2" }] }), ["acme-2 @ acme"]);
  },
  "rules[].when.role": async () => {
    const rules = [{ when: { role: "orchestrator" }, use: "acme-2" }];
    const delegation = { max_spawn_depth: 2 };
    assert.deepEqual(await routes({ rules, delegation }, { role: "orchestrator" }), ["acme-2 @ acme"]);
    assert.deepEqual(await routes({ rules, delegation }), ["acme-1 @ acme"]);
    assert.deepEqual(await routes({ rules: [{ when: { role: "leaf" }, use: "acme-2" }] }), ["acme-2 @ acme"]);
  },
  "rules[].use": async () => {
    const rules = [{ when: { tag: "a" }, use: "small" }];
    const models = { small: "mini --provider beta" };
    assert.deepEqual(await routes({ rules, models }, { tags: ["a"] }), ["mini @ beta"]);
  },
  "rules[].use.model": async () => {
    const rules = [{ when: { tag: "a" }, use: { model: "acme-2" } }];
    assert.deepEqual(await routes({ rules }, { tags: ["a"] }), ["acme-2 @ acme"]);
  },
  "rules[].use.provider": async () => {
    const rules = [{ when: { tag: "a" }, use: { model: "x", provider: "beta" } }];
    assert.deepEqual(await routes({ rules }, { tags: ["a"] }), ["x @ beta"]);
  },
  "rules[].use.reasoning_effort": async () => {
    const rules = [{ when: { tag: "a" }, use: { model: "x", reasoning_effort: "low" } }];
    assert.deepEqual(await routes({ rules }, { tags: ["a"] }), ["x @ acme · low"]);
  },
};

export const ROUTE_EFFECTS: Effects = {
  ...PARENT_EFFECTS,
  ...CHILDREN_EFFECTS,
  ...ALIAS_EFFECTS,
  ...OPERATOR_EFFECTS,
};
