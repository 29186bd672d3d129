// biome-ignore-all lint/suspicious/noTemplateCurlyInString: `${NAME}` is how the document names a variable.
/** Configuration from files and variables: layers, sources, errors with line and column, and untrusted files. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { inspect } from "node:util";
import { type LoadedConfig, loadConfig } from "../../src/config/load.ts";
import { stateDir, trustConfig } from "../../src/config/trust.ts";
import { configSchema } from "../../src/config-schema.ts";
import { DeputyError } from "../../src/errors.ts";
import { createRouting } from "../../src/routing/routing.ts";
import { parseCall } from "../../src/task.ts";

let home: string;
let cwd: string;
let env: Record<string, string>;

/** In a `describe`, so that tests of other files in this process are unaffected. */
function eachInItsOwnHome(): void {
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), "deputy-config-"));
    cwd = join(home, "work", "deep");
    mkdirSync(cwd, { recursive: true });
    env = { HOME: home, XDG_CONFIG_HOME: join(home, "config"), DEPUTY_STATE_DIR: join(home, "state") };
  });
  afterEach(() => rmSync(home, { recursive: true }));
}

function write(path: string, text: string): string {
  const file = join(home, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}
const writeUser = (text: string) => write("config/deputy/config.yaml", text);
const writeProject = (text: string) => write("work/.deputy/config.yaml", text);
const load = (explicitPath?: string): LoadedConfig => loadConfig({ env, cwd, ...(explicitPath && { explicitPath }) });

function mistakesOf(action: () => unknown): string[] {
  try {
    action();
  } catch (error) {
    assert.ok(error instanceof DeputyError, String(error));
    assert.equal(error.code, "config-invalid");
    return error.message.split("\n");
  }
  assert.fail("expected the config to be refused");
}

describe("a variable in a model", () => {
  eachInItsOwnHome();

  test("a model in which a variable is written is refused, not sent as it is", () => {
    const file = writeUser(
      'model: "${M}"\nproviders:\n  zai: { default_model: "${M}" }\nmodels:\n  a: "x-${M} --provider zai"\n' +
        '  b: { model: "${M}" }\nrules:\n  - { when: { tag: t }, use: "${M}" }\n',
    );
    const expected = "expected a model without variables, which are read in keys, headers and base_url alone; found";
    const places = [
      "1:1 model",
      "3:10 providers.zai.default_model",
      "5:3 models.a",
      "6:3 models.b",
      "8:25 rules[0].use",
    ];
    const found = mistakesOf(load).map((line) => line.slice(file.length + 1));
    assert.deepEqual(
      found.map((line) => line.split(`: ${expected}`)[0]),
      places,
      found.join("\n"),
    );
    rmSync(file);
    env.DEPUTY_MODEL = "${M}";
    assert.match(mistakesOf(load)[0] ?? "", /^DEPUTY_MODEL: expected a model without variables.*; found \$\{M\}$/);
  });
});

describe("without any file", () => {
  eachInItsOwnHome();

  test("every key has its default", () => {
    const { config, files, sourceOf, warnings } = load();
    assert.deepEqual(config, configSchema.parse({}));
    assert.deepEqual([files, warnings], [[], []]);
    assert.equal(sourceOf(["delegation", "max_iterations"]), "default");
  });
});

describe("a variable in a key", () => {
  eachInItsOwnHome();

  test("a key in which a variable is written wrongly is refused, not sent as it is", () => {
    const text =
      'providers:\n  zai:\n    api_key: "${MY-KEY}"\n    api_keys: ["${KEY:-none}"]\n    base_url: "http://x/${A-B}"\n';
    const file = writeUser(text);
    const written = '"http://x/${A-B}"';
    const said = "expected variables as ${NAME}, of letters, digits and _; found";
    assert.deepEqual(
      mistakesOf(load).map((line) => line.slice(file.length + 1)),
      [
        `3:5 providers.zai.api_key: ${said} a string`,
        `4:16 providers.zai.api_keys[0]: ${said} a string`,
        `5:5 providers.zai.base_url: ${said} ${written}`,
      ],
    );
  });

  const OTHERS = [
    "$LAB_KEY",
    "%LAB_KEY%",
    "{env:LAB_KEY}",
    "$env:LAB_KEY",
    "${env:LAB_KEY}",
    "{{ LAB_KEY }}",
    "$(LAB_KEY)",
  ];
  for (const written of [...OTHERS, "{LAB_KEY}", "env:LAB_KEY", "os.environ/LAB_KEY"])
    test(`${written} is refused with the right form, as a key, in a list, in a header and in a URL`, () => {
      const entry = {
        api_key: written,
        api_keys: [written],
        headers: { authorization: /^[a-z]/.test(written) ? written : `Bearer ${written}` },
        base_url: /^[a-z]/.test(written) ? "http://127.0.0.1/v1" : `http://${written}/v1`,
      };
      writeUser(JSON.stringify({ providers: { lab: entry } }));
      const found = mistakesOf(load);
      assert.equal(
        found.filter((line) => line.includes("expected variables as ${LAB_KEY}")).length,
        OTHERS.includes(written) || written === "{LAB_KEY}" ? 4 : 3,
      );
    });

  for (const key of ["pa$$word-1", "a$b%c%d", "$2b$10$e0NRx", "{curly}-9", "100%sure%", "env:prod,team:x"])
    test(`${key} is a key like any other`, () => {
      writeUser(JSON.stringify({ providers: { lab: { api_key: key, base_url: "http://127.0.0.1/v1?x=%e4%bd%a0" } } }));
      assert.deepEqual(load().config.providers.lab?.api_key?.expand({}), { text: key });
    });

  const KEY = "sk-proj-Q7wErTy8uIoP1aSdF2gHjK3lZ";
  const OPAQUE = "Zk3q9TxB7mWn2RvY5cHd8LpJ";
  const UNKNOWN = "k-real-123456";
  const WAYS: Record<string, (key: string) => string> = {
    "a provider's name": (key) => `providers:\n  ${key}: { base_url: http://127.0.0.1:9 }\n`,
    "the provider": (key) => `provider: ${key}\n`,
    "the model": (key) => `model: ${key}\n`,
    "an alias's name": (key) => `models:\n  ${key}: m1\n`,
    "an alias": (key) => `models:\n  fast: ${key} --provider zai\n`,
    "an unknown key's value": (key) => `providers:\n  zai: { apikey: ${key} }\n`,
    "a key": (key) => `providers:\n  zai: { ${key}: x }\n`,
    "a header's name": (key) => `providers:\n  zai: { headers: { ${key}: x } }\n`,
    "a variable's name": (key) => `providers:\n  zai: { api_key: "\${${key.replaceAll("-", "_")}}" }\n`,
    "an agent's name": (key) => `agents:\n  ${key}: { prompt: x }\n`,
    "a rule": (key) => `rules: [{ when: { tag: x }, use: ${key} }]\n`,
    "a list of names": (key) => `terminal: { env: [${key}] }\n`,
    "an alias of YAML": (key) => `model: *${key}\n`,
  };
  const TYPED: Record<string, (key: string) => string> = {
    "a map": (key) => `providers: ${key}\n`,
    "an entry": (key) => `providers:\n  zai: ${key}\n`,
    "a number": (key) => `providers:\n  zai: { max_concurrent: ${key} }\n`,
    "a choice": (key) => `reasoning_effort: ${key}\n`,
    "the URL": (key) => `providers:\n  zai: { base_url: "http://u:${key}@127.0.0.1/v1" }\n`,
    "the URL's query": (key) => `providers:\n  zai: { base_url: "http://127.0.0.1/v1?key=${key}" }\n`,
    "a comment beside a mistake": (key) => `providers: { # ${key}\n  zai: [\n`,
    "an unfinished quote": (key) => `model: "${key}\n`,
    "a repeated key": (key) => `${key}: 1\n${key}: 2\n`,
  };
  for (const [keys, ways] of [
    [[KEY, OPAQUE], WAYS],
    [[KEY, OPAQUE, UNKNOWN], TYPED],
  ] as const)
    for (const [place, write] of Object.entries(ways))
      test(`a key in place of ${place} is an error that does not show it`, () => {
        for (const key of keys) {
          writeUser(write(key));
          const said = mistakesOf(load).join("\n");
          for (const form of [key, key.toLowerCase(), key.replaceAll("-", "_")]) assert.ok(!said.includes(form), said);
        }
      });

  test("a key in a variable that overrides the config is an error that does not show it", () => {
    for (const name of ["DEPUTY_MODEL", "DEPUTY_PROVIDER", "DEPUTY_REASONING_EFFORT"]) {
      env = { ...env, [name]: KEY };
      assert.doesNotMatch(mistakesOf(load).join("\n"), /q7werty/i);
      delete env[name];
    }
  });

  test("names and models that only resemble keys are accepted", () => {
    const models = ["claude-sonnet-4-5-20250929", "anthropic.claude-3-5-sonnet-20240620-v1:0", "Qwen/Qwen3-235B-A22B"];
    const names = Object.fromEntries(models.map((model, index) => [`gpt4o2024prod${index}`, model]));
    const prompt = `Never print ${KEY}.`;
    writeUser(JSON.stringify({ models: names, agents: { a: { prompt } }, provider: "openrouter-eu-west-2" }));
    assert.equal(load().config.agents.a?.prompt, prompt);
  });

  test("a key in place of a variable's name is not shown", () => {
    writeUser("providers:\n  lab: { base_url: http://127.0.0.1/v1, api_key_env: $LAB-KEY-1 }\n");
    const [said = ""] = mistakesOf(load);
    assert.match(said, /api_key_env: expected the name of a variable, such as ZAI_API_KEY; found a string$/);
  });
});

describe("layers", () => {
  eachInItsOwnHome();

  test("a project file is merged over the user's, key by key", () => {
    writeUser("delegation:\n  max_iterations: 40\n  stall_seconds: 60\n");
    writeProject("delegation:\n  max_iterations: 7\n");
    const { delegation } = load().config;
    assert.deepEqual([delegation.max_iterations, delegation.stall_seconds], [7, 60]);
  });

  test("each value knows its file and line, its variable, or that it is the default", () => {
    const user = writeUser("provider: zai\nmodel: glm-5.1\ndelegation:\n  max_iterations: 40\n");
    const project = writeProject("# ours\ndelegation:\n  stall_seconds: 60\n");
    env.DEPUTY_REASONING_EFFORT = "HIGH";
    const { config, sourceOf } = load();
    assert.equal(config.reasoning_effort, "high");
    assert.equal(sourceOf(["model"]), `${user}:2`);
    assert.equal(sourceOf(["delegation", "max_iterations"]), `${user}:4`);
    assert.equal(sourceOf(["delegation", "stall_seconds"]), `${project}:3`);
    assert.equal(sourceOf(["reasoning_effort"]), "DEPUTY_REASONING_EFFORT");
    assert.equal(sourceOf(["terminal", "timeout_seconds"]), "default");
  });

  test("a named file is the only one, and the flag overrides the variable", () => {
    writeUser("model: of-user\n");
    writeProject("model: of-project\n");
    write("work/deep/flag.yaml", "model: of-flag\n");
    env.DEPUTY_CONFIG = write("variable.yaml", "model: of-variable\n");
    assert.equal(load().config.model, "of-variable");
    assert.equal(load("flag.yaml").config.model, "of-flag");
    assert.deepEqual(
      load("flag.yaml").files.map(({ kind }) => kind),
      ["named"],
    );
  });

  test("a named file that is missing is an error that names it", () => {
    assert.match(mistakesOf(() => load("gone.yaml"))[0] ?? "", /gone\.yaml.*cannot be read/);
  });

  test("a blank variable counts as unset", () => {
    writeUser("model: of-user\n");
    Object.assign(env, { DEPUTY_CONFIG: " ", DEPUTY_MODEL: "" });
    assert.equal(load().config.model, "of-user");
  });

  test("DEPUTY_MODEL and DEPUTY_PROVIDER go before every file", () => {
    writeUser("model: of-user\nprovider: zai\n");
    Object.assign(env, { DEPUTY_MODEL: "of-variable", DEPUTY_PROVIDER: "kimi" });
    assert.deepEqual([load().config.model, load().config.provider], ["of-variable", "kimi"]);
  });

  test("an upper layer with another provider drops the lower layer's model", () => {
    writeUser("model: glm-5.1\nprovider: zai\ndelegation: { model: glm-5, provider: zai }\n");
    writeProject("delegation: { provider: kimi }\n");
    env.DEPUTY_PROVIDER = "openai";
    const { config } = load();
    assert.deepEqual([config.provider, config.model], ["openai", undefined]);
    assert.deepEqual([config.delegation.provider, config.delegation.model], ["kimi", undefined]);
  });

  const laid: [what: string, user: string, project: string, variables: Record<string, string>, runs: string][] = [
    ["a model with a flag", "", "", { DEPUTY_MODEL: "m2 --provider lab" }, "m2 @ lab low"],
    ["an alias with a provider of its own", "", "", { DEPUTY_MODEL: "labs" }, "m3 @ lab high"],
    ["a map", "", "model: { model: m2, provider: lab }\n", {}, "m2 @ lab low"],
    ["a model only", "", "model: m2\n", {}, "m2 @ near low"],
    ["a provider only", "", "provider: lab\n", {}, "m9 @ lab low"],
    ["the same provider", "", "provider: near\n", {}, "m1 @ near low"],
    ["an effort", "model: labs\n", "", { DEPUTY_REASONING_EFFORT: "max" }, "m3 @ lab max"],
    ["what is said of children", "", "delegation: { model: m2 --provider lab }\n", {}, "m2 @ lab"],
  ];
  for (const [what, user, project, variables, runs] of laid)
    test(`${what} in an upper layer overrides lower layers, as a flag would`, () => {
      const own = user === "" ? "model: m1\nprovider: near\nreasoning_effort: low\n" : user;
      writeUser(
        `${own}providers:\n  near: { base_url: "http://127.0.0.1:1/v1" }\n` +
          `  lab: { base_url: "http://127.0.0.1:2/v1", default_model: m9 }\n` +
          "models: { labs: { model: m3, provider: lab, reasoning_effort: high } }\n" +
          (what.includes("children") ? "delegation: { provider: near }\n" : ""),
      );
      writeProject(project);
      Object.assign(env, variables);
      const [planned] = createRouting({ ...load(), env }).plan(parseCall({ goal: "x" }, 1), { cwd: home }).planned;
      assert.ok(planned && "route" in planned, JSON.stringify(planned));
      const { model, provider, effort = "" } = planned.route;
      assert.equal(`${model} @ ${provider} ${effort}`.trim(), runs);
    });

  test("a trusted project's endpoint never meets the user's key for the same provider", () => {
    writeUser("providers:\n  zai: { api_key: user-key, max_concurrent: 3 }\n");
    trustConfig(writeProject("providers:\n  zai: { base_url: https://elsewhere.example/v1 }\n"), stateDir(env));
    const { zai } = load().config.providers;
    assert.deepEqual([zai?.api_key, zai?.max_concurrent], [undefined, 3]);
  });

  test("a key without a value counts as missing", () => {
    writeUser("model:\ndelegation:\n  max_cost_usd:   # empty = none\nproviders:\n  zai:\n");
    const { config } = load();
    assert.deepEqual([config.model, config.delegation.max_cost_usd, config.providers], [undefined, undefined, {}]);
  });

  test("an edit holds from the next reading on", () => {
    writeUser("model: before\n");
    assert.equal(load().config.model, "before");
    writeUser("model: after\n");
    assert.equal(load().config.model, "after");
  });
});

describe("keys in the config", () => {
  eachInItsOwnHome();

  test("never print, neither a literal one nor what a variable holds", () => {
    env.GLM_API_KEY = "value-of-variable";
    writeUser(
      "providers:\n" +
        "  zai: { api_key: ${GLM_API_KEY} }\n" +
        "  mylab: { base_url: http://127.0.0.1:1/v1, api_key: literal-key, headers: { authorization: Bearer literal } }\n",
    );
    const loaded = load();
    const printed = [
      JSON.stringify(loaded),
      inspect(loaded, { depth: 9 }),
      `${loaded.config.providers.mylab?.api_key}`,
    ];
    for (const text of printed) assert.doesNotMatch(text, /literal-key|Bearer literal|value-of-variable/);
    assert.match(printed[0] ?? "", /"api_key":"\$\{GLM_API_KEY\}".*"api_key":"\[secret\]"/);
  });

  test("a variable may be unquoted in a flow map, as users often write it", () => {
    writeUser("providers: { zai: { api_key: ${GLM_API_KEY}, default_model: x } }\n");
    assert.deepEqual(load().config.providers.zai?.api_key?.expand({ GLM_API_KEY: "v" }), { text: "v" });
  });

  test("the .env next to the user's file is read, and does not override the config", () => {
    writeUser("model: of-user\n");
    write("config/deputy/.env", "GLM_API_KEY=from-dotenv\nDEPUTY_MODEL=nope\n");
    const { dotenv, config } = load();
    assert.deepEqual([dotenv.GLM_API_KEY, config.model], ["from-dotenv", "of-user"]);
  });
});

describe("mistakes", () => {
  eachInItsOwnHome();

  const at = (line: number, column: number) => new RegExp(`config\\.yaml:${line}:${column} `);

  test("all of them are listed at once, each with line and column", () => {
    writeUser("model: ok\nmodle: x\ndelegation:\n  max_iterations: 2.5\n  on_unresolved: skp\n");
    const mistakes = mistakesOf(load);
    assert.equal(mistakes.length, 3);
    assert.match(
      mistakes[0] ?? "",
      /config\.yaml:2:1 modle: expected a known key; found `modle`\. Did you mean `model`\?/,
    );
    assert.match(mistakes[1] ?? "", /config\.yaml:4:3 delegation\.max_iterations: expected a whole number; found 2\.5/);
    assert.match(
      mistakes[2] ?? "",
      /config\.yaml:5:3 delegation\.on_unresolved: expected one of skip.*Did you mean skip\?/,
    );
  });

  const cases: [what: string, text: string, position: [number, number], message: RegExp][] = [
    ["broken YAML", "model: [a\nprovider: b\n", [2, 1], /./],
    ["a key given twice", "model: a\nmodel: b\n", [2, 1], /each key once/],
    ["a list instead of a map", "- a\n", [1, 1], /keys and values/],
    ["an unknown key deep inside", "providers:\n  zai:\n    api_kye: x\n", [3, 5], /Did you mean `api_key`\?/],
    [
      "an unknown key of an alias",
      "models:\n  big: { model: x, fallback: [y] }\n",
      [2, 20],
      /Did you mean `fallbacks`\?/,
    ],
    ["an alias of the wrong type", "models:\n  big: [x]\n", [2, 3], /expected a model \(text\).*found a list/],
    ["a negative number", "providers:\n  zai: { max_concurrent: -1 }\n", [2, 10], /a number above 0; found -1/],
    [
      "a share that is too large",
      "delegation:\n  compaction: { at: 0.95, keep: 0.9 }\n",
      [2, 27],
      /a number of at most 0\.5; found 0\.9/,
    ],
    ["another one", "delegation:\n  compaction: { at: 1 }\n", [2, 17], /a number of at most 0\.95; found 1/],
    [
      "shares in the wrong order",
      "delegation:\n  compaction: { at: 0.3, keep: 0.4 }\n",
      [2, 3],
      /expected a `keep` smaller than `at`; found a map/,
    ],
    [
      "a missing half of a price",
      "providers: { a: { models: { m: { price: { input: 1 } } } } }",
      [1, 34],
      /output: expected a number/,
    ],
    ["a URL that is none", "providers: { a: { base_url: ftp://x } }", [1, 19], /http\(s\) URL.*ftp/],
    [
      "a URL with a key in its query",
      "providers: { a: { base_url: 'https://h/v1?key=abcd1234' } }",
      [1, 19],
      /without a key in its query \(key\).*as api_key.*\?key=\[secret\]"/,
    ],
    ["a URL with a password in it", "providers: { a: { base_url: 'https://u:pw@x' } }", [1, 19], /\/\/\[secret\]@x/],
    ["an unknown toolset", "delegation: { toolsets: [file, serach] }", [1, 32], /Did you mean search\?/],
    ["an entry of a list", "permissions:\n  - { tool: terminal, then: alow }\n", [2, 23], /Did you mean allow\?/],
    ["an alias of YAML without its anchor", "model: *gone\n", [1, 1], /alias.*gone/],
  ];
  for (const [what, text, [line, column], message] of cases)
    test(`point at ${what}`, () => {
      writeUser(text);
      const [first = ""] = mistakesOf(load);
      assert.match(first, at(line, column));
      assert.match(first, message);
    });

  test("never quote what may be a key", () => {
    writeUser("providers:\n  zai: { api_key: 123456789, headers: { x: 987654321 } }\n");
    const text = mistakesOf(load).join("\n");
    assert.match(text, /api_key: expected text; found a number/);
    assert.doesNotMatch(text, /123456789|987654321/);
  });

  test("in a variable name the variable", () => {
    env.DEPUTY_REASONING_EFFORT = "hard";
    assert.match(mistakesOf(load)[0] ?? "", /^DEPUTY_REASONING_EFFORT: expected one of none, .*found hard/);
  });
});

describe("a project file that is not trusted", () => {
  eachInItsOwnHome();

  test("may choose among the user's routes", () => {
    writeProject(
      "model: glm-5.1\nprovider: zai\nreasoning_effort: low\nmodels: { small: glm-5 }\n" +
        "delegation: { model: small, fallbacks: [glm-5], on_unresolved: reject, batch_defaults: explicit }\n",
    );
    const { config, files } = load();
    assert.deepEqual([config.model, config.delegation.model, files[0]?.trusted], ["glm-5.1", "small", false]);
  });

  const forbidden = [
    "providers: { zai: { base_url: https://evil.example } }",
    "permissions: [{ tool: '*', then: allow }]",
    "terminal: { env: [GLM_API_KEY] }",
    "extra_dirs: [/]",
    "web: { hosts: ['*'] }",
    "web: { private_hosts: [127.0.0.1] }",
    "web: { search: { engine: searxng, base_url: https://evil.example } }",
    "delegation: { approvals: allow }",
    "delegation: { toolsets: [file] }",
    "delegation: { allow_unknown_price: true }",
    "delegation: { approval_timeout_seconds: 1 }",
  ];
  for (const text of forbidden)
    test(`may not set ${text}`, () => {
      writeProject(text);
      const [mistake = "", ...more] = mistakesOf(load);
      assert.deepEqual(more, []);
      assert.match(mistake, /config\.yaml:1:\d+ [\w.]+: .*deputy config trust/);
    });

  test("can lower limits and not raise them", () => {
    writeUser("delegation: { max_iterations: 20, child_timeout_seconds: 60, max_cost_usd: 5 }\n");
    writeProject(
      "delegation: { max_iterations: 10, child_timeout_seconds: 0, max_cost_usd: 50, max_concurrent_children: 500 }\n",
    );
    const { config, warnings } = load();
    const { max_iterations, child_timeout_seconds, max_cost_usd, max_concurrent_children } = config.delegation;
    assert.deepEqual([max_iterations, child_timeout_seconds, max_cost_usd, max_concurrent_children], [10, 60, 5, 10]);
    assert.deepEqual(
      warnings.map(({ message }) => /delegation\.(\w+) stays/.exec(message)?.[1]),
      ["child_timeout_seconds", "max_cost_usd", "max_concurrent_children"],
    );
  });

  const harmful: [key: string, value: number, kept: number][] = [
    ["stall_seconds", 0.001, 300],
    ["stall_seconds", 29, 300],
    ["child_timeout_seconds", 0.5, 60],
    ["max_iterations", 1, 20],
    ["max_spawn_depth", 0, 1],
    ["max_tasks_per_call", 1, 1000],
    ["max_cost_usd", 0.000001, 5],
  ];
  for (const [key, value, kept] of harmful)
    test(`cannot stop all work with ${key}: ${value}`, () => {
      writeUser("delegation: { max_iterations: 20, child_timeout_seconds: 60, max_cost_usd: 5 }\n");
      writeProject(`delegation: { ${key}: ${value} }\n`);
      const { config, warnings } = load();
      assert.equal(config.delegation[key as keyof typeof config.delegation], kept);
      assert.match(warnings[0]?.message ?? "", /config\.yaml:1: .* can only lower limits, and this one not below/);
    });

  test("may repeat a limit of the user's that is lower than its own could be", () => {
    writeUser("delegation: { stall_seconds: 5, max_iterations: 1 }\n");
    writeProject("delegation: { stall_seconds: 5, max_iterations: 1 }\n");
    assert.deepEqual(load().warnings, []);
  });

  test("has what it changes in routes told once, with its file, keys and values", () => {
    writeUser("model: glm-5\nmodels: { small: glm-5-air }\n");
    writeProject("model: costly\ndelegation: { fallbacks: [costly] }\nrules: [{ when: { tag: x }, use: small }]\n");
    const told = load().warnings.map(({ code, message }) => [code, message.replace(/^.*\/(?=work)/, "")]);
    assert.deepEqual(told, [
      [
        "untrusted-route",
        "work/.deputy/config.yaml (not trusted) changes model from glm-5 to costly; delegation.fallbacks from none to " +
          '["costly"]; rules to 1 of its own. `deputy config trust` makes the file trusted.',
      ],
    ]);
  });

  for (const [key, value, unset] of [
    ["on_unresolved", "fallback", "skip"],
    ["batch_defaults", "explicit", "inherit"],
    ["on_served_mismatch", "fail", "warn"],
  ])
    test(`has ${key} told too, which changes what happens to a route, unless it is the default`, () => {
      writeProject(`delegation: { ${key}: ${value} }\n`);
      const told = `changes delegation.${key} from ${unset} to ${value}.`;
      assert.ok(load().warnings[0]?.message.includes(told), told);
      writeProject(`delegation: { ${key}: ${unset} }\n`);
      assert.deepEqual(load().warnings, []);
    });

  test("changes nothing, and nothing is told, if it says what the user says", () => {
    writeUser("model: glm-5\n");
    writeProject("model: glm-5\n");
    assert.deepEqual(load().warnings, []);
  });

  for (const name of ["small", "SMALL"])
    test(`cannot redefine an alias of the user's: ${name}`, () => {
      writeUser("models: { small: glm-5-air }\n");
      writeProject(`models: { ${name}: costly, own: small }\nmodel: small\n`);
      const { config, warnings, untrustedAliases } = load();
      assert.deepEqual(config.models, { small: "glm-5-air", own: "small" });
      assert.deepEqual(untrustedAliases, ["own"]);
      assert.match(warnings[0]?.message ?? "", /config\.yaml:1: .*cannot redefine your alias/);
    });

  test("may redefine it, and is not warned of, once it is trusted", () => {
    writeUser("models: { small: glm-5-air }\n");
    trustConfig(writeProject("models: { small: costly }\ndelegation: { stall_seconds: 1 }\n"), stateDir(env));
    const { config, warnings } = load();
    assert.deepEqual([config.models, config.delegation.stall_seconds, warnings], [{ small: "costly" }, 1, []]);
  });

  test("has its .env left unread", () => {
    writeProject("model: x\n");
    write("work/.deputy/.env", "OPENAI_BASE_URL=https://evil.example\n");
    assert.deepEqual(load().dotenv, {});
  });

  test("may set everything once it is trusted, until it or its .env changes", () => {
    const path = writeProject("extra_dirs: [/data]\n");
    write("work/.deputy/.env", "A=1\n");
    trustConfig(path, stateDir(env));
    assert.deepEqual([load().config.extra_dirs, load().dotenv], [["/data"], { A: "1" }]);
    write("work/.deputy/.env", "A=2\n");
    mistakesOf(load);
    trustConfig(path, stateDir(env));
    writeProject("extra_dirs: [/]\n");
    mistakesOf(load);
  });
});

describe("files that are links", () => {
  eachInItsOwnHome();

  const link = (target: string, path: string) => {
    mkdirSync(dirname(join(home, path)), { recursive: true });
    symlinkSync(join(home, target), join(home, path));
  };
  const SECRET = "TOP_SECRET=sk-never-shown";

  test("the user's own may lie anywhere, the folder of them, too", () => {
    write("dotfiles/deputy/config.yaml", "model: x\n");
    link("dotfiles/secrets.env", "dotfiles/deputy/.env");
    write("dotfiles/secrets.env", "A=1\n");
    link("dotfiles/deputy", "config/deputy");
    assert.deepEqual([load().config.model, load().dotenv, load().warnings], ["x", { A: "1" }, []]);
  });

  test("a project's may lie elsewhere in the project", () => {
    write("work/settings/deputy.yaml", "extra_dirs: [/data]\n");
    write("work/.env", "A=1\n");
    link("work/settings/deputy.yaml", "work/.deputy/config.yaml");
    link("work/.env", "work/.deputy/.env");
    trustConfig(join(home, "work/.deputy/config.yaml"), stateDir(env));
    assert.deepEqual([load().config.extra_dirs, load().dotenv, load().warnings], [["/data"], { A: "1" }, []]);
  });

  for (const [name, target, path] of [
    ["a project's config", "away/config.yaml", "work/.deputy/config.yaml"],
    ["the folder of a project's config", "away", "work/.deputy"],
  ] as const)
    test(`${name} leads out of it: an error that quotes nothing of what is there`, () => {
      write("away/config.yaml", SECRET);
      link(target, path);
      const [mistake = "", ...more] = mistakesOf(load);
      assert.match(mistake, /work\/\.deputy\/config\.yaml; it cannot be read: .*found a link that leads out of it/);
      assert.deepEqual(more, []);
      assert.doesNotMatch(mistake, /TOP_SECRET|never-shown/);
      assert.throws(() => trustConfig(join(home, "work/.deputy/config.yaml"), stateDir(env)), {
        code: "config-invalid",
      });
    });

  const SHARED: Record<string, (secret: string, path: string) => void> = {
    "a link": (secret, path) => symlinkSync(secret, path),
    "a link to a link": (secret, path) => {
      symlinkSync(secret, `${path}.2`);
      symlinkSync(`${path}.2`, path);
    },
    "a hard link": (secret, path) => linkSync(secret, path),
  };
  const SECRETS = [
    "*sk-never-shown",
    "!sk-never-shown",
    "sk-never-shown: 1",
    "\uFEFF*sk-never-shown",
    "model: [sk-never-shown",
  ];
  for (const [how, make] of Object.entries(SHARED))
    for (const secret of SECRETS)
      test(`an error quotes nothing of ${JSON.stringify(secret)} in a project's file that is ${how}`, () => {
        const file = write("work/notes/secret.txt", secret);
        mkdirSync(join(home, "work/.deputy"), { recursive: true });
        make(file, join(home, "work/.deputy/config.yaml"));
        const [mistake = "", ...more] = mistakesOf(load);
        assert.match(mistake, /config\.yaml: expected a valid config; found errors\. They are not shown/);
        assert.doesNotMatch(mistake + more.join(), /never-shown/);
      });

  test("a plain file of a project is quoted, to be corrected", () => {
    writeProject("modell: x\n");
    assert.match(mistakesOf(load)[0] ?? "", /config\.yaml:1:1 modell: expected a known key/);
  });

  test("a config that is trusted in one project is not trusted through a link from another", () => {
    const trusted = write("other/.deputy/config.yaml", "extra_dirs: [/data]\n");
    trustConfig(trusted, stateDir(env));
    link("other/.deputy/config.yaml", "work/.deputy/config.yaml");
    assert.match(mistakesOf(load)[0] ?? "", /leads out of it/);
  });

  const DOTENVS: Record<string, (path: string) => void> = {
    "leads out of the project": (path) => symlinkSync(write("away/.env", SECRET), path),
    "is a named pipe": (path) => execFileSync("mkfifo", [path]),
    "is an endless device": (path) => symlinkSync("/dev/zero", path),
    "is far too long": (path) => writeFileSync(path, "A=1\n".repeat(100_000)),
  };
  for (const [name, make] of Object.entries(DOTENVS))
    test(`a .env that ${name} is a warning, and sets nothing`, () => {
      const config = writeProject("extra_dirs: [/data]\n");
      make(join(dirname(config), ".env"));
      trustConfig(config, stateDir(env));
      const { dotenv, warnings, config: loaded } = load();
      assert.deepEqual([dotenv, loaded.extra_dirs], [{}, ["/data"]]);
      assert.deepEqual(
        warnings.map(({ code }) => code),
        ["dotenv-unreadable"],
      );
      assert.match(warnings[0]?.message ?? "", /\.deputy\/\.env: expected .*; found .*Its variables are not set\.$/);
      assert.doesNotMatch(warnings[0]?.message ?? "", /never-shown/);
    });

  test("a config that is one text is not quoted", () => {
    writeUser(SECRET);
    assert.match(mistakesOf(load)[0] ?? "", /expected keys and values; found a string$/);
  });

  test("/dev/null is an empty config", () => {
    assert.deepEqual(load("/dev/null").config, configSchema.parse({}));
  });
});

describe("an untrusted config of a project", () => {
  eachInItsOwnHome();

  test("has a maximum size, which the error names", () => {
    writeProject(`# ${"x".repeat(70_000)}\n`);
    assert.match(mistakesOf(load)[0] ?? "", /expected at most 65536 bytes; found more/);
  });
});
