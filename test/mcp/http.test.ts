/** Differences and common behavior of MCP clients over HTTP. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Engine } from "../../src/engine/engine.ts";
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
    signal?: AbortSignal,
  ) {
    return fetch(url, {
      method: "POST",
      body,
      ...(signal && { signal }),
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

  async function opened(place: { url: string; token: string }, headers: Record<string, string> = {}) {
    const response = await post(place, JSON.stringify(INITIALIZE), headers);
    await response.text();
    return { status: response.status, id: response.headers.get("mcp-session-id") ?? "", headers: response.headers };
  }

  test("opens a session for every initialize, whatever session the client still names", async () => {
    await onMcpStage({}, async ({ http }) => {
      const place = await http();
      const live = await opened(place);
      const seen = new Set([live.id]);
      for (const id of ["11111111-2222-3333-4444-555555555555", "", "no session", live.id]) {
        const again = await opened(place, { "mcp-session-id": id });
        assert.deepEqual([again.status, seen.has(again.id)], [200, false], id);
        seen.add(again.id);
      }
      const list = JSON.stringify({ jsonrpc: "2.0", id: 2, method: "tools/list" });
      for (const id of [...seen].filter((each) => each !== ""))
        assert.equal((await post(place, list, { "mcp-session-id": id })).status, 200);
    });
  });

  const LIST = JSON.stringify({ jsonrpc: "2.0", id: 2, method: "tools/list" });

  /** A call that lasts until its client goes: until `leave`. */
  async function busyWith(engine: Engine, place: { url: string; token: string }, session: string, goal: string) {
    const user = new AbortController();
    const params = { name: "delegate_task", arguments: { goal } };
    const body = JSON.stringify({ jsonrpc: "2.0", id: 3, method: "tools/call", params });
    // A response that nobody reads is dropped with its connection.
    const answer = post(place, body, { "mcp-session-id": session }, user.signal)
      .then((response) => response.text())
      .catch(() => undefined);
    await until(async () => (await engine.runs()).some(({ run }) => run.call.tasks[0]?.goal === goal));
    return { leave: () => user.abort(), answer };
  }

  test("replaces the oldest idle session by a new one, never a busy one", async () => {
    await onMcpStage({ script: () => LATER, maxSessions: 3 }, async ({ http, engine }) => {
      const place = await http();
      const [busy, idle] = [await opened(place), await opened(place)];
      const call = await busyWith(engine, place, busy.id, "slow");
      for (let count = 0; count < 3; count++) assert.equal((await opened(place)).status, 200);
      assert.equal((await post(place, LIST, { "mcp-session-id": idle.id })).status, 404);
      assert.equal((await post(place, LIST, { "mcp-session-id": busy.id })).status, 200);
      call.leave();
      for (const { run } of await engine.runs()) await engine.stop(run.delegationId, "test");
    });
  });

  test("refuses a session while all are busy, and opens it as soon as one client has gone", async () => {
    await onMcpStage({ script: () => LATER, maxSessions: 3 }, async ({ http, engine }) => {
      const place = await http();
      const calls = [];
      for (const goal of ["one", "two", "three"])
        calls.push(await busyWith(engine, place, (await opened(place)).id, goal));
      const refused = await opened(place);
      assert.deepEqual([refused.status, refused.headers.get("retry-after")], [503, "5"]);
      calls[1]?.leave();
      await until(async () => (await opened(place)).status === 200);
      for (const { leave } of calls) leave();
      for (const { run } of await engine.runs()) await engine.stop(run.delegationId, "test");
    });
  });

  test("keeps few large bodies in memory, and none to open a session, while small ones pass", async () => {
    await onMcpStage({}, async ({ http }) => {
      const place = await http();
      const { id } = await opened(place);
      const large = JSON.stringify({
        ...INITIALIZE,
        params: { ...INITIALIZE.params, junk: "x".repeat(15 * 1024 * 1024) },
      });
      const refused = await post(place, large);
      assert.deepEqual([refused.status, ((await refused.json()) as { id: number }).id], [400, INITIALIZE.id]);
      const held = Array.from({ length: 4 }, () => Promise.withResolvers<void>());
      const pending = held.map(async ({ promise }) => {
        const body = new ReadableStream<Uint8Array>({
          async start(controller) {
            controller.enqueue(Buffer.from(" "));
            await promise;
            controller.enqueue(Buffer.from(JSON.stringify(INITIALIZE)));
            controller.close();
          },
        });
        const headers = { authorization: `Bearer ${place.token}`, "content-type": "application/json" };
        const accept = "application/json, text/event-stream";
        return fetch(place.url, { method: "POST", body, duplex: "half", headers: { ...headers, accept } });
      });
      await until(async () => (await post(place, large)).status === 503);
      const list = JSON.stringify({ jsonrpc: "2.0", id: 2, method: "tools/list" });
      assert.equal((await post(place, list, { "mcp-session-id": id })).status, 200);
      for (const { resolve } of held) resolve();
      for (const response of await Promise.all(pending)) {
        assert.equal(response.status, 200);
        await response.text();
      }
      const call = {
        jsonrpc: "2.0",
        id: 4,
        method: "tools/call",
        params: { name: "nothing", arguments: { a: "x".repeat(15 * 1024 * 1024) } },
      };
      assert.equal((await post(place, JSON.stringify(call), { "mcp-session-id": id })).status, 200);
    });
  });
});
