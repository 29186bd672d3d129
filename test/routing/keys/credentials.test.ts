// biome-ignore-all lint/suspicious/noTemplateCurlyInString: `${NAME}` is how the config names a variable.
/** Where keys are searched, where they may be sent, and that they are sent nowhere else. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { inspect } from "node:util";
import { accessesFor, accessFor, type Given, problem, ready, readyOf, routingOf } from "../desk.ts";

/** Endpoint, key name and key value for a task on a provider. */
async function sent(provider: string, given: Given, model = "m") {
  const { route } = ready({ provider, model }, given);
  const { key, headers } = await accessFor(route, routingOf(given));
  const origin = new URL(route.endpoint.baseUrl).origin;
  return {
    url: route.endpoint.baseUrl,
    mode: route.endpoint.apiMode,
    name: key?.secret.name,
    value: key?.secret.reveal(origin),
    header: key?.header,
    headers,
    warnings: route.warnings.map(({ code }) => code),
  };
}

const missing = (provider: string, given: Given) => problem({ provider, model: "m" }, given).message;

describe("a key is looked for", () => {
  const all = { A: "from-api-key", B: "from-env-name", GLM_API_KEY: "first", ZAI_API_KEY: "second" };
  const cases: [where: string, entry: object, env: Record<string, string>, name: string, value: string][] = [
    ["first in api_key", { api_key: "${A}", api_key_env: "B" }, all, "A", "from-api-key"],
    ["in api_key as written", { api_key: "literal" }, all, "providers.zai.api_key", "literal"],
    ["in api_key around a variable", { api_key: "pre-${A}" }, all, "A", "pre-from-api-key"],
    ["then in the variable api_key_env names", { api_key_env: "B" }, all, "B", "from-env-name"],
    ["then in the row's variables, in order", {}, all, "GLM_API_KEY", "first"],
    ["in the next variable where the first is blank", {}, { ...all, GLM_API_KEY: " " }, "ZAI_API_KEY", "second"],
    ["past a placeholder", { api_key: "changeme" }, { ...all, GLM_API_KEY: "***" }, "ZAI_API_KEY", "second"],
    ["past a reference that nobody expands", {}, { ...all, GLM_API_KEY: "${OTHER_KEY}" }, "ZAI_API_KEY", "second"],
    ["past another program's reference", {}, { ...all, GLM_API_KEY: "$OTHER_KEY" }, "ZAI_API_KEY", "second"],
    ["as a variable's value with a dollar", {}, { GLM_API_KEY: "$ecret-1" }, "GLM_API_KEY", "$ecret-1"],
    ["past an unset variable of the config", { api_key: "${NOT_SET}" }, all, "GLM_API_KEY", "first"],
  ];
  for (const [where, entry, env, name, value] of cases)
    test(where, async () => {
      const found = await sent("zai", { config: { providers: { zai: entry } }, env });
      assert.deepEqual([found.name, found.value], [name, value]);
    });

  const pools: [which: string, entry: object, names: string[]][] = [
    ["the row's variables", {}, ["GLM_API_KEY", "ZAI_API_KEY"]],
    [
      "api_key, api_keys and api_key_env",
      { api_key: "${A}", api_keys: ["lit-eral", "${GLM_API_KEY}"], api_key_env: "B" },
      ["A", "providers.zai.api_keys[0]", "GLM_API_KEY", "B"],
    ],
    ["api_keys alone, without unset ones and placeholders", { api_keys: ["${NO}", "null", "${A}"] }, ["A"]],
    [
      "the row's variables where no key of the entry is usable",
      { api_keys: ["${NO}"] },
      ["GLM_API_KEY", "ZAI_API_KEY"],
    ],
  ];
  for (const [which, entry, names] of pools)
    test(`and several form a pool: ${which}`, async () => {
      const given = { config: { providers: { zai: entry } }, env: { ...all, Z_AI_API_KEY: all.ZAI_API_KEY } };
      const { route } = ready({ provider: "zai", model: "m" }, given);
      const accesses = await accessesFor(route, routingOf(given));
      assert.deepEqual(
        accesses.map(({ key }) => key?.secret.name),
        names,
      );
      const more = names.length === 1 ? "" : ` +${names.length - 1} more`;
      assert.equal(route.keyName, `${names[0]}${more}`);
    });

  test("and without a key, every place is named in order", () => {
    const config = { providers: { zai: { api_key: "${NOPE}", api_key_env: "ALSO_NOT" } } };
    const env = { GLM_API_KEY: "none", ANTHROPIC_API_KEY: "key-1" };
    assert.match(
      missing("zai", { config, env }),
      /^No key for zai\. Looked in providers\.zai\.api_key \(NOPE is not set\), ALSO_NOT, GLM_API_KEY \(contains a placeholder, not a key\), ZAI_API_KEY, Z_AI_API_KEY\. Set one, or choose another provider: anthropic\.$/,
    );
  });

  test("under the built-in's other name too, once", async () => {
    assert.equal((await sent("zai", { config: { providers: { glm: { api_key: "of-glm" } } } })).value, "of-glm");
    const twice = { providers: { glm: { api_key: "aaaa" }, zai: { api_key: "bbbb" } } };
    assert.match(missing("zai", { config: twice }), /providers\.glm and providers\.zai are the same provider/);
  });

  for (const word of [
    "*",
    "**",
    "***",
    "changeme",
    "your_api_key",
    "dummy",
    "null",
    "none",
    "no-key-required",
    "abc",
    "NONE",
  ])
    test(`and ${word} is not a key`, () => {
      assert.match(missing("zai", { env: { GLM_API_KEY: word } }), /contains a placeholder/);
    });
});

describe("a key stays with its origin:", () => {
  test("a config entry's key with the entry's endpoint", async () => {
    const config = { providers: { zai: { base_url: "https://gate.example/v1/", api_key: "gate-key" } } };
    const found = await sent("zai", { config, env: { GLM_API_KEY: "zai-key" } });
    assert.deepEqual([found.url, found.value], ["https://gate.example/v1", "gate-key"]);
  });

  test("a base_url without a key never gets the row's variable", () => {
    const config = { providers: { zai: { base_url: "https://gate.example/v1" } } };
    assert.match(
      missing("zai", { config, env: { GLM_API_KEY: "zai-key" } }),
      /GLM_API_KEY \(belongs to https:\/\/api\.z\.ai, and is not sent to https:\/\/gate\.example\)/,
    );
  });

  const elsewhere = [
    "https://api.z.ai.evil.example/v4",
    "https://evil.example/api.z.ai",
    "https://api.z.ai:8443/v4",
    "http://api.z.ai/v4",
    "https://api.z.ai@evil.example/v4",
    "https://xapi.z.ai/v4",
  ];
  for (const base_url of elsewhere)
    test(`not with ${base_url}`, () => {
      const given = {
        config: { providers: { zai: { base_url: "${URL}" } } },
        env: { URL: base_url, GLM_API_KEY: "zai-key" },
      };
      assert.match(missing("zai", given), /belongs to https:\/\/api\.z\.ai|expected an http\(s\) URL/);
    });

  test("another path at the same origin is the same origin", async () => {
    const config = { providers: { zai: { base_url: "https://api.z.ai/api/anthropic" } } };
    const found = await sent("zai", { config, env: { GLM_API_KEY: "zai-key" } });
    assert.deepEqual([found.value, found.mode, found.header], ["zai-key", "anthropic_messages", "x-api-key"]);
  });

  test("variables are a pair: the key goes to the base-URL variable's origin", async () => {
    const env = { OPENAI_API_KEY: "proxy-key", OPENAI_BASE_URL: "https://proxy.example/v1" };
    assert.deepEqual(
      [(await sent("openai", { env })).url, (await sent("openai", { env })).value],
      ["https://proxy.example/v1", "proxy-key"],
    );
  });

  test("and not to the row's own when the config names that", () => {
    const env = { OPENAI_API_KEY: "proxy-key", OPENAI_BASE_URL: "https://proxy.example/v1" };
    const config = { providers: { openai: { base_url: "https://api.openai.com/v1" } } };
    assert.match(missing("openai", { config, env }), /belongs to https:\/\/proxy\.example/);
  });

  test("an entry's key without base_url belongs to the row, not to a base-URL variable", () => {
    const config = { providers: { openai: { api_key: "real-key" } } };
    assert.match(
      missing("openai", { config, env: { OPENAI_BASE_URL: "https://proxy.example/v1" } }),
      /providers\.openai\.api_key \(belongs to https:\/\/api\.openai\.com, and is not sent to https:\/\/proxy\.example\)/,
    );
  });

  test("one gateway, two entries, two keys", async () => {
    const base_url = "https://gate.example/v1";
    const config = { providers: { one: { base_url, api_key: "key-one" }, two: { base_url, api_key: "key-two" } } };
    assert.deepEqual(
      [(await sent("one", { config })).value, (await sent("two", { config })).value],
      ["key-one", "key-two"],
    );
  });

  test("a parent's key does not cross over to a provider without one", () => {
    const config = { provider: "zai", model: "glm-5", providers: { gate: { base_url: "https://gate.example/v1" } } };
    assert.match(
      missing("gate", { config, env: { GLM_API_KEY: "zai-key" } }),
      /^No key for gate\. Looked in providers\.gate\.api_key\./,
    );
  });

  test("some of kimi's keys tell by their beginning that they belong to its coding endpoint", async () => {
    const coding = await sent("kimi", { env: { KIMI_API_KEY: "sk-kimi-123" } });
    assert.deepEqual(
      [coding.url, coding.mode, coding.value],
      ["https://api.kimi.com/coding", "anthropic_messages", "sk-kimi-123"],
    );
    assert.equal((await sent("kimi", { env: { KIMI_API_KEY: "sk-123" } })).url, "https://api.moonshot.ai/v1");
  });

  test("a route to another origin than its provider's gets no access at all", async () => {
    const given = { env: { GLM_API_KEY: "zai-key" } };
    const { route } = ready({ provider: "zai", model: "m" }, given);
    const moved = { ...route, endpoint: { ...route.endpoint, baseUrl: "https://evil.example/v4" } };
    const lease = await routingOf(given).credentials.lease(moved, AbortSignal.timeout(5_000));
    assert.ok("failure" in lease && lease.failure.kind === "route-gone");
    assert.doesNotMatch(JSON.stringify(lease), /zai-key/);
  });
});

describe("no key is needed", () => {
  for (const [entry, said] of [
    [{ api_key: "${NOT_SET}" }, "providers.local.api_key (NOT_SET is not set)"],
    [{ api_keys: ["${NOT_SET}"] }, "providers.local.api_keys[0] (NOT_SET is not set)"],
    [{ api_key_env: "NOT_SET" }, "NOT_SET (is not set)"],
  ] as const)
    test(`on this machine; if ${JSON.stringify(entry)} was intended as one, there is a warning`, () => {
      const providers = { local: { base_url: "http://127.0.0.1:8000/v1", ...entry } };
      const { route } = ready({ provider: "local", model: "m-1" }, { config: { providers } });
      assert.equal(route.keyName, undefined);
      assert.equal(route.warnings[0]?.code, "key-withheld");
      assert.ok(route.warnings[0]?.message.startsWith(`local is asked without a key. Not sent: ${said}.`));
    });

  for (const base_url of [
    "http://127.0.0.1:9/v1",
    "http://localhost:9",
    "http://[::1]:9/v1",
    "http://10.1.2.3:9/v1",
    "http://gpu-box:9",
  ])
    test(`by an endpoint of the user's own at ${base_url}`, async () => {
      const found = await sent("mylab", { config: { providers: { mylab: { base_url } } } });
      assert.deepEqual([found.name, found.value], [undefined, undefined]);
    });

  test("but required by one on the internet", () => {
    const config = { providers: { mylab: { base_url: "https://lab.example/v1" } } };
    assert.match(missing("mylab", { config }), /Looked in providers\.mylab\.api_key\./);
  });

  test("by a built-in provider on loopback, which reports that the user's key is not sent", async () => {
    const config = { providers: { zai: { base_url: "http://127.0.0.1:9/v1" } } };
    const found = await sent("zai", { config, env: { GLM_API_KEY: "zai-key" } });
    assert.deepEqual([found.value, found.warnings], [undefined, ["key-withheld"]]);
  });

  test("where a header of the entry is the credential", async () => {
    const config = { providers: { az: { base_url: "https://x.example/v1", headers: { "Api-Key": "${AZ}" } } } };
    const found = await sent("az", { config, env: { AZ: "az-key" } });
    assert.deepEqual([found.value, found.headers], [undefined, { "api-key": "az-key" }]);
    assert.match(missing("az", { config }), /headers\.Api-Key names AZ: not set/);
  });
});

test("a key is not sent unencrypted over the internet, and is on the local network", async () => {
  const gate = (base_url: string) => ({ config: { providers: { gate: { base_url, api_key: "gate-key" } } } });
  assert.match(
    missing("gate", gate("http://gate.example/v1")),
    /is not sent unencrypted to http:\/\/gate\.example: use https/,
  );
  assert.equal((await sent("gate", gate("http://192.168.1.5:8000/v1"))).value, "gate-key");
});

test("headers of an entry without base_url do not follow a base-URL variable elsewhere", async () => {
  const config = { providers: { openai: { headers: { "x-team": "research" } } } };
  const env = { OPENAI_API_KEY: "key-1" };
  assert.deepEqual((await sent("openai", { config, env })).headers, { "x-team": "research" });
  assert.match(
    missing("openai", { config, env: { ...env, OPENAI_BASE_URL: "https://proxy.example" } }),
    /headers\.x-team belongs to/,
  );
});

describe("keys are shown to a provider as it wants them", async () => {
  const cases: [provider: string, env: Record<string, string>, model: string, mode: string, header: string][] = [
    ["zai", { GLM_API_KEY: "key-1" }, "glm-5", "chat_completions", "authorization"],
    ["openai", { OPENAI_API_KEY: "key-1" }, "gpt-6-sol", "responses", "authorization"],
    ["anthropic", { ANTHROPIC_API_KEY: "key-1" }, "claude-opus-5", "anthropic_messages", "x-api-key"],
    ["anthropic", { ANTHROPIC_AUTH_TOKEN: "key-1" }, "claude-opus-5", "anthropic_messages", "authorization"],
    ["gemini", { GOOGLE_API_KEY: "key-1" }, "gemini-3.8-flash", "gemini", "x-goog-api-key"],
    ["opencode-zen", { OPENCODE_API_KEY: "key-1" }, "claude-opus-5", "anthropic_messages", "x-api-key"],
    ["opencode-zen", { OPENCODE_API_KEY: "key-1" }, "gpt-6-sol", "responses", "authorization"],
    ["opencode-zen", { OPENCODE_API_KEY: "key-1" }, "glm-5", "chat_completions", "authorization"],
  ];
  for (const [provider, env, model, mode, header] of cases)
    test(`${model} @ ${provider} with ${Object.keys(env)}`, async () => {
      const found = await sent(provider, { env }, model);
      assert.deepEqual([found.mode, found.header, found.value], [mode, header, "key-1"]);
    });
});

describe("what must not be shown", async () => {
  const given = {
    config: {
      providers: {
        a: { base_url: "https://a.example", api_key: "literal-secret" },
        b: {
          base_url: "https://b.example",
          api_key_env: "B_NAME",
          headers: { authorization: "Bearer ${TOKEN}", "x-team": "research" },
        },
      },
    },
    env: { B_NAME: "literal-secret-longer", TOKEN: "token-value", GLM_API_KEY: "unused-but-known", PLAIN: "plain" },
  };

  test("is not a short word that a local server accepts as a key", () => {
    const { credentials } = routingOf({ env: { OLLAMA_API_KEY: "ollama", LM_API_KEY: "longer-than-a-word" } });
    assert.equal(credentials.redact("ollama longer-than-a-word"), "ollama [secret LM_API_KEY]");
  });

  test("is taken out of any text, by name", () => {
    const { credentials } = routingOf(given);
    const text = "literal-secret literal-secret-longer token-value unused-but-known plain research";
    const clean = credentials.redact(text);
    for (const value of ["literal-secret", "longer", "token-value", "unused-but-known"])
      assert.ok(!clean.includes(value), clean);
    assert.match(clean, /\[secret B_NAME\].*plain research$/);
  });

  test("is known by the variables that hold it", () => {
    const names = routingOf(given).credentials.keyNames();
    for (const name of ["B_NAME", "TOKEN", "GLM_API_KEY", "ANTHROPIC_AUTH_TOKEN"]) assert.ok(names.has(name), name);
    assert.ok(!names.has("PLAIN"));
  });

  test("is found in any variable that holds it, also as a copy or a part, and in no other", () => {
    const { holdsKey } = routingOf(given).credentials;
    for (const [name, value] of [
      ["B_NAME", "literal-secret-longer"],
      ["COPY", "token-value"],
      ["QUERY", "https://h/?k=token-value&x=1"],
      ["WRITTEN", "literal-secret"],
      ["ANTHROPIC_AUTH_TOKEN", "x"],
    ] as const)
      assert.ok(holdsKey(name, value), name);
    for (const value of ["plain", "token", "research"]) assert.ok(!holdsKey("PLAIN", value), value);
  });

  test("is in no plan and no access as printed", async () => {
    const planned = ready({ provider: "a", model: "m" }, given);
    const access = await accessFor(planned.route, routingOf(given));
    assert.doesNotMatch(inspect([planned, access], { depth: 9 }) + JSON.stringify([planned, access]), /literal-secret/);
  });
});

test("a route gets the same access each time, and another for another provider", async () => {
  const routing = routingOf({ env: { GLM_API_KEY: "key-1", KIMI_API_KEY: "key-2" } });
  const tasks = ["zai", "kimi"].map((provider) => ({ goal: "x", provider }));
  const [zai, kimi] = routing.plan({ tasks }, { cwd: "/" }).planned.map((planned) => readyOf(planned).route);
  assert.ok(zai !== undefined && kimi !== undefined);
  assert.equal(await accessFor(zai, routing), await accessFor(zai, routing));
  assert.notEqual(await accessFor(zai, routing), await accessFor(kimi, routing));
});
