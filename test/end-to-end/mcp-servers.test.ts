// biome-ignore-all lint/suspicious/noTemplateCurlyInString: `${NAME}` is how a config names a variable.
/** MCP servers of the real program: what is left of them after a kill, what is repeated, and what people are told. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, type TestContext, test } from "node:test";
import type { ModelRequest, Turn } from "../../src/testing/index.ts";
import { temporaryDirectory, until } from "../support/command-line.ts";
import { createProviders, type Ended, launch, processesWith, stepOf } from "../support/end-to-end.ts";

const SERVER = join(import.meta.dirname, "../support/mcp-servers/stdio.ts");
const home = temporaryDirectory(after);

type Call = { name: string; input?: object };

/** A home and a workspace with the scripted server `docs`, and a model that makes these calls. */
async function stage(
  context: TestContext,
  calls: Call[],
  { variables = {}, ...docs }: { variables?: object; [field: string]: unknown } = {},
  config: object = {},
) {
  const base = mkdtempSync(join(home, "run-"));
  const cwd = join(base, "work");
  const log = join(base, "log");
  mkdirSync(join(base, ".config/deputy"), { recursive: true });
  mkdirSync(cwd);
  const answer = (request: ModelRequest): Turn => {
    const call = calls[stepOf(request) - 1];
    if (call !== undefined) return { toolCalls: [{ input: {}, ...call }] };
    const results = request.messages.flatMap(({ toolResults }) => toolResults.map(({ text }) => text));
    return { text: ["done", ...results].join("\n") };
  };
  const providers = await createProviders(["zai"], answer);
  context.after(providers.close);
  const server = { command: process.execPath, args: [SERVER], env: { LOG: log, ...variables }, ...docs };
  const document = { provider: "zai", mcp_servers: { docs: server }, ...config };
  writeFileSync(join(base, ".config/deputy/config.yaml"), JSON.stringify(document));
  const env = { ...providers.env, HOME: base, DEPUTY_STATE_DIR: join(base, "state"), NO_COLOR: "1" };
  const start = (...argv: string[]) => launch(argv, { cwd, env });
  return {
    cwd,
    env,
    start,
    run: (...argv: string[]): Promise<Ended> => start(...argv).ended,
    log: () => (existsSync(log) ? readFileSync(log, "utf8") : ""),
    /** Processes of servers, by a variable that only they have. */
    servers: () => processesWith(`LOG=${log}`),
  };
}

const ALLOW = { permissions: [{ tool: "mcp__docs__*", then: "allow" }] };

describe("a run that is killed during a call", { timeout: 100_000 }, () => {
  for (const [how, variables] of [
    ["a server that reads its input", {}],
    ["a server that ignores its end", { START: "stubbornly" }],
  ] as const)
    test(`leaves nothing of ${how}`, async (t) => {
      const played = await stage(t, [{ name: "mcp__docs__hang" }], { variables }, ALLOW);
      const run = played.start("run", "--goal", "one");
      await until(() => played.log().includes('"name":"hang"'));
      assert.notEqual(played.servers().length, 0);
      run.child.kill("SIGKILL");
      await run.ended;
      await until(() => played.servers().length === 0);
    });

  for (const [what, docs, expected, times] of [
    [
      "repeats it if the tool is read_only",
      { read_only: ["hang"], timeout_seconds: 2 },
      /did not answer within 2 s/,
      2,
    ],
    ["does not repeat it otherwise", { timeout_seconds: 2 }, /may or may not have taken effect/, 1],
  ] as const)
    test(`${what} when it is resumed`, async (t) => {
      const played = await stage(t, [{ name: "mcp__docs__hang" }], docs, ALLOW);
      const run = played.start("run", "--goal", "one");
      await until(() => played.log().includes('"name":"hang"'));
      run.child.kill("SIGKILL");
      await run.ended;
      const resumed = await played.run("resume", "--last");
      assert.match(resumed.stdout + resumed.stderr, expected);
      assert.equal(played.log().split('"name":"hang"').length - 1, times);
      assert.deepEqual(played.servers(), []);
    });

  test("asks before it calls a tool whose definition has changed meanwhile", async (t) => {
    const calls = [{ name: "mcp__docs__hang" }, { name: "mcp__docs__echo", input: { text: "hello" } }];
    const docs = { variables: { SCRIPT: "${SCRIPT}" }, timeout_seconds: 2 };
    const played = await stage(t, calls, docs, ALLOW);
    const start = (about: string, ...argv: string[]) =>
      launch(argv, { cwd: played.cwd, env: { ...played.env, SCRIPT: JSON.stringify({ about }) } });
    const begun = start("Repeats.", "run", "--goal", "one");
    await until(() => played.log().includes('"name":"hang"'));
    begun.child.kill("SIGKILL");
    await begun.ended;
    const { stdout, stderr } = await start("Sends.", "resume", "--last").ended;
    assert.match(stdout + stderr, /description or schema of docs\/echo has changed since the child started/);
    assert.doesNotMatch(played.log(), /"name":"echo"/);
  });
});

describe("a run without a user", { timeout: 100_000 }, () => {
  const calls = [{ name: "mcp__docs__echo", input: { text: "hello" } }];

  test("is denied a call, and names the flag that allows it", async (t) => {
    const played = await stage(t, calls);
    const denied = await played.run("run", "--goal", "one");
    assert.match(
      denied.stdout + denied.stderr,
      /nobody can answer here\. Allow it with: --allow 'mcp__docs__echo: docs\/echo {"text":"hello"}'/,
    );
    for (const allow of ['mcp__docs__echo: docs/echo {"text":"hello"}', "mcp__docs__echo", "mcp__docs__*"]) {
      const { stdout } = await played.run("run", "--goal", "one", "--allow", allow);
      assert.match(stdout, /hello/);
    }
    assert.deepEqual(played.servers(), []);
  });
});

describe("people are told", { timeout: 100_000 }, () => {
  test("by doctor which servers start", async (t) => {
    const servers = {
      docs: { command: process.execPath, args: [SERVER] },
      broken: { command: process.execPath, args: [SERVER], env: { START: "not" } },
      far: { url: "http://127.0.0.1:9/mcp" },
    };
    const played = await stage(t, [], {}, { mcp_servers: servers });
    const { code, stdout } = await played.run("doctor");
    assert.equal(code, 1);
    assert.match(stdout, /✓ mcp:docs +starts, 16 tools/);
    assert.match(stdout, /✗ mcp:broken +The MCP server broken failed: it ended with exit code 3.*DOCS_DIR is not set/);
    assert.match(stdout, /! mcp:far +over HTTP, not tried/);
  });

  test("by config show everything but secrets", async (t) => {
    const played = await stage(t, [], { variables: { DOCS_TOKEN: "token-0123456789abcdef", LEVEL: "${LEVEL}" } });
    const { stdout } = await played.run("config", "show", "--set", "--json");
    assert.doesNotMatch(stdout, /token-0123/);
    assert.match(stdout, /\$\{LEVEL\}/);
  });

  test("that an untrusted project can neither add nor change a server", async (t) => {
    for (const document of [
      { mcp_servers: { mine: { command: "touch", args: ["started"] } } },
      { mcp_servers: { docs: { command: "touch", args: ["started"] } } },
      { delegation: { toolsets: ["mcp:*"] } },
    ]) {
      const played = await stage(t, []);
      mkdirSync(join(played.cwd, ".deputy"));
      writeFileSync(join(played.cwd, ".deputy/config.yaml"), JSON.stringify(document));
      const { code, stderr } = await played.run("run", "--goal", "one");
      assert.equal(code, 2, stderr);
      assert.match(stderr, /project file that is not trusted/);
      assert.ok(!existsSync(join(played.cwd, "started")));
      const trusted = await played.run("config", "trust");
      assert.equal(trusted.code, 0, trusted.stderr);
    }
  });
});

test("a run without a toolset of a server loads nothing of the protocol", { timeout: 100_000 }, async (t) => {
  for (const [toolsets, expected] of [
    ["[file]", false],
    ["[file, mcp:docs]", true],
  ] as const) {
    const played = await stage(t, []);
    const hook = join(played.cwd, "hook.mjs");
    const loaded = join(played.cwd, "loaded");
    writeFileSync(
      hook,
      `import { registerHooks } from "node:module";
      import { appendFileSync } from "node:fs";
      const load = (url, context, next) => { appendFileSync(${JSON.stringify(loaded)}, url + "\\n"); return next(url, context); };
      registerHooks({ load });`,
    );
    writeFileSync(join(played.cwd, "tasks.yaml"), `- { goal: one, toolsets: ${toolsets} }\n`);
    const env = { ...played.env, NODE_OPTIONS: `--import=${hook}` };
    const { code, stderr } = await launch(["run", "tasks.yaml"], { cwd: played.cwd, env }).ended;
    assert.equal(code, 0, stderr);
    assert.equal(/modelcontextprotocol|tools\/mcp\//.test(readFileSync(loaded, "utf8")), expected);
  }
});
