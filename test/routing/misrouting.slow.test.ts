// biome-ignore-all lint/suspicious/noTemplateCurlyInString: `${NAME}` is how the config names a variable.
/**
 * Over random configs, environments and model requests: a planned route's keys belong to the provider and the origin of
 * the route, and no route mixes fields of two providers. Every key's text names its owner.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { Route } from "../../src/route.ts";
import { BUILT_IN_PROVIDERS } from "../../src/routing/catalog/built-in-providers.ts";
import { accessesFor, type Given, planAll, routingOf } from "./desk.ts";

const BUILT_IN = ["zai", "openai", "anthropic", "openrouter", "kimi"];
const OWN = ["alpha", "beta"];
const URLS = [
  "https://gate.example/v1",
  "https://gate.example:8443/v1",
  "https://api.z.ai.evil.example/v4",
  "https://api.openai.com/v1",
  "http://127.0.0.1:9000/v1",
  "http://plain.example/v1",
];
const MODELS = [
  "glm-5",
  "claude-opus-5",
  "gpt-6-sol",
  "x/y",
  "anthropic/claude-opus-5",
  "zai:glm-5",
  "small",
  "large",
  "inherit",
  "haiku",
  "GLM 4.7",
];

/** A value that may be in the config or not. */
const maybe = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: undefined });
const slug = fc.constantFrom(...BUILT_IN, ...OWN);

const entryOf = (name: string) =>
  fc.record({
    base_url: OWN.includes(name) ? fc.constantFrom(...URLS) : maybe(fc.constantFrom(...URLS)),
    api_key: maybe(fc.constant(`key in config of ${name}`)),
    api_keys: maybe(
      fc.subarray([`key in config of ${name}`, `second key in config of ${name}`, "${POOL_KEY}", "null"], {
        minLength: 1,
      }),
    ),
    api_key_env: maybe(fc.constant(`ENTRY_${name.toUpperCase()}`)),
    default_model: maybe(fc.constantFrom("d1", "d/2")),
  });

const environment = fc.record(
  Object.fromEntries(
    BUILT_IN_PROVIDERS.filter((row) => BUILT_IN.includes(row.slug))
      .flatMap((row) => [
        ...row.keys.map(({ name }) => [name, maybe(fc.constant(`key in ${name} of ${row.slug}`))]),
        ...(row.baseUrlVariable ? [[row.baseUrlVariable, maybe(fc.constantFrom(...URLS))]] : []),
      ])
      .concat([["POOL_KEY", maybe(fc.constant("key in a variable of anyone's"))]])
      .concat(
        [...BUILT_IN, ...OWN].map((name) => [
          `ENTRY_${name.toUpperCase()}`,
          maybe(fc.constant(`key in entry variable of ${name}`)),
        ]),
      ),
  ) as Record<string, fc.Arbitrary<string | undefined>>,
);

const modelText = fc.oneof(
  fc.constantFrom(...MODELS),
  fc.tuple(fc.constantFrom(...MODELS), slug).map(([model, provider]) => `${model} --provider ${provider}`),
);
const wish = fc.record({ model: maybe(modelText), provider: maybe(slug) });
const tags = maybe(fc.subarray(["a", "b"]));

const given: fc.Arbitrary<Given> = fc.record({
  env: environment.map((env) =>
    Object.fromEntries(Object.entries(env).filter((pair): pair is [string, string] => pair[1] !== undefined)),
  ),
  config: fc.record({
    model: maybe(modelText),
    provider: maybe(slug),
    providers: fc.record(Object.fromEntries([...BUILT_IN, ...OWN].map((name) => [name, entryOf(name)])), {
      requiredKeys: [],
    }),
    models: fc.record({
      small: modelText.filter((text) => !/small|large/.test(text)),
      large: fc.record({ model: fc.constant("m"), provider: slug }),
    }),
    rules: fc.array(fc.record({ when: fc.record({ tag: fc.constantFrom("a", "b") }), use: modelText }), {
      maxLength: 2,
    }),
    delegation: fc.record({
      model: maybe(modelText),
      provider: maybe(slug),
      fallbacks: fc.array(modelText, { maxLength: 2 }),
      on_unresolved: fc.constantFrom("skip", "fallback"),
    }),
  }),
});

/** The parts of config and environment that a provider may use, determined independently of the code under test. */
function belongings(provider: string, { config, env = {} }: Given) {
  const entry = (config as { providers: Record<string, { base_url?: string } | undefined> }).providers[provider];
  const row = BUILT_IN_PROVIDERS.find((one) => one.slug === provider);
  const variable = row?.baseUrlVariable === undefined ? undefined : env[row.baseUrlVariable];
  const origin = (url: string | undefined) => url && new URL(url).origin;
  const home = origin(row?.baseUrl);
  return {
    url: entry?.base_url ?? variable ?? row?.baseUrl,
    originOfKey: new Map([
      ...[
        `key in config of ${provider}`,
        `second key in config of ${provider}`,
        `key in entry variable of ${provider}`,
        // Whichever entry names a variable binds its value to the entry's own endpoint.
        "key in a variable of anyone's",
      ].map((key) => [key, origin(entry?.base_url) ?? home] as const),
      ...(row?.keys ?? []).map(({ name }) => [`key in ${name} of ${provider}`, origin(variable) ?? home] as const),
    ]),
  };
}

async function checkRoute(route: Route, here: Given): Promise<number> {
  const own = belongings(route.provider, here);
  const origin = new URL(route.endpoint.baseUrl).origin;
  assert.equal(route.endpoint.baseUrl, own.url, "the endpoint is the provider's own");
  const accesses = await accessesFor(route, routingOf(here));
  const keys = accesses.flatMap(({ key }) => key ?? []);
  if (keys.length === 0) {
    assert.equal(new URL(route.endpoint.baseUrl).hostname, "127.0.0.1", "only loopback goes without a key");
    assert.equal(route.keyName, undefined);
    return 0;
  }
  const values = keys.map(({ secret }) => secret.reveal(origin));
  for (const value of values) assert.equal(own.originOfKey.get(value), origin, `${value} at ${origin}`);
  assert.equal(new Set(values).size, values.length, "one value is one key");
  assert.ok(!/^http:\/\/plain/.test(origin), "no key in clear");
  const more = keys.length === 1 ? "" : ` +${keys.length - 1} more`;
  assert.equal(route.keyName, `${keys[0]?.secret.name}${more}`);
  return keys.length;
}

describe("no route is mixed up", () => {
  test("whatever is configured and asked for", async () => {
    let routes = 0;
    let pools = 0;
    const wishes = fc.array(fc.tuple(wish, tags), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(given, wishes, wish, async (here, each, ofCall) => {
        const tasks = each.map(([own, words], index) => ({ goal: `task ${index}`, ...own, tags: words }));
        const call = { ...ofCall, tasks };
        const before = JSON.stringify([call, here]);
        for (const planned of planAll(call, here).planned) {
          if (!("route" in planned)) continue;
          for (const route of [planned.route, ...planned.route.fallbacks]) {
            routes++;
            if ((await checkRoute(route, here)) > 1) pools++;
            assert.doesNotMatch(route.model, /^(small|large|inherit)$|--|^zai:|\s/, "names of ours are never sent");
          }
        }
        assert.equal(JSON.stringify([call, here]), before, "nothing given was changed");
      }),
      { numRuns: 500, seed: 20261121 },
    );
    assert.ok(pools > 100, `only ${pools} routes had a pool of keys`);
    assert.ok(routes > 300, `only ${routes} routes were planned: the inputs are too wild to test anything`);
  });
});
