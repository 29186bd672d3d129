/**
 * State returned with an MCP call approves a request only as this server sent it, in this session, once and in time.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  CLIENT_CAPABILITIES_META_KEY,
  CLIENT_INFO_META_KEY,
  PROTOCOL_VERSION_META_KEY,
} from "@modelcontextprotocol/client";
import type { Engine } from "../../src/engine/engine.ts";
import { createClientSession } from "../../src/mcp/client/client-session.ts";
import { createFormSeal } from "../../src/mcp/client/form-seal.ts";
import { createFakeClock, type Script } from "../../src/testing/index.ts";
import { until } from "../support/command-line.ts";
import type { McpHttp } from "../support/mcp-http.ts";
import { onMcpStage } from "../support/mcp-stage.ts";

const script: Script = ({ messages }) => {
  const last = messages.at(-1);
  if (last?.role === "tool") return { text: `It said: ${last.toolResults[0]?.text}` };
  return { toolCalls: [{ name: "terminal", input: { command: "echo roar" } }] };
};

const TASK = { goal: "Let it roar", toolsets: ["terminal"] };
const ALLOW = { action: "accept", content: { decision: "allow" } };
const MODERN = "2026-07-28";

type Sent = {
  name?: string;
  tool?: string;
  args?: object;
  forms?: false;
  requestState?: unknown;
  inputResponses?: Record<string, unknown>;
};
type Came = {
  result?: {
    requestState?: string;
    inputRequests?: Record<string, { params: { message: string } }>;
    isError?: boolean;
    content?: { text: string }[];
  };
  error?: { message: string };
};

/** One request of the 2026 protocol, as any program could send it. */
async function send({ url, token }: McpHttp, sent: Sent): Promise<Came> {
  const { name = "a client", tool = "delegate_task", args = TASK, forms, ...back } = sent;
  const _meta = {
    [PROTOCOL_VERSION_META_KEY]: MODERN,
    [CLIENT_INFO_META_KEY]: { name, version: "1" },
    [CLIENT_CAPABILITIES_META_KEY]: forms === false ? {} : { elicitation: { form: {} } },
  };
  const params = { name: tool, arguments: args, _meta, ...back };
  const answer = await fetch(url, {
    method: "POST",
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params }),
    headers: {
      authorization: `Bearer ${token}`,
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      "mcp-protocol-version": MODERN,
      "mcp-method": "tools/call",
      "mcp-name": tool,
    },
  });
  const text = await answer.text();
  const data = /^data: (.*)$/m.exec(text)?.[1] ?? text;
  return JSON.parse(data) as Came;
}

function textOf({ result, error }: Came): string {
  return error?.message ?? result?.content?.map(({ text }) => text).join("\n") ?? "";
}

/** A form that was sent, and its request. */
async function asked(place: McpHttp, more: Sent = {}) {
  const { result } = await send(place, more);
  const [request = ""] = Object.keys(result?.inputRequests ?? {});
  assert.ok(request !== "" && result?.requestState !== undefined, JSON.stringify(result));
  return { request, requestState: result.requestState, inputResponses: { [request]: ALLOW } };
}

async function assertOpen(engine: Engine): Promise<void> {
  assert.equal((await engine.questions()).length, 1);
  for (const { run } of await engine.runs())
    for await (const { kind } of engine.events(run.delegationId)) assert.notEqual(kind, "approval-answer");
}

async function refused(engine: Engine, came: Came): Promise<void> {
  assert.match(textOf(came), /Nothing was approved|requestState/);
  assert.ok(came.error !== undefined || came.result?.isError === true);
  await assertOpen(engine);
}

describe("a form that comes back with a call", () => {
  test("approves what it was sent for, by the client's name", async () => {
    await onMcpStage({ script }, async ({ http, engine }) => {
      const place = await http();
      const { requestState, inputResponses } = await asked(place, { name: "claude-code\u202e\n(x)" });
      const came = await send(place, { name: "claude-code\u202e\n(x)", requestState, inputResponses });
      assert.match(textOf(came), /It said: .*roar/s);
      const [listing] = await engine.runs();
      const events = await Array.fromAsync(engine.events(listing?.run.delegationId ?? ""));
      const [answer] = events.filter((event) => event.kind === "approval-answer");
      assert.equal(answer?.by, "mcp (claude-code x)");
    });
  });

  test("approves nothing if no form was ever sent, whatever the call claims", async () => {
    await onMcpStage({ script }, async ({ http, client, engine }) => {
      const place = await http();
      await (await client("1.x")).call("delegate_task", TASK);
      const [question] = await engine.questions();
      assert.ok(question);
      const { delegationId: runId, childId, callId, request } = question;
      const keys = [request, `${childId} ${callId}`, callId];
      const states = [
        { runId, shown: [] },
        { runId, shown: keys, asked: keys, until: Date.now() + 60_000 },
        { runId, asked: keys, shown: [], until: Date.now() + 60_000, id: "x", session: "a client" },
      ].map((state) => JSON.stringify(state));
      const encoded = states.map((state) => Buffer.from(state).toString("base64url"));
      const forged = [
        ...states,
        ...encoded,
        ...encoded.map((body) => `${body}.`),
        ...encoded.map((body) => `${body}.AAAA`),
      ];
      const inputResponses = Object.fromEntries(keys.map((key) => [key, ALLOW]));
      for (const tool of ["check_delegation", "delegate_task", "control_delegation", "list_models"]) {
        const args = tool === "check_delegation" ? { id: runId } : tool === "delegate_task" ? TASK : {};
        for (const requestState of [undefined, "", ...forged])
          await refused(engine, await send(place, { tool, args, requestState, inputResponses }));
      }
      for (const requestState of [7, [], { runId }])
        await refused(engine, await send(place, { tool: "check_delegation", args: { id: runId }, requestState }));
    });
  });

  test("approves nothing altered, of another session, with another's answers, or from a client without forms", async () => {
    await onMcpStage({ script }, async ({ http, engine }) => {
      const place = await http();
      const { request, requestState, inputResponses } = await asked(place);
      const [body = "", signature = ""] = requestState.split(".");
      const opened = JSON.parse(Buffer.from(body, "base64url").toString());
      const altered = Buffer.from(JSON.stringify({ ...opened, asked: [request, "other"] })).toString("base64url");
      for (const requestState of [
        `${altered}.${signature}`,
        `${body}.${signature.slice(0, -2)}`,
        `${body}A.${signature}`,
      ])
        await refused(engine, await send(place, { requestState, inputResponses }));
      await refused(engine, await send(place, { name: "another client", requestState, inputResponses }));
      await refused(engine, await send(place, { forms: false, requestState, inputResponses }));
      assert.match(textOf(await send(place, { requestState, inputResponses })), /It said: .*roar/s);
    });
  });

  test("approves nothing with an additional answer, or about another run", async () => {
    await onMcpStage({ script }, async ({ http, engine }) => {
      const place = await http();
      const stray = await asked(place);
      await refused(
        engine,
        await send(place, { ...stray, inputResponses: { ...stray.inputResponses, "0123456789ab": ALLOW } }),
      );
      const first = await asked(place, { args: TASK });
      const other = await send(place, { args: { ...TASK, goal: "Another" } });
      const [newest] = await engine.runs();
      assert.ok(other.result?.requestState !== undefined && newest !== undefined);
      const { requestState, inputResponses } = first;
      const args = { id: newest.run.delegationId };
      const mixed = await send(place, { tool: "check_delegation", args, requestState, inputResponses });
      assert.match(textOf(mixed), /Nothing was approved: .* it is about the run/);
      assert.equal((await engine.questions()).length, 2);
    });
  });

  test("counts once: replayed, it approves neither the same nor what the child asks next", async () => {
    const twice: Script = ({ messages }) => {
      const told = messages.filter(({ role }) => role === "tool").length;
      return told < 2 ? { toolCalls: [{ name: "terminal", input: { command: "echo roar" } }] } : { text: "done" };
    };
    await onMcpStage({ script: twice }, async ({ http, engine }) => {
      const place = await http();
      const { request, requestState, inputResponses } = await asked(place);
      const second = await send(place, { requestState, inputResponses });
      const [next = ""] = Object.keys(second.result?.inputRequests ?? {});
      assert.notEqual(next, request);
      const replays = [inputResponses, { [next]: ALLOW }, { [request]: ALLOW, [next]: ALLOW }];
      for (const inputResponses of replays) {
        const came = await send(place, { requestState, inputResponses });
        assert.match(textOf(came), /Nothing was approved: .* it was used before/);
        assert.equal((await engine.questions())[0]?.request, next);
      }
      const last = await send(place, {
        requestState: second.result?.requestState,
        inputResponses: { [next]: ALLOW },
      });
      assert.match(textOf(last), /done/);
    });
  });

  test("is refused after its request has expired, and explains how to continue", async () => {
    const config = { delegation: { approval_timeout_seconds: 0.3 } };
    await onMcpStage({ script, config }, async ({ http, engine }) => {
      const place = await http();
      const { requestState, inputResponses } = await asked(place);
      await until(async () => (await engine.runs())[0]?.owner === "none");
      const came = await send(place, { requestState, inputResponses });
      assert.match(textOf(came), /Nothing was approved: .*expired.* Make the call again without requestState/);
    });
  });

  test("is refused in a session of the 2025 protocol, which gets no state", async () => {
    await onMcpStage({ script }, async ({ http, client, engine }) => {
      const place = await http();
      await (await client("1.x")).call("delegate_task", TASK);
      const [question] = await engine.questions();
      const post = (body: object, headers: Record<string, string> = {}) =>
        fetch(place.url, {
          method: "POST",
          body: JSON.stringify({ jsonrpc: "2.0", id: 1, ...body }),
          headers: {
            authorization: `Bearer ${place.token}`,
            "content-type": "application/json",
            accept: "application/json, text/event-stream",
            ...headers,
          },
        });
      const opened = await post({
        method: "initialize",
        params: {
          protocolVersion: "2025-06-18",
          capabilities: { elicitation: {} },
          clientInfo: { name: "raw", version: "1" },
        },
      });
      const session = {
        "mcp-session-id": opened.headers.get("mcp-session-id") ?? "",
        "mcp-protocol-version": "2025-06-18",
      };
      await opened.text();
      const params = {
        name: "check_delegation",
        arguments: { id: question?.delegationId, wait_seconds: 0 },
        requestState: JSON.stringify({ runId: question?.delegationId, shown: [] }),
        inputResponses: { [question?.request ?? ""]: ALLOW },
      };
      const text = await (await post({ method: "tools/call", params }, session)).text();
      assert.match(text, /Nothing was approved/);
      await assertOpen(engine);
    });
  });
});

test("the seal of one process opens nothing that another has sealed", () => {
  const clock = createFakeClock();
  const caller = createClientSession("a client");
  const forms = { runId: "abc", asked: ["1"], shown: [], until: clock.now() + 1 };
  const [one, other] = [createFormSeal(clock), createFormSeal(clock)];
  const sealed = one.seal(caller, forms);
  assert.throws(() => other.open(caller, sealed), /it was not issued here/);
  assert.deepEqual(one.open(caller, sealed), forms);
});
