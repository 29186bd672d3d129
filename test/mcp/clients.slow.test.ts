/** The tools that Deputy offers over MCP, listed and called by the SDK's clients over each transport. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { Report } from "../../src/report.ts";
import { until } from "../support/command-line.ts";
import { launch, PROGRAM } from "../support/end-to-end.ts";
import { CLIENTS, connect, type McpClient } from "../support/mcp-clients.ts";
import { stage } from "../support/whole-stage.ts";

const TOOLS = ["delegate_task", "list_models", "check_delegation", "control_delegation"];

/** Lists the tools and calls each of them. */
async function useAll(client: McpClient): Promise<void> {
  const tools = await client.listTools();
  assert.deepEqual(
    tools.map(({ name }) => name),
    TOOLS,
  );
  const { text, data = {}, isError } = await client.call("list_models", { provider: "beta" });
  const models = data.models as { model: string }[];
  assert.match(text, /beta-1\* @ beta/);
  assert.deepEqual([models.map(({ model }) => model), isError], [["beta-1"], false]);
  const delegated = (await client.call("delegate_task", { goal: "one", provider: "beta" })).data as Report;
  assert.deepEqual(
    delegated.results.map(({ status, summary }) => `${status}: ${summary}`),
    ["completed: done"],
  );
  const { data: checked = {} } = await client.call("check_delegation", { id: delegated.delegation_id });
  assert.deepEqual((checked.delegation as Report).results, delegated.results);
  const controlled = await client.call("control_delegation", { id: delegated.delegation_id, action: "stop" });
  assert.ok(!controlled.isError, controlled.text);
}

describe("deputy mcp, over standard input and output", () => {
  for (const kind of CLIENTS) {
    test(`a ${kind} client lists and calls each tool, and the program ends with it`, async () => {
      await stage({}, async ({ env, cwd }) => {
        const client = await connect(kind, { command: PROGRAM, args: ["mcp"], env, cwd });
        await useAll(client);
        await client.close();
      });
    });
  }
});

describe("deputy serve, over HTTP", () => {
  test("clients of every kind list and call each tool, at the same time", async () => {
    await stage({}, async ({ env, cwd }) => {
      const server = launch(["serve", "--port", "0"], { cwd, env });
      await until(() => server.stderr().includes("Token"));
      const [url = ""] = /http:\S+/.exec(server.stderr()) ?? [];
      const token = readFileSync(join(env.DEPUTY_STATE_DIR ?? "", "token"), "utf8").trim();
      assert.ok(!server.stderr().includes(token), "the token is not printed whole");
      const clients = await Promise.all([...CLIENTS, ...CLIENTS].map((kind) => connect(kind, { url, token })));
      await Promise.all(clients.map(useAll));
      await Promise.all(clients.map((client) => client.close()));
      server.child.kill("SIGTERM");
      const { code, stdout } = await server.ended;
      assert.deepEqual([code, stdout], [0, ""]);
    });
  });

  test("stopped, it stops the children and answers the waiting callers", async () => {
    let asked = 0;
    const script = () => {
      asked += 1;
      return new Promise<never>(() => {});
    };
    await stage({ script }, async ({ env, cwd }) => {
      const server = launch(["serve", "--port", "0"], { cwd, env });
      await until(() => server.stderr().includes("Token"));
      const [url = ""] = /http:\S+/.exec(server.stderr()) ?? [];
      const token = readFileSync(join(env.DEPUTY_STATE_DIR ?? "", "token"), "utf8").trim();
      const clients = await Promise.all(CLIENTS.map((kind) => connect(kind, { url, token })));
      const calls = clients.map((client) => client.call("delegate_task", { goal: "slow" }));
      await until(() => asked === CLIENTS.length);
      server.child.kill("SIGTERM");
      for (const { data } of await Promise.all(calls)) {
        const [result] = (data as Report).results;
        assert.deepEqual([result?.status, result?.exit_reason], ["interrupted", "SIGTERM"]);
      }
      assert.equal((await server.ended).code, 0);
      await Promise.all(clients.map((client) => client.close().catch(() => {})));
    });
  });
});
