/** The plugin for Claude Code: its files have the documented form, and its MCP server starts from a clone. */
import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { parse } from "yaml";
import { delegateTaskJsonSchema, parseCall } from "../src/task.ts";
import { blocksOf } from "./docs/page.ts";
import { connect } from "./support/mcp-clients.ts";
import { stage } from "./support/whole-stage.ts";

const root = join(import.meta.dirname, "..");
const plugin = join(root, "plugin");
const read = (path: string) => readFileSync(join(plugin, path), "utf8");

/** Fields of https://code.claude.com/docs/en/plugins/manifest-reference that are metadata. Others are dropped. */
const METADATA = ["name", "version", "description", "author", "homepage", "repository", "license", "keywords"];

describe("the plugin for Claude Code", () => {
  test("has a manifest with a name and known fields, and Deputy's version", () => {
    const manifest = JSON.parse(read(".claude-plugin/plugin.json"));
    assert.match(manifest.name, /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/);
    assert.deepEqual(
      Object.keys(manifest).filter((key) => !METADATA.includes(key)),
      [],
    );
    assert.equal(manifest.version, JSON.parse(readFileSync(join(root, "package.json"), "utf8")).version);
    assert.equal(typeof manifest.author.name, "string");
  });

  test("keeps its parts where Claude Code looks for them", () => {
    for (const path of [".claude-plugin/plugin.json", ".mcp.json", "skills/delegate/SKILL.md"])
      assert.ok(existsSync(join(plugin, path)), path);
    assert.deepEqual(globSync(".claude-plugin/*", { cwd: plugin }), [".claude-plugin/plugin.json"]);
  });

  test("has a skill with a name and a description within the limits, which names only fields of a task", () => {
    const [, front = ""] = /^---\n([\s\S]*?)\n---\n/.exec(read("skills/delegate/SKILL.md")) ?? [];
    const { name, description, ...rest } = parse(front);
    assert.equal(name, "delegate");
    assert.ok(description.length > 50 && description.length <= 1024, String(description.length));
    assert.deepEqual(rest, {});
    const [example] = blocksOf(read("skills/delegate/SKILL.md"));
    assert.equal(parseCall(JSON.parse(example?.text ?? ""), 10).tasks.length, 2);
    const schema = JSON.stringify(delegateTaskJsonSchema());
    for (const field of ["goal", "context", "toolsets", "output_schema", "max_cost_usd"])
      assert.ok(schema.includes(`"${field}"`), field);
  });

  test("starts an MCP server from the clone that it is in, which offers delegate_task and runs a task", async () => {
    const { mcpServers } = JSON.parse(read(".mcp.json"));
    assert.deepEqual(Object.keys(mcpServers), ["deputy"]);
    const { command, args } = mcpServers.deputy;
    await stage({}, async ({ env, cwd }) => {
      const started = command.replaceAll(/\$\{CLAUDE_PLUGIN_ROOT\}/g, plugin);
      const client = await connect("2.x", { command: started, args, env, cwd });
      try {
        const names = (await client.listTools()).map(({ name }) => name);
        assert.ok(names.includes("delegate_task") && names.includes("list_models"));
        const { data } = await client.call("delegate_task", { goal: "one" });
        assert.match(JSON.stringify(data), /"summary":"done"/);
      } finally {
        await client.close();
      }
    });
  });
});
