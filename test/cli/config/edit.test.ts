// biome-ignore-all lint/suspicious/noTemplateCurlyInString: `${NAME}` is how a config names a variable.
/** `deputy config get|set|edit`: what they print, write and refuse, on files of a home and a project. */
import assert from "node:assert/strict";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { deputy, temporaryDirectory } from "../../support/command-line.ts";

const CONFIG = "# mine\nmodel: glm-4.7  # fast\nprovider: zai\npermissions:\n- { tool: terminal, then: ask }\n";

function stage(context: TestContext, files: Record<string, string> = { ".config/deputy/config.yaml": CONFIG }) {
  const home = temporaryDirectory((cleanUp) => context.after(cleanUp));
  const cwd = join(home, "work");
  mkdirSync(cwd);
  const path = (name: string) => join(home, name);
  const write = (name: string, text: string, mode = 0o600) => {
    mkdirSync(dirname(path(name)), { recursive: true });
    writeFileSync(path(name), text);
    chmodSync(path(name), mode);
  };
  for (const [name, text] of Object.entries(files)) write(name, text);
  const run = (argv: string[], env: Record<string, string> = {}) =>
    deputy(["config", ...argv], {
      cwd,
      env: { HOME: home, DEPUTY_STATE_DIR: path("state"), PATH: "/usr/bin:/bin", ...env },
    });
  const user = () => readFileSync(path(".config/deputy/config.yaml"), "utf8");
  return { home, path, write, run, user };
}

describe("deputy config get", () => {
  test("prints the value alone, and its source as a note", async (context) => {
    const { run, path } = stage(context);
    const { code, stdout, stderr } = await run(["get", "model"]);
    assert.deepEqual([code, stdout], [0, "glm-4.7\n"]);
    assert.equal(stderr, `from ${path(".config/deputy/config.yaml")}:2\n`);
    assert.deepEqual(await run(["get", "delegation.max_iterations"]), {
      code: 0,
      stdout: "50\n",
      stderr: "from default\n",
    });
    assert.equal((await run(["get", "permissions[0].then"])).stdout, "ask\n");
    assert.equal((await run(["get", "model"], { DEPUTY_MODEL: "opus" })).stdout, "opus\n");
  });

  test("prints all of a map, also as JSON", async (context) => {
    const { run } = stage(context);
    assert.match((await run(["get", "terminal"])).stdout, /terminal\.env +\[\] +default\nterminal\.timeout_seconds/);
    const [value] = JSON.parse((await run(["get", "provider", "--json"])).stdout);
    assert.deepEqual([value.key, value.value], ["provider", "zai"]);
  });

  test("says that nothing is set with exit code 1, and that there is no such key with 2", async (context) => {
    const { run } = stage(context);
    const unset = await run(["get", "models.small"]);
    assert.deepEqual([unset.code, unset.stdout], [1, ""]);
    assert.match(unset.stderr, /models\.small is not set\. Set it: deputy config set models\.small VALUE/);
    const unknown = await run(["get", "delegation.max_iteration"]);
    assert.equal(unknown.code, 2);
    assert.match(unknown.stderr, /no key delegation\.max_iteration\. Did you mean max_iterations\?/);
    assert.equal((await run(["get", "a..b"])).code, 2);
  });

  test("never prints a key", async (context) => {
    const secret = "sk-live-1234567890abcdefghijklmn";
    const { run } = stage(context, { ".config/deputy/config.yaml": `providers: { zai: { api_key: ${secret} } }\n` });
    for (const argv of [
      ["get", "providers"],
      ["get", "providers.zai.api_key"],
      ["get", "providers", "--json"],
    ]) {
      const { stdout, stderr } = await run(argv);
      assert.doesNotMatch(stdout + stderr, /sk-live/);
    }
  });
});

describe("deputy config set", () => {
  test("changes one value; comments, layout and mode stay", async (context) => {
    const { run, user, path, write } = stage(context);
    write(".config/deputy/config.yaml", CONFIG, 0o640);
    assert.equal((await run(["set", "model", "glm-5.1"])).code, 0);
    assert.equal(user(), CONFIG.replace("glm-4.7", "glm-5.1"));
    assert.equal(statSync(path(".config/deputy/config.yaml")).mode & 0o777, 0o640);
    await run(["set", "permissions[]", "{ tool: terminal, match: npm test, then: allow }"]);
    await run(["set", "delegation.toolsets", "[file, search]"]);
    await run(["set", "delegation.child_timeout_seconds", "10m"]);
    assert.equal((await run(["get", "permissions[1].match"])).stdout, "npm test\n");
    assert.equal((await run(["get", "delegation.toolsets"])).stdout, '["file","search"]\n');
    assert.equal((await run(["get", "delegation.child_timeout_seconds"])).stdout, "600\n");
    await run(["set", "model", ""]);
    assert.equal((await run(["get", "model"])).code, 1);
  });

  test("writes nothing that is not valid, and says what is wrong, in no line of the file", async (context) => {
    const { run, user } = stage(context);
    const wrong: [key: string, value: string, message: RegExp][] = [
      ["delegation.max_iterations", "many", /^deputy: delegation\.max_iterations: expected a number; found "many"/],
      ["modle", "x", /^deputy: modle: expected a known key; found `modle`\. Did you mean `model`\?/],
      ["permissions[0].then", "alow", /^deputy: permissions\[0\]\.then: expected one of allow, ask, deny/],
      ["models.sk-live-1234567890abcdefghijklmn", "x", /expected no key here/],
    ];
    for (const [key, value, message] of wrong) {
      const { code, stderr } = await run(["set", key, value]);
      assert.equal(code, 2);
      assert.match(stderr, message);
      assert.doesNotMatch(stderr, /sk-live/);
    }
    assert.equal(user(), CONFIG);
  });

  test("names the line of what was wrong in the file before, and corrects it", async (context) => {
    const { run, write } = stage(context);
    write(".config/deputy/config.yaml", "model: glm-4.7\nsecond: 1\n");
    const { code, stderr } = await run(["set", "modle", "x"]);
    assert.equal(code, 2);
    const [first = "", second = ""] = stderr.split("\n");
    assert.match(first, /config\.yaml:2:1 second: expected a known key/);
    assert.match(second, /^modle: expected a known key/);
    write(".config/deputy/config.yaml", "model: glm-4.7\nprovider: 7\n");
    assert.equal((await run(["set", "provider", "zai"])).code, 0);
  });

  const unknown: [argv: string[], warning: RegExp | undefined][] = [
    [["model", "glm-4.77"], /^! glm-4\.77 is not known to Deputy; it is sent to zai as is\. Did you mean .*glm-4\.7/],
    [["models.small", "glm-4.77"], /^! glm-4\.77 is not known to Deputy/],
    [["models.small", "{ model: banana, provider: zai }"], /^! banana is not known to Deputy/],
    [["delegation.model", "glm-4.77"], /^! glm-4\.77 is not known to Deputy/],
    [["delegation.fallbacks[]", "glm-4.77"], /^! glm-4\.77 is not known to Deputy/],
    [["agents.reviewer", "{ prompt: Review., model: glm-4.77 }"], /^! glm-4\.77 is not known to Deputy/],
    [["rules[]", "{ when: { tag: review }, use: glm-4.77 }"], /^! glm-4\.77 is not known to Deputy/],
    [["providers.zai.default_model", "glm-5.1"], undefined],
    [["model", "large"], /^! Expected a model; found large, which is not one of your aliases/],
    [["model", "glm-5.1"], undefined],
    [["models.small", "glm-4.7 --provider zai"], undefined],
    [["models.small", "claude-opus-5 --provider anthropic"], undefined],
    [["delegation.max_iterations", "7"], undefined],
  ];
  for (const [argv, warning] of unknown)
    test(`${warning === undefined ? "accepts" : "warns of"} ${argv.join(" = ")}, as deputy run would`, async (context) => {
      const { run } = stage(context);
      const { code, stderr } = await run(["set", ...argv], { ZAI_API_KEY: "key-of-zai" });
      assert.equal(code, 0);
      if (warning === undefined) assert.equal(stderr, "");
      else assert.match(stderr, warning);
      assert.equal((await run(["set", "provider", "zai"], { ZAI_API_KEY: "key-of-zai" })).stderr, "", "told once");
    });

  test("creates the file of the user or the project, readable by the user alone, and names trust", async (context) => {
    const { run, path } = stage(context, {});
    assert.equal((await run(["set", "model", "glm-4.7"])).stderr, "");
    assert.equal(statSync(path(".config/deputy/config.yaml")).mode & 0o777, 0o600);
    const { stderr, stdout } = await run(["set", "--project", "delegation.max_iterations", "9"]);
    assert.match(stdout, /Set delegation\.max_iterations in .*work\/\.deputy\/config\.yaml\./);
    assert.match(stderr, /until you trust it: deputy config trust/);
    await run(["set", "--user", "provider", "zai"], { DEPUTY_CONFIG: path("other.yaml") });
    await run(["set", "provider", "openai"], { DEPUTY_CONFIG: path("other.yaml") });
    assert.equal(readFileSync(path(".config/deputy/config.yaml"), "utf8"), "model: glm-4.7\nprovider: zai\n");
    assert.equal(readFileSync(path("other.yaml"), "utf8"), "provider: openai\n");
    assert.equal((await run(["set", "--user", "--project", "model", "x"])).code, 2);
  });

  test("writes through a link", async (context) => {
    const { run, path, write } = stage(context, {});
    write("dotfiles/deputy.yaml", CONFIG);
    mkdirSync(path(".config/deputy"), { recursive: true });
    symlinkSync(path("dotfiles/deputy.yaml"), path(".config/deputy/config.yaml"));
    await run(["set", "provider", "openai"]);
    assert.ok(lstatSync(path(".config/deputy/config.yaml")).isSymbolicLink());
    assert.match(readFileSync(path("dotfiles/deputy.yaml"), "utf8"), /^provider: openai$/m);
  });

  test("warns of a key as plain text, and not of a variable", async (context) => {
    const { run, user } = stage(context, {});
    const plain = await run(["set", "providers.zai.api_key", "sk-live-1234567890abcdefghijklmn"]);
    assert.match(plain.stderr, /plain text.*deputy config set providers\.zai\.api_key_env VARIABLE/);
    assert.doesNotMatch(plain.stdout + plain.stderr, /sk-live/);
    assert.match(
      (await run(["set", "providers.lab", "{ base_url: 'http://x', headers: { a: b } }"])).stderr,
      /plain text/,
    );
    assert.equal((await run(["set", "providers.zai.api_key", "${GLM_API_KEY}"])).stderr, "");
    assert.equal((await run(["set", "providers.zai.api_key_env", "GLM_API_KEY"])).stderr, "");
    assert.match(user(), /api_key: \$\{GLM_API_KEY\}/);
  });
});

describe("deputy config edit", () => {
  /** An editor that replaces `glm-4.7` by a text. */
  function editor(write: (name: string, text: string, mode?: number) => void, replacement: string, after = ""): void {
    write("editor", `#!/bin/sh\nsed -i 's/glm-4.7/${replacement}/' "$2"\necho "$2" > "$HOME/copy"\n${after}\n`, 0o755);
  }

  test("replaces the file by the edited copy", async (context) => {
    const { run, write, path, user } = stage(context);
    editor(write, "glm-5.1", 'env > "$HOME/seen"');
    const { code, stdout } = await run(["edit"], {
      VISUAL: `${path("editor")} -w`,
      EDITOR: "false",
      ZAI_API_KEY: "sk-zai-12345",
    });
    assert.deepEqual([code, stdout], [0, `Written to ${path(".config/deputy/config.yaml")}.\n`]);
    assert.equal(user(), CONFIG.replace("glm-4.7", "glm-5.1"));
    assert.equal(existsSync(readFileSync(path("copy"), "utf8").trim()), false);
    assert.doesNotMatch(readFileSync(path("seen"), "utf8"), /sk-zai/);
  });

  test("leaves the file if the text is wrong, and keeps the text", async (context) => {
    const { run, write, path, user } = stage(context);
    editor(write, "glm-5.1\\nmodle: x");
    const { code, stderr } = await run(["edit"], { EDITOR: `${path("editor")} -w` });
    assert.equal(code, 2);
    assert.match(stderr, /config\.yaml:3:1 modle: expected a known key/);
    const copy = /Your text is in (\S+)/.exec(stderr)?.[1] ?? "";
    assert.match(readFileSync(copy, "utf8"), /modle: x/);
    assert.equal(statSync(copy).mode & 0o777, 0o600);
    assert.equal(user(), CONFIG);
  });

  test("leaves the file if the editor fails, changes nothing, or the file has changed meanwhile", async (context) => {
    const { run, write, path, user } = stage(context);
    assert.match((await run(["edit"], { EDITOR: "true" })).stdout, /Nothing was changed/);
    assert.equal((await run(["edit"], { EDITOR: "false" })).code, 2);
    assert.equal((await run(["edit"])).code, 2);
    editor(write, "glm-5.1", 'echo "# other" >> "$HOME/.config/deputy/config.yaml"');
    const { code, stderr } = await run(["edit"], { EDITOR: `${path("editor")} -w` });
    assert.match(stderr, /has changed meanwhile; it was left as it is\. Try again\. Your text is in /);
    assert.deepEqual([code !== 0, user()], [true, `${CONFIG}# other\n`]);
  });
});
