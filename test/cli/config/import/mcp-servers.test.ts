// biome-ignore-all lint/suspicious/noTemplateCurlyInString: `${NAME}` is how a config names a variable.
/** MCP servers of other programs in a Deputy config. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { importedServers } from "../../../../src/cli/config/import/mcp-servers.ts";
import { configSchema } from "../../../../src/config-schema.ts";

function imported(written: Record<string, unknown>) {
  const notes: string[] = [];
  const note = (text: string) => void notes.push(text);
  const rest = (fields: object, path: string) => notes.push(...Object.keys(fields).map((key) => `${path}.${key}`));
  const servers = importedServers(written, "mcp", { note, rest });
  configSchema.parse({ mcp_servers: servers });
  return { servers, notes: notes.join("\n") };
}

const LOCAL = { command: "npx", args: ["-y", "docs-mcp"] };

describe("a server", () => {
  const cases: [what: string, written: object, expected: object][] = [
    ["of Claude Code", { type: "stdio", ...LOCAL, env: { LEVEL: "debug" } }, { ...LOCAL, env: { LEVEL: "debug" } }],
    [
      "of Codex",
      { ...LOCAL, env_vars: ["TOKEN"], tool_timeout_sec: 30, enabled_tools: ["a"] },
      { ...LOCAL, env: { TOKEN: "${TOKEN}" }, tools: ["a"], timeout_seconds: 30 },
    ],
    [
      "of Codex with a token",
      { url: "https://a.example/mcp", bearer_token_env_var: "T", env_http_headers: { "X-A": "A" } },
      { url: "https://a.example/mcp", headers: { "X-A": "${A}", Authorization: "Bearer ${T}" } },
    ],
    [
      "of opencode",
      { type: "local", command: ["npx", "-y", "docs-mcp"], environment: { T: "{env:T}" } },
      { ...LOCAL, env: { T: "${T}" } },
    ],
    [
      "of opencode over HTTP",
      { type: "remote", url: "https://a.example/mcp", headers: { Authorization: "Bearer {env:T}" } },
      { url: "https://a.example/mcp", headers: { Authorization: "Bearer ${T}" } },
    ],
    [
      "of Hermes",
      { ...LOCAL, connect_timeout: 90, tools: { include: ["a"] } },
      { ...LOCAL, tools: ["a"], start_timeout_seconds: 90 },
    ],
    ["with defaults of variables", { ...LOCAL, env: { T: "${T:-none}" } }, { ...LOCAL, env: { T: "${T}" } }],
  ];
  for (const [what, written, expected] of cases)
    test(`${what} is taken`, () => assert.deepEqual(imported({ docs: written }).servers, { docs: expected }));

  const omitted: [what: string, written: object, note: RegExp][] = [
    ["that is turned off", { ...LOCAL, enabled: false }, /it is turned off/],
    ["over SSE", { type: "sse", url: "https://a.example/sse" }, /speaks no sse/],
    [
      "with a variable among its arguments",
      { command: "npx", args: ["--key", "${KEY}"] },
      /other programs can read arguments/,
    ],
    [
      "with a key among its arguments",
      { command: "npx", args: ["--key", "sk-abcdefghijklmnopqrstuvwx1"] },
      /other programs can read arguments/,
    ],
    ["that is nothing", {}, /neither a command nor a URL/],
  ];
  for (const [what, written, note] of omitted)
    test(`${what} is omitted, with the reason`, () => {
      const { servers, notes } = imported({ docs: written });
      assert.deepEqual(servers, {});
      assert.match(notes, note);
      assert.doesNotMatch(notes, /sk-/);
    });

  test("with literal keys gets variables in their place, which are named", () => {
    const secret = "sk-abcdefghijklmnopqrstuvwx1";
    const { servers, notes } = imported({
      docs: { ...LOCAL, env: { DOCS_KEY: secret } },
      "my tracker": { url: "https://a.example/mcp", headers: { Authorization: `Bearer ${secret}` } },
    });
    assert.deepEqual(servers, {
      docs: { ...LOCAL, env: { DOCS_KEY: "${DOCS_KEY}" } },
      my_tracker: { url: "https://a.example/mcp", headers: { Authorization: "${MY_TRACKER_AUTHORIZATION}" } },
    });
    assert.match(notes, /mcp\.docs\.env\.DOCS_KEY may be a key.*variable DOCS_KEY/);
    assert.match(notes, /variable MY_TRACKER_AUTHORIZATION/);
    assert.match(notes, /mcp\.my tracker is called my_tracker here/);
  });

  test("that withholds tools is taken with a loud note", () => {
    assert.match(imported({ docs: { ...LOCAL, disabled_tools: ["a"] } }).notes, /^WARNING: mcp\.docs withholds tools/);
  });
});
