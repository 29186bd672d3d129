/** `deputy mcp install`: its output, its changes to other programs' settings, and what it leaves unchanged. */
import assert from "node:assert/strict";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { parse } from "yaml";
import { AGENT_PROGRAMS } from "../../../src/cli/serving/agent-programs.ts";
import { createFakeClock } from "../../../src/testing/fake-clock.ts";
import { deputy, start, temporaryDirectory, until } from "../../support/command-line.ts";

const KEY = "key-of-zai-1234567";

function bareHome(t: TestContext, settings: Record<string, string> = {}) {
  const home = temporaryDirectory(t.after.bind(t));
  for (const [name, text] of Object.entries(settings)) {
    mkdirSync(dirname(join(home, name)), { recursive: true });
    writeFileSync(join(home, name), text);
  }
  const stage = { cwd: home, env: { HOME: home, GLM_API_KEY: KEY, GLM_BASE_URL: "http://127.0.0.1:9/v1" } };
  return { home, stage, install: (...words: string[]) => deputy(["mcp", "install", ...words], stage) };
}

for (const [name, { title, userFile, format, at }] of Object.entries(AGENT_PROGRAMS))
  test(`shows ${title}'s entry and where it goes, and writes nothing unasked`, async (t) => {
    const { home, stage, install } = bareHome(t);
    const { code, stdout } = await install(name);
    assert.equal(code, 0);
    assert.ok(stdout.includes(userFile(stage.env)));
    assert.match(stdout, /mcp/);
    assert.match(stdout, /Nothing was written/);
    assert.ok(!stdout.includes(KEY));
    assert.deepEqual(readdirSync(home), []);

    const written = await install(name, "--write");
    assert.equal(written.code, 0, written.stderr);
    const text = readFileSync(userFile(stage.env), "utf8");
    assert.ok(!text.includes(KEY), "a key is named, never written");
    assert.equal(statSync(userFile(stage.env)).mode & 0o777, 0o600);
    if (format !== "toml") assert.ok(parse(text)[at[0] ?? ""].deputy);
    assert.match((await install(name, "--write")).stdout, /already/);
  });

test("programs that filter the environment get the variables in use, base URLs with their keys", async (t) => {
  const { stage, install } = bareHome(t);
  await install("codex", "--write");
  await install("hermes", "--write");
  const [codex, hermes] = ["codex", "hermes"].map((name) =>
    readFileSync(AGENT_PROGRAMS[name]?.userFile(stage.env) ?? "", "utf8"),
  );
  assert.match(codex ?? "", /^env_vars = \["GLM_API_KEY", "GLM_BASE_URL"\]$/m);
  // biome-ignore lint/suspicious/noTemplateCurlyInString: Hermes expands it.
  assert.equal(parse(hermes ?? "").mcp_servers.deputy.env.GLM_API_KEY, "${GLM_API_KEY}");
});

test("keeps the rest of a settings file: values, comments, order, its mode and the link to it", async (t) => {
  const hermes = "# mine\nmodel: x # the big one\nmcp_servers:\n  docs: { command: docs } # keep\n";
  const codex = 'model = "gpt"\n\n[mcp_servers.docs]\ncommand = "docs"\n';
  const { home, install } = bareHome(t, {
    ".hermes/config.yaml": hermes,
    ".codex/config.toml": codex,
    "dotfiles/mcp.json": '{\n    "mcpServers": {"docs": {"command": "docs"}}, "last": 1\n}\n',
  });
  mkdirSync(join(home, ".cursor"));
  symlinkSync("../dotfiles/mcp.json", join(home, ".cursor/mcp.json"));
  for (const name of ["hermes", "codex", "cursor"]) assert.equal((await install(name, "--write")).code, 0);
  const text = (name: string) => readFileSync(join(home, name), "utf8");
  for (const line of ["# mine", "model: x # the big one", "# keep"])
    assert.ok(text(".hermes/config.yaml").includes(line));
  assert.ok(text(".codex/config.toml").startsWith(codex));
  assert.ok(lstatSync(join(home, ".cursor/mcp.json")).isSymbolicLink());
  const cursor = JSON.parse(text("dotfiles/mcp.json"));
  assert.deepEqual(Object.keys(cursor.mcpServers), ["docs", "deputy"]);
  assert.equal(cursor.last, 1);
  assert.equal(statSync(join(home, "dotfiles/mcp.json")).mode & 0o777, 0o644);
  assert.equal(text(".codex/config.toml.bak"), codex);
});

const TOUCHED = [
  { why: "broken JSON", name: "opencode", file: ".config/opencode/opencode.json", text: '{ // mine\n "a": }' },
  { why: "broken TOML", name: "codex", file: ".codex/config.toml", text: 'model = "gpt\n' },
  {
    why: "another entry of that name",
    name: "cursor",
    file: ".cursor/mcp.json",
    text: '{"mcpServers":{"deputy":{"command":"other"}}}',
  },
  {
    why: "another table of that name",
    name: "codex",
    file: ".codex/config.toml",
    text: "[mcp_servers.deputy]\ncommand = 'x'\n",
  },
  {
    why: "an inline table",
    name: "codex",
    file: ".codex/config.toml",
    text: 'mcp_servers = { docs = { command = "x" } }\n',
  },
  { why: "a list where a mapping belongs", name: "claude-code", file: ".claude.json", text: '{"mcpServers": []}' },
  { why: "broken YAML", name: "hermes", file: ".hermes/config.yaml", text: "a: [1\n" },
];
for (const { why, name, file, text } of TOUCHED)
  test(`${why}: reports it, shows the entry, and leaves the file unchanged`, async (t) => {
    const { home, install } = bareHome(t, { [file]: text });
    const { code, stderr, stdout } = await install(name, "--write");
    assert.equal(code, 2);
    assert.match(stdout, /deputy/);
    assert.match(stderr, /Add it by hand/);
    assert.equal(readFileSync(join(home, file), "utf8"), text);
    assert.ok(!existsSync(join(home, `${file}.bak`)));
  });

test("--force replaces an entry with other settings", async (t) => {
  const { home, install } = bareHome(t, { ".cursor/mcp.json": '{"mcpServers":{"deputy":{"command":"other"}}}' });
  assert.equal((await install("cursor", "--write", "--force")).code, 0);
  const { command } = JSON.parse(readFileSync(join(home, ".cursor/mcp.json"), "utf8")).mcpServers.deputy;
  assert.match(command, /deputy$/);
});

test("--project writes into the project, or reports that it cannot", async (t) => {
  const { home, install } = bareHome(t);
  assert.equal((await install("claude-code", "--project", "--write")).code, 0);
  assert.ok(existsSync(join(home, ".mcp.json")));
  const { code, stderr } = await install("hermes", "--project");
  assert.equal(code, 2);
  assert.match(stderr, /Omit --project/);
});

for (const [answer, written] of [
  ["y\n", true],
  ["\n", false],
  ["no\n", false],
  ["", false],
] as const)
  test(`asks at a terminal; ${JSON.stringify(answer)} ${written ? "writes" : "does not"}`, async (t) => {
    const { home, stage } = bareHome(t);
    const clock = createFakeClock();
    const { stdin, code, stdout } = start(["mcp", "install", "cursor"], { ...stage, terminal: true, clock });
    stdin.write("y\n");
    await until(() => stdout().includes("[y/N]"));
    await clock.advance(300);
    stdin.end(answer);
    assert.equal(await code, 0);
    assert.match(stdout(), /Write it to .*mcp\.json\? \[y\/N\]/);
    assert.equal(existsSync(join(home, ".cursor/mcp.json")), written);
  });

test("writes to opencode's .jsonc where that is the only file, for the user and for a project", async (t) => {
  const { home, install } = bareHome(t, {
    ".config/opencode/opencode.jsonc": '{\n  // mine\n  "model": "a/b",\n}\n',
    "opencode.json": "{}",
    "opencode.jsonc": "{}",
  });
  assert.equal((await install("opencode", "--write")).code, 0);
  assert.match(readFileSync(join(home, ".config/opencode/opencode.jsonc"), "utf8"), /\/\/ mine.*"deputy"/s);
  assert.ok(!existsSync(join(home, ".config/opencode/opencode.json")));
  assert.equal((await install("opencode", "--project", "--write")).code, 0);
  assert.equal(readFileSync(join(home, "opencode.jsonc"), "utf8"), "{}");
});

test("an unknown program is rejected with the known ones and a suggestion", async (t) => {
  const { code, stderr } = await bareHome(t).install("claude-cod");
  assert.equal(code, 2);
  assert.match(stderr, /Expected one of claude-code, codex, .* Did you mean claude-code\?/);
});

test("keeps a mode that the umask would narrow", async (t) => {
  const { home, install } = bareHome(t, { ".cursor/mcp.json": "{}", ".codex/config.toml": "" });
  chmodSync(join(home, ".cursor/mcp.json"), 0o664);
  chmodSync(join(home, ".codex/config.toml"), 0o600);
  for (const name of ["cursor", "codex"]) assert.equal((await install(name, "--write")).code, 0);
  assert.equal(statSync(join(home, ".cursor/mcp.json")).mode & 0o777, 0o664);
  assert.equal(statSync(join(home, ".codex/config.toml")).mode & 0o777, 0o600);
});

test("text that is not UTF-8 is refused: it would come back damaged", async (t) => {
  const { home, install } = bareHome(t);
  const latin1 = Buffer.from('model = "caf\xe9"\n', "latin1");
  mkdirSync(join(home, ".codex"));
  writeFileSync(join(home, ".codex/config.toml"), latin1);
  const { code, stderr } = await install("codex", "--write");
  assert.equal(code, 2);
  assert.match(stderr, /expected text in UTF-8/);
  assert.deepEqual(readFileSync(join(home, ".codex/config.toml")), latin1);
});

test("a change made while the question is open is kept", async (t) => {
  const { home, stage } = bareHome(t, { ".cursor/mcp.json": '{ "a": 1 }\n' });
  const clock = createFakeClock();
  const { stdin, code, stdout } = start(["mcp", "install", "cursor"], { ...stage, terminal: true, clock });
  await until(() => stdout().includes("[y/N]"));
  writeFileSync(join(home, ".cursor/mcp.json"), '{ "a": 1, "b": 2 }\n');
  await clock.advance(300);
  stdin.end("y\n");
  assert.equal(await code, 0);
  const { a, b, mcpServers } = JSON.parse(readFileSync(join(home, ".cursor/mcp.json"), "utf8"));
  assert.deepEqual([a, b, Object.keys(mcpServers)], [1, 2, ["deputy"]]);
});

test("follows links to links, in directories that are links; a circle of links is refused", async (t) => {
  const { home, install } = bareHome(t, { "kept/deep/other.json": "{}" });
  symlinkSync("kept/deep", join(home, "short"));
  symlinkSync("../second.json", join(home, "short/first.json"));
  symlinkSync("claude.json", join(home, "kept/second.json"));
  symlinkSync("short/first.json", join(home, ".claude.json"));
  assert.equal((await install("claude-code", "--write")).code, 0);
  for (const link of [".claude.json", "kept/deep/first.json", "kept/second.json"])
    assert.ok(lstatSync(join(home, link)).isSymbolicLink(), link);
  assert.ok(readFileSync(join(home, "kept/claude.json"), "utf8").includes("deputy"));

  mkdirSync(join(home, ".cursor"));
  symlinkSync("mcp.json", join(home, ".cursor/mcp.json"));
  assert.match((await install("cursor", "--write")).stderr, /Cannot (read|write) .*mcp\.json/);
});

test("follows a link to where nothing is yet", async (t) => {
  const { home, install } = bareHome(t);
  symlinkSync("kept/claude.json", join(home, ".claude.json"));
  assert.equal((await install("claude-code", "--write")).code, 0);
  assert.ok(lstatSync(join(home, ".claude.json")).isSymbolicLink());
  assert.ok(readFileSync(join(home, "kept/claude.json"), "utf8").includes("deputy"));
});
