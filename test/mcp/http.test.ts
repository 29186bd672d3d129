/** Differences and common behavior of MCP clients over HTTP. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Report } from "../../src/report.ts";
import type { Script } from "../../src/testing/index.ts";
import { until } from "../support/command-line.ts";
import { CLIENTS } from "../support/mcp-clients.ts";
import { onMcpStage } from "../support/mcp-stage.ts";

const LATER = new Promise<never>(() => {});

const asks: Script = ({ messages }) => {
  const last = messages.at(-1);
  if (last?.role === "tool") return { text: `It said: ${last.toolResults[0]?.text}` };
  return { toolCalls: [{ name: "terminal", input: { command: "echo roar" } }] };
};

for (const kind of CLIENTS) {
  describe(`a ${kind} client over HTTP`, () => {
    test("lets its user answer a child's request", async () => {
      await onMcpStage({ script: asks }, async ({ remote }) => {
        const agent = await remote(kind, () => ({ action: "accept", content: { decision: "allow" } }));
        const { results } = (await agent.call("delegate_task", { goal: "roar" })).data as Report;
        assert.match(results[0]?.summary ?? "", /It said: .*roar/s);
      });
    });

    test("gets lines of progress and, cancelling, stops the children", async () => {
      await onMcpStage({ script: () => LATER }, async ({ remote, engine }) => {
        const agent = await remote(kind);
        const user = new AbortController();
        const { promise: told, resolve: tell } = Promise.withResolvers<void>();
        const call = agent.call("delegate_task", { goal: "slow" }, { signal: user.signal, onprogress: () => tell() });
        await told;
        user.abort();
        await assert.rejects(call);
        await until(async () => (await engine.runs())[0]?.owner === "none");
        assert.equal((await engine.runs())[0]?.run.children[0]?.tally.ending?.status, "interrupted");
      });
    });

    test("continues from an earlier call, and finds its run from another connection", async () => {
      await onMcpStage(
        { script: () => LATER, config: { mcp: { return_after_seconds: 0.1 } } },
        async ({ remote, client, engine }) => {
          const agent = await remote(kind);
          const first = (await agent.call("delegate_task", { goal: "slow" })).data as Report;
          const again = (await agent.call("delegate_task", { goal: "slow" })).data as Report;
          assert.deepEqual([again.delegation_id, (await engine.runs()).length], [first.delegation_id, 1]);
          const { data = {} } = await (await client("1.x")).call("check_delegation", {
            id: first.delegation_id,
            wait_seconds: 0,
          });
          assert.equal((data.delegation as Report).state, "running");
        },
      );
    });
  });
}

describe("MCP over HTTP", () => {
  const INITIALIZE = {
    jsonrpc: "2.0",
    id: 1,
    method: "initialize",
    params: { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "raw", version: "1" } },
  };

  async function post(
    { url, token }: { url: string; token: string },
    body: string,
    headers: Record<string, string> = {},
  ) {
    return fetch(url, {
      method: "POST",
      body,
      headers: {
        authorization: `Bearer ${token}`,
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
        ...headers,
      },
    });
  }

  test("separates the calls of two sessions with the same name", async () => {
    await onMcpStage(
      { script: () => LATER, config: { mcp: { return_after_seconds: 0.1 } } },
      async ({ remote, engine }) => {
        for (const kind of ["1.x", "1.x", "2.x"] as const)
          await (await remote(kind)).call("delegate_task", { goal: "slow" });
        assert.equal((await engine.runs()).length, 3);
      },
    );
  });

  test("refuses requests that are too large, not JSON, or of a missing or ended session", async () => {
    await onMcpStage({}, async ({ http }) => {
      const place = await http();
      const huge = JSON.stringify({ ...INITIALIZE, junk: "x".repeat(17 * 1024 * 1024) });
      assert.equal((await post(place, huge)).status, 413);
      assert.equal((await post(place, "{ no json")).status, 400);
      const list = JSON.stringify({ jsonrpc: "2.0", id: 2, method: "tools/list" });
      assert.equal((await post(place, list)).status, 400);
      assert.equal((await post(place, list, { "mcp-session-id": "gone" })).status, 404);
      const opened = await post(place, JSON.stringify(INITIALIZE));
      const id = opened.headers.get("mcp-session-id") ?? "";
      await opened.text();
      const session = { "mcp-session-id": id, "mcp-protocol-version": "2025-06-18" };
      assert.equal((await post(place, list, session)).status, 200);
      const headers = { authorization: `Bearer ${place.token}`, ...session };
      assert.equal((await fetch(place.url, { method: "DELETE", headers })).status, 200);
      assert.equal((await post(place, list, session)).status, 404);
    });
  });
});
