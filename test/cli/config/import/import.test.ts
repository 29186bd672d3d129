// biome-ignore-all lint/suspicious/noTemplateCurlyInString: `${NAME}` is how a config names a variable.
/** `deputy config import`: realistic Hermes configs, and the result of each part. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { parse } from "yaml";
import { loadConfig } from "../../../../src/config/load.ts";
import { deputy, temporaryDirectory } from "../../../support/command-line.ts";

/** A home with this Hermes config in its usual place. */
function hermesHome(t: TestContext, yaml: string) {
  const home = temporaryDirectory(t.after.bind(t));
  mkdirSync(join(home, ".hermes"));
  writeFileSync(join(home, ".hermes/config.yaml"), yaml);
  return { home, path: join(home, ".config/deputy/config.yaml"), stage: { cwd: home, env: { HOME: home } } };
}

/** The printed config and notes. */
async function imported(t: TestContext, yaml: string) {
  const { code, stdout, stderr } = await deputy(["config", "import"], hermesHome(t, yaml).stage);
  assert.equal(code, 0, stderr);
  const notes = stdout.split("\n").filter((line) => line.startsWith("#"));
  return { config: parse(stdout) ?? {}, notes: notes.join("\n"), stdout };
}

describe("the parent's model in an older layout", () => {
  const LAB = { base_url: "http://localhost:4000", api_key: "${LAB_KEY}" };
  const key = "api_key: '${LAB_KEY}'";
  const layouts: [yaml: string, config: object][] = [
    [
      `model: { provider: custom, api_base: "http://localhost:4000", ${key}, default: m, name: m }`,
      { model: "m", provider: "custom", providers: { custom: LAB } },
    ],
    [
      `model: { provider: custom, api_base: "http://localhost:4000", ${key}, name: default }`,
      { model: "default", provider: "custom", providers: { custom: { ...LAB, models: { default: {} } } } },
    ],
    [
      `model: m\napi_base: http://localhost:4000\n${key}`,
      { model: "m", provider: "custom", providers: { custom: LAB } },
    ],
    [
      "model: MiniMax-M2.7\nprovider: minimax\nbase_url: https://api.minimax.io/anthropic",
      { model: "MiniMax-M2.7", provider: "minimax" },
    ],
    [
      "model: m\nprovider: openrouter\nbase_url: https://openrouter.ai/api/v1/chat/completions",
      { model: "m", provider: "openrouter" },
    ],
    [
      `llm: { provider: custom, base_url: "http://localhost:4000", ${key}, model: m }`,
      { model: "m", provider: "custom", providers: { custom: LAB } },
    ],
    ["llm: glm-4.7\nprovider: z-ai", { model: "glm-4.7", provider: "zai" }],
    ["model: { provider: zai, model_name: glm-4.7 }", { model: "glm-4.7", provider: "zai" }],
    ["default_model: glm-4.7\ndefault_provider: zai", { model: "glm-4.7", provider: "zai" }],
    [
      "provider: { type: lab, baseURL: 'http://localhost:4000', apiKey: '${env:LAB_KEY}', model: m }",
      { model: "m", provider: "lab", providers: { lab: LAB } },
    ],
    [
      `model: m\nprovider: custom:lab\ncustom_providers: [{ name: lab, api_base: "http://localhost:4000", ${key} }]`,
      { model: "m", provider: "lab", providers: { lab: LAB } },
    ],
  ];
  for (const [yaml, config] of layouts)
    test(yaml.replaceAll("\n", "; "), async (t) => {
      const found = await imported(t, yaml);
      assert.deepEqual(found.config, config);
      assert.doesNotMatch(found.notes, /no counterpart/);
    });

  test("without a URL is left out, and given to no other provider", async (t) => {
    const { config, notes } = await imported(t, "model: { provider: custom, default: m }");
    assert.deepEqual(config, {});
    assert.match(notes, /model is omitted: its provider is custom, and there is no base_url/);
  });

  test("with two URLs or two names keeps the newer key's, and notes the other", async (t) => {
    const yaml =
      'model: { provider: custom, base_url: "http://one.local", api_base: "http://two.local", default: m, name: n }';
    const { config, notes } = await imported(t, yaml);
    assert.deepEqual(config, {
      model: "m",
      provider: "custom",
      providers: { custom: { base_url: "http://one.local" } },
    });
    assert.match(notes, /no counterpart for these: model\.api_base, model\.name/);
  });

  test("with a key in `api` shows no key", async (t) => {
    const { config, stdout } = await imported(
      t,
      'model: { provider: custom, base_url: "http://h", api: my-own-key-123, default: m }',
    );
    assert.deepEqual(config.providers.custom, { base_url: "http://h", api_key: "[secret]" });
    assert.doesNotMatch(stdout, /my-own-key-123/);
    const alone = await imported(t, "model: { provider: custom, api: my-own-key-123, default: m }");
    assert.deepEqual([alone.config, /my-own-key-123/.test(alone.stdout)], [{}, false]);
  });
});

test("a section beside the one that is used is told, and lends it neither an endpoint nor a key", async (t) => {
  const yaml =
    "model: { default: glm-4.7, provider: zai }\nllm: { provider: custom, base_url: 'http://h', api_key: k }";
  const { config, notes } = await imported(t, yaml);
  assert.deepEqual(config, { model: "glm-4.7", provider: "zai" });
  assert.match(notes, /no counterpart for these: llm/);
});

test("a command that prints a key, and the routes of a delegation backend, are converted", async (t) => {
  const yaml = `
providers: { gate: { base_url: "http://h/v1", key_cmd: "print-token" } }
delegation:
  backend: model_map
  backends:
    model_map:
      options:
        - { name: fast, provider: gate, model: m1, reasoning_effort: low }
        - { name: deep, provider: zai, model: glm-4.7, description: "Hard tasks." }
    profile_routes: { profiles: [a] }
`;
  const { config, notes } = await imported(t, yaml);
  assert.deepEqual(config, {
    providers: { gate: { base_url: "http://h/v1", api_key_command: "print-token" } },
    models: {
      fast: { model: "m1", provider: "gate", reasoning_effort: "low" },
      deep: { model: "glm-4.7", provider: "zai" },
    },
  });
  const told = ["delegation.backend", "delegation.backends", "delegation.backends.model_map.options.deep.description"];
  for (const path of told) assert.ok(notes.includes(path), notes);
  const plain = await imported(t, "delegation: { model_map: { fast: zai/glm-4.7 } }");
  assert.deepEqual(plain.config, { models: { fast: { model: "glm-4.7", provider: "zai" } } });
});

describe("the parent's model", () => {
  test("is a text, or a map with its provider", async (t) => {
    assert.deepEqual((await imported(t, "model: glm-4.7\nprovider: z-ai\n")).config, {
      model: "glm-4.7",
      provider: "zai",
    });
    const map = "model: { default: kimi-k2.5, provider: kimi-coding }\nagent: { reasoning_effort: High }\n";
    assert.deepEqual((await imported(t, map)).config, {
      model: "kimi-k2.5",
      provider: "kimi",
      reasoning_effort: "high",
    });
  });

  test("with provider auto is at the provider whose endpoint base_url is", async (t) => {
    const { config } = await imported(
      t,
      "model: { default: x/y, provider: auto, base_url: https://openrouter.ai/api/v1, context_length: 9000 }\n",
    );
    assert.deepEqual(config, {
      model: "x/y",
      provider: "openrouter",
      providers: { openrouter: { models: { "x/y": { context_window: 9000 } } } },
    });
  });

  test("at an endpoint without a name gets a separate entry, including the key", async (t) => {
    const beside = "model: m\nprovider: custom\nbase_url: https://gate.example/v1/\napi_key: ${GATE_KEY}\n";
    assert.deepEqual((await imported(t, beside)).config, {
      model: "m",
      provider: "custom",
      providers: { custom: { base_url: "https://gate.example/v1", api_key: "${GATE_KEY}" } },
    });
  });

  test("is left out with its provider if Deputy does not support that", async (t) => {
    const { config, notes } = await imported(t, "model: { default: gpt-5.5, provider: openai-codex }\n");
    assert.deepEqual(config, {});
    assert.match(notes, /model is omitted: it names the provider openai-codex.*`openai` with OPENAI_API_KEY/);
  });
});

describe("providers", () => {
  test("of the list and of the map become entries", async (t) => {
    const { config } = await imported(
      t,
      `
custom_providers:
  - { name: My Lab, base_url: "http://127.0.0.1:8000/v1", api_key: no-key-required, model: qwen3,
      models: { qwen3: { context_length: 131072 } } }
  - { name: gate, url: "https://gate.example/v1", key_env: GATE_KEY, api_mode: codex_responses, models: [a, { id: b }] }
providers:
  anthropic-gate: { baseUrl: "https://a.example/anthropic", apiKey: "\${A_KEY}", transport: anthropic_messages,
    extra_headers: { x-team: "\${TEAM}" } }
  gemini: { api_key: "\${GEMINI_API_KEY}", base_url: "https://generativelanguage.googleapis.com/v1beta/openai" }
`,
    );
    assert.deepEqual(config.providers, {
      "my-lab": {
        base_url: "http://127.0.0.1:8000/v1",
        default_model: "qwen3",
        models: { qwen3: { context_window: 131072 } },
      },
      gate: {
        base_url: "https://gate.example/v1",
        api_mode: "responses",
        api_key_env: "GATE_KEY",
        models: { a: {}, b: {} },
      },
      "anthropic-gate": {
        base_url: "https://a.example/anthropic",
        api_mode: "anthropic_messages",
        api_key: "${A_KEY}",
        headers: { "x-team": "${TEAM}" },
      },
      gemini: {
        base_url: "https://generativelanguage.googleapis.com/v1beta/openai",
        api_key: "${GEMINI_API_KEY}",
      },
    });
  });

  test("that share a URL but not a key stay apart", async (t) => {
    const { config } = await imported(
      t,
      `
custom_providers: [{ name: one, base_url: "https://gate.example/v1", key_env: ONE_KEY }]
model_aliases:
  same: { model: a, provider: custom, base_url: "https://gate.example/v1" }
  other: { model: b, provider: custom, base_url: "https://gate.example/v1", key_env: OTHER_KEY }
`,
    );
    assert.deepEqual(config.models, {
      same: { model: "a", provider: "one" },
      other: { model: "b", provider: "other" },
    });
    assert.deepEqual(config.providers.other, { base_url: "https://gate.example/v1", api_key_env: "OTHER_KEY" });
  });

  test("of one name never mix: the first stays, and the other is noted", async (t) => {
    const { config, notes } = await imported(
      t,
      `
providers: { lab: { base_url: "https://one.example/v1", api_key: "\${ONE_KEY}" } }
custom_providers:
  - { name: lab, base_url: "https://two.example/v1", model: m }
  - { name: gate, base_url: "https://gate.example/v1", key_env: GATE_KEY, models: [a] }
  - { name: gate, base_url: "https://gate.example/v1", key_env: GATE_KEY, models: [b] }
model_aliases:
  lab: { model: x, provider: custom, base_url: "https://three.example/v1", api_key: "\${THREE_KEY}" }
  glm: { model: y, provider: zai, base_url: "https://four.example/v1", api_key: "\${FOUR_KEY}" }
  sonnet: { model: z, provider: anthropic, base_url: "https://five.example", api_key: "\${FIVE_KEY}" }
  plain: { model: glm-5, provider: zai }
`,
    );
    assert.deepEqual(config.providers, {
      lab: { base_url: "https://one.example/v1", api_key: "${ONE_KEY}" },
      gate: { base_url: "https://gate.example/v1", api_key_env: "GATE_KEY", models: { a: {}, b: {} } },
      "lab-endpoint": { base_url: "https://three.example/v1", api_key: "${THREE_KEY}" },
      "glm-endpoint": {
        api_mode: "chat_completions",
        base_url: "https://four.example/v1",
        api_key: "${FOUR_KEY}",
      },
      sonnet: { api_mode: "anthropic_messages", base_url: "https://five.example", api_key: "${FIVE_KEY}" },
    });
    assert.deepEqual(config.models.glm, { model: "y", provider: "glm-endpoint" });
    assert.deepEqual(config.models.plain, { model: "glm-5", provider: "zai" });
    assert.match(notes, /custom_providers\[0\] is omitted: another provider has the name lab/);
  });

  test("without a valid URL are left out, and noted", async (t) => {
    const yaml = "custom_providers: [{ base_url: http://h/v1 }, { name: bad, base_url: not-a-url }, { name: none }]\n";
    const { config, notes } = await imported(t, yaml);
    assert.deepEqual(config, {});
    assert.match(notes, /custom_providers\[0\]: it has no name/);
    assert.match(notes, /providers\.bad\.base_url is omitted/);
  });
});

describe("aliases and tiers", () => {
  test("become models, with the endpoint they bring", async (t) => {
    const { config } = await imported(
      t,
      `
model: { default: m, provider: deepseek, aliases: { flash: deepseek/deepseek-v4-flash, plain: some-model } }
model_aliases:
  opus: { model: claude-opus-4-6, provider: anthropic }
  cloud: { model: "qwen3.5:397b", provider: custom, base_url: "https://ollama.com/v1" }
model_tiers:
  small: glm-4.7
  large: { model: claude-opus-5, provider: anthropic, reasoning_effort: high }
`,
    );
    assert.deepEqual(config.models, {
      flash: { model: "deepseek-v4-flash", provider: "deepseek" },
      plain: "some-model",
      small: "glm-4.7",
      large: { model: "claude-opus-5", provider: "anthropic", reasoning_effort: "high" },
      opus: { model: "claude-opus-4-6", provider: "anthropic" },
      cloud: { model: "qwen3.5:397b", provider: "ollama-cloud" },
    });
  });
});

describe("delegation", () => {
  test("keeps its limits and its endpoint, and notes what has no counterpart", async (t) => {
    const { config, notes } = await imported(
      t,
      `
delegation:
  model: step-3.5-flash
  provider: custom
  base_url: https://steps.example/v1
  api_key: \${STEP_KEY}
  reasoning_effort: low
  max_concurrent_children: 3
  max_iterations: 50
  child_timeout_seconds: 600
  orchestrator_enabled: true
display: { compact: true }
terminal: { timeout: 90, backend: docker }
`,
    );
    assert.deepEqual(config, {
      providers: { delegation: { base_url: "https://steps.example/v1", api_key: "${STEP_KEY}" } },
      delegation: {
        model: "step-3.5-flash",
        provider: "delegation",
        reasoning_effort: "low",
        max_concurrent_children: 3,
        max_iterations: 50,
        child_timeout_seconds: 600,
      },
      terminal: { timeout_seconds: 90 },
    });
    assert.match(notes, /no counterpart for these: delegation\.orchestrator_enabled, display, terminal\.backend\./);
    assert.match(notes, /Not set here: STEP_KEY\./);
  });

  test("takes the parent's fallbacks only if it has no model of its own, as Hermes does", async (t) => {
    const chain = "fallback_providers: [{ provider: openrouter, model: a/b }, { provider: nous, model: c }]\n";
    const inherited = await imported(t, chain);
    assert.deepEqual(inherited.config.delegation, { fallbacks: [{ model: "a/b", provider: "openrouter" }] });
    assert.match(inherited.notes, /fallback_providers\[1\] is omitted.*nous/);
    const pinned = await imported(t, `${chain}delegation: { model: x, provider: zai }\n`);
    assert.equal(pinned.config.delegation.fallbacks, undefined);
    assert.match(pinned.notes, /fallback_providers applies only to the parent/);
    const own =
      "fallback_model: { provider: zai, model: p }\ndelegation: { fallback_providers: [{ provider: zai, model: q }] }\n";
    assert.deepEqual((await imported(t, own)).config.delegation.fallbacks, [{ model: "q", provider: "zai" }]);
  });

  test("leaves out invalid values, and notes what was expected", async (t) => {
    const { config, notes } = await imported(t, "delegation: { max_iterations: 0, reasoning_effort: sometimes }\n");
    assert.deepEqual(config, {});
    assert.match(notes, /delegation\.max_iterations is omitted: /);
    assert.match(notes, /delegation\.reasoning_effort is omitted: /);
  });
});

describe("a key that is written out", () => {
  const LITERAL = "custom_providers: [{ name: lab, base_url: https://lab.example/v1, api_key: sk-very-secret }]\n";

  test("is never shown", async (t) => {
    const { stdout, notes, config } = await imported(t, LITERAL);
    assert.ok(!stdout.includes("sk-very-secret"));
    assert.equal(config.providers.lab.api_key, "[secret]");
    assert.match(notes, /Literal keys, copied unchanged: providers\.lab\.api_key/);
  });

  test("is carried over by --write, for its owner's eyes, into a config that loads", async (t) => {
    const { stage, path, home } = hermesHome(t, `model: { default: m, provider: "custom:lab" }\n${LITERAL}`);
    const { code, stdout } = await deputy(["config", "import", "--write"], stage);
    assert.equal(code, 0);
    assert.ok(!stdout.includes("sk-very-secret") && stdout.includes(path));
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.match(readFileSync(path, "utf8"), /api_key: sk-very-secret/);
    const { config } = loadConfig({ env: stage.env, cwd: home });
    assert.deepEqual([config.model, config.provider], ["m", "lab"]);
    const doctor = await deputy(["doctor"], stage);
    assert.equal(doctor.code, 0, doctor.stdout);
    assert.match(doctor.stdout, /^✓ default .* m @ lab$/m);
    assert.equal((await deputy(["config", "import", "--write"], stage)).code, 2, "it does not overwrite");
    assert.equal((await deputy(["config", "import", "--write", "--force"], stage)).code, 0);
    assert.ok(existsSync(`${path}.bak`));
  });
});

describe("merge keys", () => {
  const BASE = "base: &base { base_url: http://localhost:4000, default_model: m1 }";
  const MORE = "more: &more { base_url: http://localhost:4001, api_mode: anthropic_messages }";
  const lab = (merged: string) => `providers:\n  ${BASE}\n  ${MORE}\n  lab: ${merged}\n`;
  const cases: [lab: string, entry: object][] = [
    ["{ <<: *base }", { base_url: "http://localhost:4000", default_model: "m1" }],
    ["{ default_model: m2, <<: *base }", { base_url: "http://localhost:4000", default_model: "m2" }],
    [
      "{ <<: [*more, *base], default_model: m2 }",
      { base_url: "http://localhost:4001", api_mode: "anthropic_messages", default_model: "m2" },
    ],
    ["{ <<: { <<: *base, default_model: m3 } }", { base_url: "http://localhost:4000", default_model: "m3" }],
    ["*base", { base_url: "http://localhost:4000", default_model: "m1" }],
  ];
  for (const [merged, entry] of cases)
    test(`are resolved as Hermes does: ${merged}`, async (t) => {
      const { config, notes } = await imported(t, lab(merged));
      assert.deepEqual(config.providers.lab, entry);
      assert.doesNotMatch(notes, /no counterpart/);
    });

  test("that merge nothing are reported, as is a key of that name in quotes", async (t) => {
    for (const merged of [
      "{ <<: 5, base_url: http://localhost:4002 }",
      '{ "<<": *base, base_url: http://localhost:4002 }',
    ]) {
      const { config, notes } = await imported(t, lab(merged));
      assert.deepEqual(config.providers.lab, { base_url: "http://localhost:4002" });
      assert.match(notes, /no counterpart for these: providers\.lab\.<</);
    }
  });

  test("of maps that merge one another many times, or themselves, end", async (t) => {
    const levels = Array.from(
      { length: 30 },
      (_, at) => `  p${at + 1}: &p${at + 1} { <<: [${`*p${at}, `.repeat(9)}] }`,
    );
    const { config } = await imported(
      t,
      `providers:\n  p0: &p0 { base_url: http://localhost:4000 }\n${levels.join("\n")}\n`,
    );
    assert.equal(config.providers.p30.base_url, "http://localhost:4000");
    const { stage } = hermesHome(t, "providers: &all\n  lab: { <<: *all }\n");
    const { code, stderr } = await deputy(["config", "import"], stage);
    assert.deepEqual([code, /one that contains itself/.test(stderr)], [2, true]);
  });
});

test("a missing file, or one that is not YAML, is an error with the path", async (t) => {
  const { stage, home } = hermesHome(t, "model: [\n");
  const broken = await deputy(["config", "import"], stage);
  assert.equal(broken.code, 2);
  assert.match(broken.stderr, /config\.yaml:\d+:\d+ /);
  const missing = await deputy(["config", "import", join(home, "none.yaml")], stage);
  assert.deepEqual([missing.code, /Expected a Hermes config at .*none\.yaml/.test(missing.stderr)], [2, true]);
});
