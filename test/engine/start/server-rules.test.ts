/** `--allow` for tools of MCP servers: a rule that can allow nothing is told, and the run starts. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { command, type Scene } from "../../support/whole-stage.ts";

const mcp_servers = { docs: { command: "docs-mcp" }, "git-log": { command: "git-mcp" } };

/** The warnings about rules of a plan with these rules. */
async function warnings(rules: string[], scene: Scene = { config: { mcp_servers } }): Promise<string[]> {
  const argv = ["run", "--goal", "one", "--dry-run", "--json", ...rules.flatMap((rule) => ["--allow", rule])];
  const { code, stdout } = await command(argv, scene);
  assert.equal(code, 0, stdout);
  const { warnings: all = [] } = JSON.parse(stdout) as { warnings?: { code: string; message: string }[] };
  return all.filter((warning) => warning.code === "rule-without-effect").map(({ message }) => message);
}

describe("--allow for a tool of an MCP server", () => {
  const LOST: [rule: string, message: string][] = [
    [
      "mcp__dcos__find",
      "The rule for mcp__dcos__find has no effect: expected a server of mcp_servers (docs, git-log); found dcos. Did you mean mcp__docs__…?",
    ],
    [
      "mcp__web__*: a*",
      "The rule for mcp__web__* has no effect: expected a server of mcp_servers (docs, git-log); found web.",
    ],
    [
      "mcp__docs",
      "The rule for mcp__docs has no effect, because it names no tool. Write mcp__docs__* for all tools of docs.",
    ],
    [
      "mcp__docs_find",
      "The rule for mcp__docs_find has no effect: expected a server of mcp_servers (docs, git-log); found docs_find.",
    ],
  ];
  for (const [rule, message] of LOST)
    test(`that the config does not have warns: ${rule}`, async () =>
      assert.deepEqual(await warnings([rule, rule]), [message]));

  test("warns where there is no server at all", async () =>
    assert.deepEqual(await warnings(["mcp__docs__find"], {}), [
      "The rule for mcp__docs__find has no effect: expected a server of mcp_servers (there is none); found docs.",
    ]));

  for (const rule of ["mcp__docs__find", "mcp__docs__*", "mcp__git-log__show: x*", "mcp__*", "mcp__d*", "terminal"])
    test(`that it has does not warn: ${rule}`, async () => assert.deepEqual(await warnings([rule]), []));

  test("warns in the run, which starts all the same", async () => {
    const { code, stderr, requests } = await command(["run", "--goal", "one", "--allow", "mcp__dcos__find"]);
    assert.deepEqual([code, requests.length], [0, 1]);
    assert.match(stderr, /! .*The rule for mcp__dcos__find has no effect/);
  });
});
