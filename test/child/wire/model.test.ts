import assert from "node:assert/strict";
import { type AddressInfo, createServer } from "node:net";
import { after, before, describe, test } from "node:test";
import type { Message } from "../../../src/child/message.ts";
import { API_MODES, type ApiMode, type Effort } from "../../../src/route.ts";
import type { Turn } from "../../../src/testing/index.ts";
import { tool } from "../../support/child-stage.ts";
import { until } from "../../support/command-line.ts";
import { accessOf, createWireStage, MODEL_OF, TEST_KEY, type WireStage, wireRoute } from "../../support/wire-stage.ts";

const look = tool("look", "read", (word) => word);

/** Required part of the request's body for effort `high`. */
const EFFORT_ON_THE_WIRE: Record<ApiMode, RegExp> = {
  chat_completions: /"reasoning_effort":"high"/,
  responses: /"reasoning":\{"effort":"high"/,
  anthropic_messages: /"budget_tokens":\d{4,}|"effort":"high"/,
  gemini: /"thinkingBudget":\d{4,}|"thinkingLevel":"high"/i,
};

test("thinking and answer together stay within the limit, and every effort has its share of it", async (t) => {
  const stage = await createWireStage(() => ({ text: "Hello." }));
  t.after(stage.close);
  const baseUrl = stage.server.baseUrl("anthropic_messages");
  const sent = async (model: string, effort: Effort, maxOutputTokens?: number) => {
    const route = wireRoute(baseUrl, "anthropic_messages", { model, effort, facts: { maxOutputTokens: 40_000 } });
    await stage.ask("anthropic_messages", { route, ...(maxOutputTokens && { maxOutputTokens }) });
    const { maxTokens, thinkingBudget } = stage.server.requests.at(-1) ?? {};
    return [maxTokens, thinkingBudget];
  };
  for (const model of ["claude-sonnet-4-5", "MiniMax-M2"]) {
    assert.deepEqual(await sent(model, "low"), [40_000, 4_000]);
    assert.deepEqual(await sent(model, "high"), [40_000, 24_000]);
    assert.deepEqual(await sent(model, "max"), [40_000, 38_000]);
    assert.deepEqual(await sent(model, "high", 3_000), [3_000, 1_800], "a budget lowers both");
    assert.deepEqual(await sent(model, "high", 1_500), [1_500, undefined], "there is no room for both");
  }
});

for (const apiMode of API_MODES) {
  describe(`over ${apiMode}`, () => {
    let stage: WireStage;
    let turn: Turn = { text: "Hello there." };
    before(async () => {
      stage = await createWireStage(() => turn);
    });
    after(() => stage.close());

    test("model, key, effort, limit and text arrive as the vendor wants them, the answer comes back whole", async () => {
      turn = { text: "Hello there, world.", deltas: 5, usage: { input: 40, output: 7, cached: 30 } };
      const route = wireRoute(stage.server.baseUrl(apiMode), apiMode, {
        effort: "high",
        facts: { maxOutputTokens: 5_000 },
      });
      const { reply, live } = await stage.ask(apiMode, { route });
      const request = stage.server.requests.at(-1);
      assert.equal(request?.model, MODEL_OF[apiMode]);
      assert.equal(request?.keyName, "TEST_KEY");
      assert.equal(request?.system, "Be brief.");
      assert.equal(request?.lastUserText, "Hello.");
      assert.ok((request?.maxTokens ?? 0) >= 5_000);
      assert.match(JSON.stringify(request?.body), EFFORT_ON_THE_WIRE[apiMode]);
      assert.equal(live, "Hello there, world.");
      assert.ok(reply.ok);
      assert.deepEqual(
        reply.parts.filter(({ type }) => type === "text").map((part) => "text" in part && part.text),
        ["Hello there, world."],
      );
      assert.deepEqual([reply.usage?.input, reply.usage?.output, reply.usage?.cached], [40, 7, 30]);
      assert.equal(reply.servedModel, MODEL_OF[apiMode]);
      assert.deepEqual(reply.warnings, []);
    });

    test("a tool call is parsed, and its result and the text before it are sent in the vendor's form", async () => {
      turn = { reasoning: "I should look.", text: "Looking.", toolCalls: [{ name: "look", input: { word: "x" } }] };
      const { reply } = await stage.ask(apiMode, { tools: [look] });
      assert.ok(reply.ok);
      assert.equal(reply.finish, "tool-calls");
      const call = reply.parts.find((part) => part.type === "tool-call");
      assert.deepEqual(call?.input, { word: "x" });
      turn = { text: "Seen." };
      const messages: Message[] = [
        { role: "user", text: "Hello." },
        { role: "assistant", provider: "vendor", parts: reply.parts },
        { role: "tool", callId: call?.callId ?? "", name: "look", text: "it is x", ok: true },
      ];
      const second = await stage.ask(apiMode, { messages, tools: [look] });
      assert.ok(second.reply.ok, JSON.stringify(second.reply));
      const request = stage.server.requests.at(-1);
      assert.equal(request?.messages.at(-1)?.toolResults[0]?.text, "it is x");
      assert.equal(request?.tools[0]?.name, "look");
    });

    test("on a change of provider the conversation is carried over without the other one's reasoning", async () => {
      turn = { reasoning: "I should look.", text: "Looking.", toolCalls: [{ name: "look", input: { word: "x" } }] };
      const { reply } = await stage.ask(apiMode, { tools: [look] });
      assert.ok(reply.ok);
      const call = reply.parts.find((part) => part.type === "tool-call");
      turn = { text: "Taken over." };
      const messages: Message[] = [
        { role: "user", text: "Hello." },
        { role: "assistant", provider: "vendor", parts: reply.parts },
        { role: "tool", callId: call?.callId ?? "", name: "look", text: "it is x", ok: true },
      ];
      for (const other of API_MODES) {
        const route = wireRoute(stage.server.baseUrl(other), other, { provider: "another" });
        const access = accessOf(stage.server.url, other);
        const taken = await stage.ask(other, { messages, tools: [look], route, access });
        assert.ok(taken.reply.ok, `${apiMode} → ${other}: ${JSON.stringify(taken.reply)}`);
        assert.doesNotMatch(JSON.stringify(stage.server.requests.at(-1)?.body), /I should look/);
      }
    });

    test("a model that must answer is told to call nothing, and its tools stay in the conversation", async () => {
      turn = { text: "My last words." };
      const { reply } = await stage.ask(apiMode, { tools: [look], mustAnswer: true });
      assert.ok(reply.ok);
      assert.match(JSON.stringify(stage.server.requests.at(-1)?.body), /none|NONE/);
    });

    test("live text contains no key, in however many pieces it arrives, and no half words", async () => {
      const text = `I found ${TEST_KEY} in .env, and more.`;
      turn = { text, deltas: 12, tokensPerSecond: 100, reasoning: `Is ${TEST_KEY} a key?` };
      const { reply, live, pieces } = await stage.ask(apiMode);
      assert.ok(reply.ok);
      assert.equal(live, "I found [secret TEST_KEY] in .env, and more.");
      assert.ok(pieces.length > 2, "it comes piece by piece");
      assert.doesNotMatch(JSON.stringify([reply, pieces]), new RegExp(TEST_KEY.slice(0, 12)));
    });

    test("two calls with one id are two calls, each with its own", async () => {
      const twice = { name: "look", id: "same" };
      turn = {
        toolCalls: [
          { ...twice, input: { word: "x" } },
          { ...twice, input: { word: "y" } },
        ],
      };
      const { reply } = await stage.ask(apiMode, { tools: [look] });
      assert.ok(reply.ok, JSON.stringify(reply));
      const heard = reply.parts.filter((part) => part.type === "tool-call");
      assert.deepEqual(
        heard.map(({ input }) => input),
        [{ word: "x" }, { word: "y" }],
      );
      assert.equal(new Set(heard.map(({ callId }) => callId)).size, 2);
    });

    test("calls of several answers with one id go back each with its own, and each result with its call", async () => {
      turn = { text: "Seen." };
      const round = (word: string): Message[] => [
        {
          role: "assistant",
          provider: "vendor",
          parts: [{ type: "tool-call", callId: "call_0", name: "look", input: { word } }],
        },
        { role: "tool", callId: "call_0", name: "look", text: `it is ${word}`, ok: true },
      ];
      const messages: Message[] = [{ role: "user", text: "Hello." }, ...round("x"), ...round("y"), ...round("z")];
      for (const provider of ["vendor", "another"]) {
        const route = wireRoute(stage.server.baseUrl(apiMode), apiMode, { provider });
        const { reply } = await stage.ask(apiMode, { messages, tools: [look], route });
        assert.ok(reply.ok, JSON.stringify(reply));
        const sent = stage.server.requests.at(-1)?.messages ?? [];
        const results = sent.flatMap(({ toolResults }) => toolResults);
        assert.deepEqual(
          results.map(({ text }) => text),
          ["it is x", "it is y", "it is z"],
        );
        const ids = sent.flatMap(({ toolCalls }) => toolCalls).map(({ id }) => id);
        assert.equal(new Set(ids).size, 3);
        assert.deepEqual(
          results.map(({ id }) => id),
          ids,
        );
      }
    });

    test("a stream that ends in the middle of its calls is not an answer, and none of them runs", async () => {
      turn = { toolCalls: [{ name: "look", input: { word: "x" } }], fault: { kind: "no-end", afterDeltas: 1 } };
      const { reply } = await stage.ask(apiMode, { tools: [look] });
      assert.ok(!reply.ok, JSON.stringify(reply));
      assert.equal(reply.failure.kind, "malformed-response");
    });

    test("a stop breaks the request off at once and closes its connection", async () => {
      turn = { text: "one two three", fault: { kind: "silence", afterDeltas: 1 } };
      const controller = new AbortController();
      const asked = stage.ask(apiMode, { stallMs: 0 }, controller.signal);
      await until(() => stage.server.inFlight > 0);
      controller.abort();
      const { reply } = await asked;
      assert.ok(!reply.ok);
      assert.equal(reply.failure.kind, "aborted");
      await until(() => stage.server.inFlight === 0);
    });
  });
}

test("gateways' own forms of a chat stream are read: odd reasons, content in parts, calls without an index, CRLF", async () => {
  const stream = (...chunks: object[]) => chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\r\n\r\n`).join("");
  const choice = (delta: object, finish_reason: string | null = null) => ({
    id: "x",
    model: "glm-4.7",
    choices: [{ index: 0, delta, finish_reason }],
  });
  const call = (id: string, word: string) => ({ id, function: { name: "look", arguments: JSON.stringify({ word }) } });
  const body = stream(
    choice({ role: "assistant", content: [{ type: "thinking", thinking: [{ type: "text", text: "hm" }] }] }),
    choice({ content: [{ type: "text", text: "Look" }] }),
    choice({ content: "ing." }),
    choice({ tool_calls: [call("a", "x")] }),
    choice({ tool_calls: [call("b", "y")] }, "eos"),
    { id: "x", choices: [], usage: { prompt_tokens: 7, completion_tokens: 3 } },
  );
  const headers = { "content-type": "text/event-stream" };
  const stage = await createWireStage(() => ({ fault: { kind: "response", status: 200, body, headers } }));
  const { reply } = await stage.ask("chat_completions", { tools: [look] });
  assert.ok(reply.ok, JSON.stringify(reply));
  assert.deepEqual(reply.parts, [
    { type: "reasoning", text: "hm", private: { chat: { reasoningField: "thinking-parts" } } },
    { type: "text", text: "Looking." },
    { type: "tool-call", callId: "a", name: "look", input: { word: "x" } },
    { type: "tool-call", callId: "b", name: "look", input: { word: "y" } },
  ]);
  assert.deepEqual(reply.usage, { input: 7, output: 3, cached: 0, reasoning: 0 });
  await stage.close();
});

for (const apiMode of API_MODES)
  test(`over ${apiMode} a call reaches the tool that its name means`, async () => {
    const names = ["look<|channel|>commentary", "functions.look", "default_api:look", "functions.look:0", " Look "];
    const stage = await createWireStage(() => ({ toolCalls: names.map((name) => ({ name, input: {} })) }));
    const { reply } = await stage.ask(apiMode, { tools: [tool("look", "read", (word) => word)] });
    await stage.close();
    assert.ok(reply.ok, JSON.stringify(reply));
    const called = reply.parts.flatMap((part) => (part.type === "tool-call" ? [part.name] : []));
    assert.deepEqual(
      called,
      names.map(() => "look"),
    );
  });

test("a name that means no tool, or several, is kept in characters that can be sent back", async () => {
  const names = ["looks", "other.Look", "<|x|>"];
  const stage = await createWireStage(() => ({ toolCalls: names.map((name) => ({ name, input: {} })) }));
  const tools = ["look", "LOOK"].map((name) => tool(name, "read", (word) => word));
  const { reply } = await stage.ask("chat_completions", { tools });
  await stage.close();
  assert.ok(reply.ok, JSON.stringify(reply));
  const called = reply.parts.flatMap((part) => (part.type === "tool-call" ? [part.name] : []));
  assert.deepEqual(called, ["looks", "other_Look", "__x__"]);
});

test("an answer with calls ends for them, also where its server says `stop` after them", async () => {
  const turn: Turn = { toolCalls: [{ name: "look", input: {} }], finishReason: "stop" };
  const stage = await createWireStage(() => turn);
  const { reply } = await stage.ask("chat_completions", { tools: [tool("look", "read", (word) => word)] });
  await stage.close();
  assert.ok(reply.ok, JSON.stringify(reply));
  assert.equal(reply.finish, "tool-calls");
});

test("a key that a provider repeats in its error is not repeated by us", async () => {
  const stage = await createWireStage(() => ({ text: "never" }), "sk-wrong-9a8b7c6d");
  const { reply } = await stage.ask("chat_completions");
  assert.ok(!reply.ok);
  assert.equal(reply.failure.kind, "unauthorized");
  assert.doesNotMatch(JSON.stringify(reply), /sk-wrong-9a8b7c6d/);
  await stage.close();
});

test("a key is sent to no origin but its own, and nothing at all is sent there then", async () => {
  const stage = await createWireStage(() => ({ text: "never" }));
  const stranger = await createWireStage(() => ({ text: "never" }));
  const route = wireRoute(stranger.server.baseUrl("chat_completions"), "chat_completions");
  const { reply } = await stage.ask("chat_completions", { route });
  assert.ok(!reply.ok);
  assert.match(reply.failure.message, /TEST_KEY belongs to/);
  assert.doesNotMatch(JSON.stringify(reply), new RegExp(TEST_KEY));
  assert.equal(stranger.server.count, 0);
  await stage.close();
  await stranger.close();
});

test("a key or header that HTTP cannot carry is the caller's error, reported by name, and nothing is sent", async () => {
  const stage = await createWireStage(() => ({ text: "never" }), "schlüssel—mit Strich");
  const bad = await stage.ask("chat_completions");
  assert.ok(!bad.reply.ok);
  assert.equal(bad.reply.failure.kind, "invalid-request");
  assert.match(bad.reply.failure.message, /TEST_KEY contains characters that HTTP cannot carry/);
  const access = { headers: { "x-team": "a\nb" }, redact: (text: string) => text };
  const worse = await stage.ask("chat_completions", { access });
  assert.match(worse.reply.ok ? "" : worse.reply.failure.message, /the header x-team contains characters/);
  assert.equal(stage.server.count, 0);
  await stage.close();
});

test("over gemini an id with a slash is a model's id, and a resource name is left alone", async () => {
  const stage = await createWireStage(() => ({ text: "hi" }));
  const endpoint = { baseUrl: stage.server.baseUrl("gemini"), apiMode: "gemini" } as const;
  for (const model of ["vendor/gemini-x", "tunedModels/mine"])
    await stage.ask("gemini", { route: { ...wireRoute(endpoint.baseUrl, "gemini"), model } });
  const paths = stage.server.requests.map(({ path }) => path.split(":")[0]);
  assert.deepEqual(paths, ["/v1beta/models/vendor/gemini-x", "/v1beta/tunedModels/mine"]);
  await stage.close();
});

test("an https endpoint is reached through a tunnel of the proxy, whose refusal is a network failure", async () => {
  const seen: string[] = [];
  const proxy = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", (bytes) => {
      seen.push(String(bytes).split("\r\n")[0] ?? "");
      socket.end("HTTP/1.1 403 Forbidden\r\n\r\n");
    });
  });
  await new Promise<void>((resolve) => void proxy.listen(0, "127.0.0.1", resolve));
  const { port } = proxy.address() as AddressInfo;
  const stage = await createWireStage(() => ({ text: "" }), TEST_KEY, { HTTPS_PROXY: `http://127.0.0.1:${port}` });
  const route = wireRoute("https://provider.test/v1", "chat_completions");
  const { reply } = await stage.ask("chat_completions", { route, access: { headers: {}, redact: (text) => text } });
  assert.ok(!reply.ok);
  assert.deepEqual(
    [reply.failure.kind, seen],
    ["network", ["CONNECT provider.test:443 HTTP/1.1"]],
    reply.failure.message,
  );
  await stage.close();
  proxy.close();
});

test("a failed connection behind a proxy is reported with the proxy's host, never with its password", async () => {
  const environment = { HTTP_PROXY: "http://me:secret-word@127.0.0.1:9" };
  const stage = await createWireStage(() => ({ text: "never" }), TEST_KEY, environment);
  const access = { headers: {}, redact: (text: string) => text };
  for (const apiMode of API_MODES) {
    const { reply } = await stage.ask(apiMode, { route: wireRoute("http://provider.test/v1", apiMode), access });
    assert.ok(!reply.ok);
    assert.equal(reply.failure.kind, "network");
    assert.match(reply.failure.message, /, through the proxy 127\.0\.0\.1:9\)/);
    assert.doesNotMatch(JSON.stringify(reply), /secret-word/);
  }
  const route = wireRoute("http://127.0.0.1:9/v1", "chat_completions");
  const { reply } = await stage.ask("chat_completions", { route, access });
  assert.doesNotMatch(JSON.stringify(reply), /proxy/);
  await stage.close();
});

test("servers on this machine are reached directly, whatever proxy is set", async () => {
  const seen: string[] = [];
  const proxy = createServer((socket) =>
    socket.once("data", (bytes) => {
      seen.push(String(bytes));
      socket.end("HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    }),
  );
  await new Promise<void>((resolve) => void proxy.listen(0, "127.0.0.1", resolve));
  const { port } = proxy.address() as AddressInfo;
  const environment = { http_proxy: `http://127.0.0.1:${port}`, HTTPS_PROXY: `http://127.0.0.1:${port}` };
  const stage = await createWireStage(() => ({ text: "directly" }), TEST_KEY, environment);
  const { reply } = await stage.ask("chat_completions");
  assert.ok(reply.ok, JSON.stringify(reply));
  assert.deepEqual(seen, []);
  const elsewhere = wireRoute("http://provider.test/v1", "chat_completions");
  await stage.ask("chat_completions", { route: elsewhere, access: { headers: {}, redact: (text) => text } });
  assert.match(seen[0] ?? "", /provider\.test/);
  await stage.close();
  proxy.close();
});
