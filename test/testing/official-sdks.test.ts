/** The vendors' own libraries work with the scripted server as with their vendors. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import Anthropic from "@anthropic-ai/sdk";
import { ApiError, type Content, type FunctionDeclaration, GoogleGenAI } from "@google/genai";
import OpenAI from "openai";
import type { Fault, ModelRequest, ModelServer, Turn } from "../../src/testing/index.ts";
import { gathered, withServer } from "./asking.ts";

const KEY = "key-of-the-test";
const KEYS = { TEST_KEY: KEY };
const parameters = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
const description = "The weather in a city";
const usage = { input: 100, output: 50, cached: 30, reasoning: 20 };

/** An item as it was sent, without fields that the library adds and its vendor rejects. */
function withoutParsed(item: OpenAI.Responses.ResponseOutputItem): OpenAI.Responses.ResponseInputItem {
  const json = JSON.stringify(item, (name, value) => (name.startsWith("parsed") ? undefined : value));
  return JSON.parse(json);
}

/** Requests the weather, then answers with it. */
function weatherScript({ messages }: ModelRequest): Turn {
  const [result] = messages.at(-1)?.toolResults ?? [];
  if (result) return { text: `In Rome: ${result.text}.`, usage };
  return {
    reasoning: "I should look.",
    text: "Let me see.",
    toolCalls: [{ name: "weather", input: { city: "Rome" } }],
  };
}

function failing(...faults: Fault[]) {
  return ({ index }: ModelRequest): Turn => ({ fault: faults[index] ?? { kind: "empty" } });
}

/** The server's reading of the last request, without ids. */
function understood(server: ModelServer) {
  const last = server.requests.at(-1);
  return last?.messages.map(({ role, text, toolCalls, toolResults }) => ({
    role,
    text,
    calls: toolCalls.map(({ name, input }) => ({ name, input })),
    results: toolResults.map((result) => ({ name: result.name, text: result.text })),
  }));
}

const CONVERSATION = [
  { role: "user", text: "Weather?", calls: [], results: [] },
  { role: "assistant", text: "Let me see.", calls: [{ name: "weather", input: { city: "Rome" } }], results: [] },
  { role: "tool", text: "", calls: [], results: [{ name: "weather", text: "sunny" }] },
];

describe("openai, Chat Completions", () => {
  const tools: OpenAI.ChatCompletionFunctionTool[] = [
    { type: "function", function: { name: "weather", description, parameters } },
  ];
  const clientOf = (server: ModelServer, apiKey = KEY) =>
    new OpenAI({ apiKey, baseURL: server.baseUrl("chat_completions"), maxRetries: 0 });

  it("streams a conversation with a tool call", async () => {
    await withServer(
      weatherScript,
      async (server) => {
        const client = clientOf(server);
        const messages: OpenAI.ChatCompletionMessageParam[] = [{ role: "user", content: "Weather?" }];
        const first = await client.chat.completions.stream({ model: "gpt-5", messages, tools }).finalChatCompletion();
        const message = first.choices[0]?.message;
        assert.ok(message);
        assert.equal(message.content, "Let me see.");
        assert.equal(first.choices[0]?.finish_reason, "tool_calls");
        const [call] = message.tool_calls ?? [];
        assert.ok(call?.type === "function");
        assert.deepEqual(JSON.parse(call.function.arguments), { city: "Rome" });

        messages.push(message, { role: "tool", tool_call_id: call.id, content: "sunny" });
        const stream = await client.chat.completions.create({
          model: "gpt-5",
          messages,
          tools,
          stream: true,
          stream_options: { include_usage: true },
        });
        const chunks: OpenAI.ChatCompletionChunk[] = [];
        for await (const chunk of stream) chunks.push(chunk);
        assert.equal(chunks.map(({ choices }) => choices[0]?.delta.content ?? "").join(""), "In Rome: sunny.");
        assert.equal(chunks.at(-1)?.usage?.prompt_tokens_details?.cached_tokens, 30);
        assert.deepEqual(understood(server), CONVERSATION);
      },
      { keys: KEYS },
    );
  });

  it("gets a whole answer", async () => {
    await withServer(weatherScript, async (server) => {
      const messages = [{ role: "user" as const, content: "Weather?" }];
      const answer = await clientOf(server).chat.completions.create({ model: "gpt-5", messages, tools });
      const [call] = answer.choices[0]?.message.tool_calls ?? [];
      assert.ok(call?.type === "function");
      assert.equal(call.function.arguments, '{"city":"Rome"}');
      assert.equal(answer.model, "gpt-5");
    });
  });

  it("lists models", async () => {
    await withServer(
      {},
      async (server) => {
        const { data } = await clientOf(server).models.list();
        assert.deepEqual(
          data.map(({ id }) => id),
          ["a", "b"],
        );
      },
      { models: ["a", "b"], keys: KEYS },
    );
  });

  it("throws its own classes of errors", async () => {
    const script = failing(
      { kind: "rate-limited", retryAfter: 7 },
      { kind: "overloaded", status: 500 },
      { kind: "context-overflow" },
    );
    await withServer(
      script,
      async (server) => {
        const ask = (client: OpenAI) =>
          client.chat.completions.create({ model: "gpt-5", messages: [{ role: "user", content: "Hi" }] });
        await assert.rejects(ask(clientOf(server)), (error) => {
          assert.ok(error instanceof OpenAI.RateLimitError);
          assert.equal(error.code, "rate_limit_exceeded");
          assert.equal(error.headers.get("retry-after"), "7");
          return true;
        });
        await assert.rejects(ask(clientOf(server)), OpenAI.InternalServerError);
        await assert.rejects(ask(clientOf(server)), { status: 400, code: "context_length_exceeded" });
        await assert.rejects(ask(clientOf(server, "another")), OpenAI.AuthenticationError);
      },
      { keys: KEYS },
    );
    await withServer(
      {},
      async (server) => {
        const ask = clientOf(server).chat.completions.create({
          model: "x",
          messages: [{ role: "user", content: "Hi" }],
        });
        await assert.rejects(ask, OpenAI.NotFoundError);
      },
      { models: ["gpt-5"] },
    );
  });
});

describe("openai, Responses", () => {
  const tools: OpenAI.Responses.FunctionTool[] = [
    { type: "function", name: "weather", description, parameters, strict: false },
  ];
  const clientOf = (server: ModelServer, apiKey = KEY) =>
    new OpenAI({ apiKey, baseURL: server.baseUrl("responses"), maxRetries: 0 });

  for (const store of [true, false]) {
    it(`streams a conversation with a tool call, ${store ? "stored" : "not stored"}`, async () => {
      await withServer(
        weatherScript,
        async (server) => {
          const client = clientOf(server);
          const input: OpenAI.Responses.ResponseInputItem[] = [{ role: "user", content: "Weather?" }];
          const include = ["reasoning.encrypted_content" as const];
          const settings = { model: "gpt-5", tools, store, include, reasoning: { summary: "auto" as const } };
          const first = await client.responses.stream({ ...settings, input }).finalResponse();
          assert.deepEqual(
            first.output.map(({ type }) => type),
            ["reasoning", "message", "function_call"],
          );
          assert.equal(first.output_text, "Let me see.");
          const call = first.output.at(-1);
          assert.ok(call?.type === "function_call");
          assert.equal(call.arguments, '{"city":"Rome"}');

          for (const item of first.output) {
            input.push(store ? { type: "item_reference", id: item.id ?? "" } : withoutParsed(item));
          }
          input.push({ type: "function_call_output", call_id: call.call_id, output: "sunny" });
          const events: OpenAI.Responses.ResponseStreamEvent[] = [];
          for await (const event of await client.responses.create({ ...settings, input, stream: true }))
            events.push(event);
          assert.deepEqual(
            events.map(({ sequence_number }) => sequence_number),
            [...events.keys()],
          );
          const last = events.at(-1);
          assert.ok(last?.type === "response.completed");
          assert.equal(last.response.usage?.output_tokens_details.reasoning_tokens, 20);
          assert.deepEqual(understood(server), CONVERSATION);
        },
        { keys: KEYS },
      );
    });
  }

  it("gets a whole answer", async () => {
    await withServer({ text: "Hello there.", finish: "length" }, async (server) => {
      const answer = await clientOf(server).responses.create({
        model: "gpt-5",
        input: "Hi",
        instructions: "Be brief.",
      });
      assert.equal(answer.output_text, "Hello there.");
      assert.equal(answer.status, "incomplete");
      assert.equal(answer.incomplete_details?.reason, "max_output_tokens");
      assert.equal(server.requests[0]?.system, "Be brief.");
    });
  });

  it("throws its own classes of errors, in the middle of a stream too", async () => {
    const script = failing({ kind: "quota-exhausted" }, { kind: "error-event" });
    await withServer(
      script,
      async (server) => {
        const client = clientOf(server);
        await assert.rejects(client.responses.create({ model: "gpt-5", input: "Hi" }), {
          status: 429,
          code: "insufficient_quota",
        });
        const stream = await client.responses.create({ model: "gpt-5", input: "Hi", stream: true });
        await assert.rejects(gathered(stream), OpenAI.APIError);
        await assert.rejects(clientOf(server, "another").models.list(), OpenAI.AuthenticationError);
      },
      { keys: KEYS },
    );
  });
});

describe("@anthropic-ai/sdk", () => {
  const tools: Anthropic.Tool[] = [{ name: "weather", description, input_schema: { ...parameters, type: "object" } }];
  const clientOf = (server: ModelServer, apiKey = KEY) =>
    new Anthropic({ apiKey, baseURL: server.baseUrl("anthropic_messages"), maxRetries: 0 });
  const settings = { model: "claude-sonnet-5", max_tokens: 4000, tools };

  it("streams a conversation with thinking and a tool call", async () => {
    await withServer(
      weatherScript,
      async (server) => {
        const client = clientOf(server);
        const thinking = { type: "enabled" as const, budget_tokens: 2000 };
        const messages: Anthropic.MessageParam[] = [{ role: "user", content: "Weather?" }];
        const first = await client.messages.stream({ ...settings, thinking, messages }).finalMessage();
        assert.deepEqual(
          first.content.map(({ type }) => type),
          ["thinking", "text", "tool_use"],
        );
        assert.equal(first.stop_reason, "tool_use");
        const call = first.content[2];
        assert.ok(call?.type === "tool_use");
        assert.deepEqual(call.input, { city: "Rome" });

        messages.push({ role: "assistant", content: first.content });
        messages.push({ role: "user", content: [{ type: "tool_result", tool_use_id: call.id, content: "sunny" }] });
        const second = await client.messages.stream({ ...settings, thinking, messages }).finalMessage();
        assert.deepEqual(
          second.content.map((block) => block.type === "text" && block.text),
          ["In Rome: sunny."],
        );
        assert.equal(second.usage.input_tokens, 70);
        assert.equal(second.usage.cache_read_input_tokens, 30);
        assert.equal(second.usage.output_tokens, 50);
        assert.deepEqual(understood(server), CONVERSATION);
        assert.equal(server.requests[0]?.thinkingBudget, 2000);
      },
      { keys: KEYS },
    );
  });

  it("gets a whole answer", async () => {
    await withServer(weatherScript, async (server) => {
      const messages = [{ role: "user" as const, content: "Weather?" }];
      const answer = await clientOf(server).messages.create({ ...settings, messages });
      const call = answer.content.at(-1);
      assert.ok(call?.type === "tool_use");
      assert.deepEqual(call.input, { city: "Rome" });
    });
  });

  it("lists models", async () => {
    await withServer(
      {},
      async (server) => {
        const { data } = await clientOf(server).models.list();
        assert.deepEqual(
          data.map(({ id }) => id),
          ["claude-a"],
        );
      },
      { models: ["claude-a"] },
    );
  });

  it("throws its own classes of errors, in the middle of a stream too", async () => {
    const script = failing(
      { kind: "overloaded" },
      { kind: "rate-limited" },
      { kind: "quota-exhausted", status: 402 },
      { kind: "unauthorized", status: 403 },
      { kind: "context-overflow" },
      { kind: "error-event" },
    );
    await withServer(
      script,
      async (server) => {
        const client = clientOf(server);
        const messages = [{ role: "user" as const, content: "Hi" }];
        const ask = (by = client) => by.messages.create({ ...settings, messages });
        await assert.rejects(ask(), { status: 529, type: "overloaded_error" });
        await assert.rejects(ask(), Anthropic.RateLimitError);
        await assert.rejects(ask(), { status: 402, type: "billing_error" });
        await assert.rejects(ask(), Anthropic.PermissionDeniedError);
        await assert.rejects(ask(), Anthropic.BadRequestError);
        await assert.rejects(client.messages.stream({ ...settings, messages }).finalMessage(), /overloaded_error/);
        await assert.rejects(ask(clientOf(server, "another")), Anthropic.AuthenticationError);
      },
      { keys: KEYS },
    );
  });
});

describe("@google/genai", () => {
  const functionDeclarations: FunctionDeclaration[] = [
    { name: "weather", description, parametersJsonSchema: parameters },
  ];
  const config = { tools: [{ functionDeclarations }], systemInstruction: "Be brief.", maxOutputTokens: 500 };
  const clientOf = (server: ModelServer, apiKey = KEY) =>
    new GoogleGenAI({ apiKey, httpOptions: { baseUrl: server.url } });

  it("streams a conversation with thoughts and a tool call", async () => {
    await withServer(
      weatherScript,
      async (server) => {
        const client = clientOf(server);
        const contents: Content[] = [{ role: "user", parts: [{ text: "Weather?" }] }];
        const chunks = await gathered(
          await client.models.generateContentStream({ model: "gemini-3-pro", contents, config }),
        );
        const parts = chunks.flatMap(({ candidates }) => candidates?.[0]?.content?.parts ?? []);
        assert.equal(
          parts
            .filter(({ thought }) => thought)
            .map(({ text }) => text)
            .join(""),
          "I should look.",
        );
        assert.equal(
          parts
            .filter(({ thought }) => !thought)
            .map(({ text }) => text ?? "")
            .join(""),
          "Let me see.",
        );
        assert.deepEqual(parts.find(({ functionCall }) => functionCall)?.functionCall, {
          name: "weather",
          args: { city: "Rome" },
        });
        assert.equal(chunks.at(-1)?.candidates?.[0]?.finishReason, "STOP");

        contents.push({ role: "model", parts });
        const functionResponse = { name: "weather", response: { output: "sunny" } };
        contents.push({ role: "user", parts: [{ functionResponse }] });
        const answer = await client.models.generateContent({ model: "gemini-3-pro", contents, config });
        assert.equal(answer.text, "In Rome: sunny.");
        assert.equal(answer.usageMetadata?.thoughtsTokenCount, 20);
        assert.equal(answer.usageMetadata?.candidatesTokenCount, 30);
        assert.deepEqual(understood(server), CONVERSATION);
        assert.equal(server.requests[0]?.system, "Be brief.");
        assert.equal(server.requests[0]?.maxTokens, 500);
      },
      { keys: KEYS },
    );
  });

  it("lists models", async () => {
    await withServer(
      {},
      async (server) => {
        const listed = await gathered(await clientOf(server).models.list());
        assert.deepEqual(
          listed.map(({ name }) => name),
          ["models/gemini-a"],
        );
      },
      { models: ["gemini-a"], keys: KEYS },
    );
  });

  it("throws its own class of errors", async () => {
    await withServer(
      failing({ kind: "rate-limited" }, { kind: "overloaded" }),
      async (server) => {
        const ask = (client = clientOf(server)) =>
          client.models.generateContent({ model: "gemini-3-pro", contents: "Hi" });
        for (const [status, words] of [
          [429, "RESOURCE_EXHAUSTED"],
          [503, "UNAVAILABLE"],
        ] as const) {
          await assert.rejects(ask(), (error) => {
            assert.ok(error instanceof ApiError);
            assert.equal(error.status, status);
            assert.match(error.message, new RegExp(words));
            return true;
          });
        }
        await assert.rejects(ask(clientOf(server, "another")), /API_KEY_INVALID/);
      },
      { keys: KEYS },
    );
  });
});
