import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { createModelServer, type Script } from "../../src/testing/model-server.ts";
import type { Turn } from "../../src/testing/turn.ts";
import { deputy, temporaryDirectory } from "../support/command-line.ts";

/** A home with a config, and the environment that selects it. */
function homeWith(path: string, config: string) {
  mkdirSync(join(path, ".config/deputy"), { recursive: true });
  writeFileSync(join(path, ".config/deputy/config.yaml"), config);
  return { cwd: path, env: { HOME: path } };
}

const LAB_KEY = "key-of-the-lab";

const LAB = `
providers:
  mylab:
    base_url: http://127.0.0.1:9/v1
    default_model: qwen3
    models: { qwen3: { context_window: 131072, price: { input: 1, output: 2 }, reasoning_efforts: [low, high], tools: true } }
models:
  small: qwen3 --provider mylab --effort low
  broken: nothing --provider nowhere
`;

describe("deputy models", () => {
  test("lists what can be used now, with price, context, efforts and key, and where aliases lead", async (t) => {
    const stage = homeWith(temporaryDirectory(t.after.bind(t)), LAB);
    const { stdout } = await deputy(["models"], stage);
    assert.match(stdout, /^small +qwen3 @ mylab · effort low$/m);
    assert.match(stdout, /^broken .*nowhere/m);
    assert.match(stdout, /^qwen3 \* +mylab +1 in, 2 out +131k +tools +none needed +low high$/m);
    assert.match(stdout, /^1 model of 1 provider/m);
  });

  test("reports the same to programs, and filters by name and provider", async (t) => {
    const stage = homeWith(temporaryDirectory(t.after.bind(t)), LAB);
    const env = { ...stage.env, ZAI_API_KEY: "secret-of-zai" };
    const { stdout } = await deputy(["models", "--json", "--provider", "zai"], { ...stage, env });
    const { models } = JSON.parse(stdout);
    assert.ok(models.length > 0);
    assert.ok(
      models.every(
        ({ provider, key_name }: Record<string, string>) => provider === "zai" && key_name === "ZAI_API_KEY",
      ),
    );
    assert.ok(!stdout.includes("secret-of-zai"));
    assert.match((await deputy(["models", "QWEN"], { ...stage, env })).stdout, /^1 model of 1 provider/m);
    for (const words of [["no-such"], ["no-such", "--json"], ["glm", "--provider", "mylab"]])
      assert.equal((await deputy(["models", ...words], { ...stage, env })).code, 1, words.join(" "));
    assert.match((await deputy(["models", "no-such"], { ...stage, env })).stdout, /No model matches/);
    assert.equal((await deputy(["models"], { cwd: stage.cwd, env: { HOME: `${stage.cwd}/none` } })).code, 0);
  });
});

describe("deputy models --refresh", () => {
  test("asks the providers, reports each answer, and lists their models, then and later", async (t) => {
    const server = await createModelServer({
      script: () => ({ text: "" }),
      models: ["lion-1"],
      keys: { lab: LAB_KEY },
    });
    t.after(server.close);
    const lab = `mylab: { base_url: "${server.baseUrl("chat_completions")}", api_key: "${LAB_KEY}" }`;
    const stage = homeWith(
      temporaryDirectory(t.after.bind(t)),
      `providers:\n  ${lab}\n  gone: { base_url: "http://127.0.0.1:9/v1" }\n`,
    );
    const refreshed = await deputy(["models", "--refresh"], stage);
    assert.equal(refreshed.code, 1);
    assert.match(refreshed.stderr, /^✓ mylab lists 1 model$/m);
    assert.match(refreshed.stderr, /^✗ gone cannot be reached/m);
    assert.match(refreshed.stdout, /^lion-1 +mylab/m);
    assert.ok(!(refreshed.stdout + refreshed.stderr).includes(LAB_KEY));
    await server.close();
    assert.match((await deputy(["models"], stage)).stdout, /^lion-1 +mylab/m);
    const one = await deputy(["models", "--refresh", "--provider", "gone"], stage);
    assert.doesNotMatch(one.stderr, /mylab/);
    assert.equal((await deputy(["models", "--refresh", "--provider", "mylob"], stage)).code, 2);
  });
});

test("deputy doctor prints each error of the config once, one per line", async (t) => {
  const stage = homeWith(
    temporaryDirectory(t.after.bind(t)),
    "modle: x\ndelegation:\n  max_iterations: many\n  bugdet: 1\n",
  );
  const { code, stdout } = await deputy(["doctor"], stage);
  assert.equal(code, 1);
  const bad = stdout.split("\n").filter((line) => line.startsWith("✗"));
  assert.equal(bad.length, 3, stdout);
  for (const [index, key] of ["modle", "delegation.max_iterations", "delegation.bugdet"].entries())
    assert.match(bad[index] ?? "", new RegExp(`^✗ config +.*config\\.yaml:\\d+:\\d+ ${key}: expected`));
  const json = JSON.parse((await deputy(["doctor", "--json"], stage)).stdout) as { state: string }[];
  assert.equal(json.filter(({ state }) => state === "bad").length, 3);
});

describe("deputy doctor --online", () => {
  test("reports which keys are accepted, and the provider's reason if one is not", async (t) => {
    const server = await createModelServer({
      script: () => ({ text: "" }),
      models: ["lion-1"],
      keys: { lab: LAB_KEY },
    });
    t.after(server.close);
    const at = server.baseUrl("chat_completions");
    const stage = homeWith(
      temporaryDirectory(t.after.bind(t)),
      `provider: good\nproviders:\n  good: { base_url: "${at}", api_key_env: GOOD_KEY, default_model: lion-1 }\n` +
        `  bad: { base_url: "${at}", api_key_env: BAD_KEY }\n`,
    );
    const env = { ...stage.env, GOOD_KEY: LAB_KEY, BAD_KEY: "key-of-nobody" };
    const { code, stdout } = await deputy(["doctor", "--online"], { ...stage, env });
    assert.equal(code, 1);
    assert.match(stdout, /^✓ good +accepts GOOD_KEY, lists 1 model$/m);
    assert.match(stdout, /^✗ bad +key BAD_KEY: bad does not accept the key: .*401/m);
    assert.ok(!stdout.includes("key-of-nobody") && !stdout.includes(LAB_KEY));
    const good = await deputy(["doctor", "--online"], { ...stage, env: { ...env, BAD_KEY: LAB_KEY } });
    assert.equal(good.code, 0, good.stdout);
    assert.equal((await deputy(["doctor"], { ...stage, env })).code, 0, "nothing is asked without --online");
  });
});

test("deputy doctor --online tries every key of a pool, each by its name", async (t) => {
  const keys = { one: LAB_KEY, two: "sk-lab-two-99887766" };
  const server = await createModelServer({ script: () => ({ text: "" }), models: ["lion-1"], keys });
  t.after(server.close);
  const stage = homeWith(
    temporaryDirectory(t.after.bind(t)),
    `provider: lab\nproviders:\n  lab: { base_url: "${server.baseUrl("chat_completions")}", api_keys: ["${LAB_KEY}", "\${BAD_KEY}", "\${TWO_KEY}"], default_model: lion-1 }\n`,
  );
  const env = { ...stage.env, BAD_KEY: "key-of-nobody", TWO_KEY: keys.two };
  const { code, stdout } = await deputy(["doctor", "--online"], { ...stage, env });
  assert.equal(code, 1);
  assert.match(
    stdout,
    /^✓ lab +accepts providers\.lab\.api_keys\[0\], lists 1 model\n✗ lab +key BAD_KEY: lab does not accept the key.*\n✓ lab +accepts TWO_KEY/m,
  );
  for (const value of [LAB_KEY, keys.two, env.BAD_KEY]) assert.ok(!stdout.includes(value));
});

describe("deputy doctor --online MODEL", () => {
  const LION = "model: lion-1\nprovider: lab\nproviders:\n";

  function failing(message: string): Turn {
    const headers = { "content-type": "application/json" };
    return { fault: { kind: "response", status: 400, headers, body: JSON.stringify({ error: { message } }) } };
  }

  async function trial(t: TestContext, script: Script) {
    const server = await createModelServer({ script, keys: { lab: LAB_KEY } });
    t.after(server.close);
    const lab = `  lab: { base_url: "${server.baseUrl("chat_completions")}", api_key_env: LAB_KEY }\n`;
    const stage = homeWith(temporaryDirectory(t.after.bind(t)), LION + lab);
    const ended = await deputy(["doctor", "--online", "lion-1"], { ...stage, env: { ...stage.env, LAB_KEY } });
    return { ...ended, requests: server.requests };
  }

  test("tries the route with a tool call and an answer, and reports the outcome", async (t) => {
    const { code, stdout, requests } = await trial(t, (request) =>
      request.messages.some(({ role }) => role === "tool")
        ? { text: "River" }
        : { reasoning: "A tool.", toolCalls: [{ name: "echo", input: { word: "river" } }] },
    );
    assert.equal(code, 0, stdout);
    assert.equal(requests.length, 2);
    for (const text of [
      /^✓ lion-1 +lion-1 @ lab answers with LAB_KEY: [\d.]+ s, then [\d.]+ s$/m,
      /^✓ lion-1 +calls the tool as asked$/m,
      /^✓ lion-1 +answers with the result of the tool$/m,
      /^✓ lion-1 +reports its usage: \d+ tokens in \(0 cached\), \d+ out.* in 2 requests$/m,
      /^✓ lion-1 +its responses name lion-1$/m,
      /^✓ lion-1 +reasons, and accepts its reasoning back$/m,
    ])
      assert.match(stdout, text);
    assert.ok(!stdout.includes(LAB_KEY));
  });

  test("reports deviations: no tool call, another word, an unknown finish reason", async (t) => {
    const body = [
      { model: "lion-2", choices: [{ index: 0, delta: { content: "Lake" }, finish_reason: "wharrgarbl" }] },
    ].map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`);
    const headers = { "content-type": "text/event-stream" };
    const { code, stdout } = await trial(t, () => ({
      fault: { kind: "response", status: 200, headers, body: `${body.join("")}data: [DONE]\n\n` },
    }));
    assert.equal(code, 0, stdout);
    for (const text of [
      /^! lion-1 +answered without calling the tool/m,
      /^! lion-1 +answered "Lake" instead of "river"/m,
      /^! lion-1 +reports no usage/m,
      /^! lion-1 +its responses name lion-2, which is another model/m,
      /^! lion-1 .*wharrgarbl.* Please report it/m,
    ])
      assert.match(stdout, text);
  });

  test("fails where a request fails, with its words and after which request", async (t) => {
    const refused = await trial(t, () => failing("no such model"));
    assert.equal(refused.code, 1);
    assert.match(refused.stdout, /^✗ lion-1 +lion-1 @ lab does not accept the request \(400: no such model\)/m);
    const later = await trial(t, (request) =>
      request.messages.some(({ role }) => role === "tool")
        ? failing("reasoning_content must be passed back")
        : { toolCalls: [{ name: "echo", input: { word: "river" } }] },
    );
    assert.equal(later.code, 1);
    assert.match(later.stdout, /^✗ lion-1 +after a tool call: .*must be passed back/m);
  });

  test("reports that the model has no route", async (t) => {
    const stage = homeWith(temporaryDirectory(t.after.bind(t)), LAB);
    const { code, stdout } = await deputy(["doctor", "--online", "lion-9 --provider nowhere"], stage);
    assert.equal(code, 1);
    assert.match(stdout, /^✗ lion-9 --provider nowhere +.*nowhere/m);
  });
});

describe("deputy doctor", () => {
  test("names keys and where they go, never their values", async (t) => {
    const stage = homeWith(temporaryDirectory(t.after.bind(t)), LAB);
    const { code, stdout } = await deputy(["doctor"], {
      ...stage,
      env: { ...stage.env, ZAI_API_KEY: "secret-of-zai" },
    });
    assert.equal(code, 0);
    assert.match(stdout, /^✓ zai +api\.z\.ai, key ZAI_API_KEY$/m);
    assert.match(stdout, /^✓ mylab +127\.0\.0\.1:9, no key needed, from the config$/m);
    assert.match(stdout, /^! default .*must name its model/m);
    assert.ok(!stdout.includes("secret-of-zai"));
  });

  test("finds what a run would fail on, and exits with 1", async (t) => {
    const none = await deputy(["doctor"], { env: { HOME: temporaryDirectory(t.after.bind(t)) } });
    assert.equal(none.code, 1);
    assert.match(none.stdout, /^✗ providers +none has a key\. Set one/m);
    const broken = homeWith(temporaryDirectory(t.after.bind(t)), "delegatoin: {}\n");
    const { code, stdout } = await deputy(["doctor", "--json"], broken);
    assert.equal(code, 1);
    const finding = JSON.parse(stdout).find(({ about }: { about: string }) => about === "config");
    assert.match(finding.text, /delegatoin/);
  });
});

describe("deputy config", () => {
  test("shows each value with its source, and keys as the variables that hold them", async (t) => {
    const home = temporaryDirectory(t.after.bind(t));
    const stage = homeWith(home, "delegation:\n  max_iterations: 7\nproviders:\n  zai: { api_key: sk-very-secret }\n");
    const { stdout } = await deputy(["config", "show"], { ...stage, env: { ...stage.env, DEPUTY_MODEL: "glm-5.1" } });
    assert.match(stdout, /^model +"glm-5\.1" +DEPUTY_MODEL$/m);
    assert.match(stdout, /^delegation\.max_iterations +7 +\S+config\.yaml:2$/m);
    assert.match(stdout, /^delegation\.stall_seconds +300 +default$/m);
    assert.ok(!stdout.includes("sk-very-secret"));
    const set = JSON.parse((await deputy(["config", "show", "--set", "--json"], stage)).stdout);
    assert.ok(set.values.every(({ source }: { source: string }) => source !== "default"));
  });

  test("lists the files in effect, and trusts a project's on request", async (t) => {
    const home = temporaryDirectory(t.after.bind(t));
    const project = join(home, "project");
    mkdirSync(join(project, ".deputy"), { recursive: true });
    writeFileSync(join(project, ".deputy/config.yaml"), "model: glm-5.1\n");
    const stage = { cwd: project, env: { HOME: home } };
    assert.match((await deputy(["config", "path"], stage)).stdout, /not trusted/);
    assert.equal((await deputy(["config", "trust"], stage)).code, 0);
    assert.doesNotMatch((await deputy(["config", "path"], stage)).stdout, /not trusted/);
    writeFileSync(join(project, ".deputy/config.yaml"), "model: other\n");
    assert.match((await deputy(["config", "path"], stage)).stdout, /not trusted/);
  });

  test("has nothing to trust without a project file", async (t) => {
    const home = temporaryDirectory(t.after.bind(t));
    assert.equal((await deputy(["config", "trust"], { cwd: home, env: { HOME: home } })).code, 2);
    assert.equal((await deputy(["config", "trust", "none.yaml"], { cwd: home, env: { HOME: home } })).code, 2);
  });
});

describe("the examples", () => {
  test("are read without a mistake", async () => {
    const folder = join(import.meta.dirname, "../../examples");
    const { readdirSync } = await import("node:fs");
    const files = readdirSync(folder).filter((name) => /\.(yaml|jsonl)$/.test(name) && name !== "08-config.yaml");
    assert.ok(files.length >= 8);
    for (const file of files) {
      const { code, stderr } = await deputy(["run", join(folder, file), "--dry-run"]);
      assert.equal(code, 0, `${file}: ${stderr}`);
    }
  });
});
