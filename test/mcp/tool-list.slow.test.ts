/** The size of the tool list, which every turn of every client pays for. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { PROGRAM } from "../support/end-to-end.ts";
import { connect, type ToolShown } from "../support/mcp-clients.ts";
import { type Document, stage } from "../support/whole-stage.ts";

/**
 * An estimate that errs on the high side. Three tokenizers (o200k, cl100k and Anthropic's published one) count one
 * token per 4.06 to 4.28 characters of these definitions as compact JSON.
 */
const CHARS_PER_TOKEN = 3.9;

/** The part of a tool that clients send to their model. */
function tokensOf({ name, description, inputSchema }: ToolShown): number {
  return Math.ceil(JSON.stringify({ name, description, inputSchema }).length / CHARS_PER_TOKEN);
}

async function listTools(config: Document): Promise<Record<string, ToolShown>> {
  let tools: ToolShown[] = [];
  await stage({ config }, async ({ env, cwd }) => {
    const client = await connect("1.x", { command: PROGRAM, args: ["mcp"], env, cwd });
    tools = await client.listTools();
    await client.close();
  });
  return Object.fromEntries(tools.map((tool) => [tool.name, tool]));
}

const manyNames = Object.fromEntries(
  Array.from({ length: 60 }, (_, index) => [`alias-${index}`, { provider: "acme", model: `acme-${index}` }]),
);
const agents = { reviewer: { description: "Reviews code. ".repeat(20), prompt: "Review." } };

for (const [user, config] of Object.entries({
  "with a small config": {},
  "with many aliases, agents and every permission": {
    models: manyNames,
    agents,
    delegation: { max_spawn_depth: 3, approvals_by_model: true },
  },
}))
  test(`the tool list of a user ${user} is short`, async () => {
    const tools = await listTools(config);
    const { delegate_task: delegate, ...others } = tools;
    assert.ok(delegate);
    assert.ok((delegate.description?.length ?? 0) <= 1000, delegate.description);
    assert.ok(tokensOf(delegate) <= 1000, `delegate_task: ${tokensOf(delegate)} tokens`);
    for (const tool of Object.values(others))
      assert.ok(tokensOf(tool) <= 250, `${tool.name}: ${tokensOf(tool)} tokens`);
    const total = Object.values(tools).reduce((sum, tool) => sum + tokensOf(tool), 0);
    assert.ok(total <= 1800, `${total} tokens`);
    const received = JSON.stringify(Object.values(tools)).length / CHARS_PER_TOKEN;
    assert.ok(received <= 2000, `${received} tokens with titles, annotations and output schemas`);
  });
