/** The scripted server acts as vendors: what they reject, how they answer and how they fail. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import Anthropic from "@anthropic-ai/sdk";
import { GoogleGenAI } from "@google/genai";
import OpenAI, { AzureOpenAI } from "openai";
import type { ApiMode } from "../../src/route.ts";
import type { DialectName, Fault, ModelServer, Turn } from "../../src/testing/index.ts";
import { ask, withServer } from "./asking.ts";

const KEY = "key-of-the-test";
const KEYS = { TEST_KEY: KEY };
const parameters = { type: "object", properties: { city: { type: "string" } } };
const tools: OpenAI.ChatCompletionFunctionTool[] = [{ type: "function", function: { name: "weather", parameters } }];
const LOOK: Turn = {
  reasoning: "I should look.",
  toolCalls: [
    { name: "weather", input: { city: "Rome" } },
    { name: "weather", input: { city: "Oslo" } },
  ],
  usage: { input: 100, output: 50, cached: 30, reasoning: 20 },
};

const openai = (server: ModelServer) =>
  new OpenAI({ apiKey: KEY, baseURL: server.baseUrl("chat_completions"), maxRetries: 0 });

async function chunksFrom(server: ModelServer) {
  const messages = [{ role: "user" as const, content: "Weather?" }];
  const options = { model: "m", messages, tools, stream: true, stream_options: { include_usage: true } } as const;
  const chunks: OpenAI.ChatCompletionChunk[] = [];
  for await (const chunk of await openai(server).chat.completions.create(options)) chunks.push(chunk);
  return chunks;
}

// Answers -------------------------------------------------------------------------------------------------------------

type Shape = { dialect: DialectName; shows: (chunks: OpenAI.ChatCompletionChunk[], json: string) => void };

const id = (chunks: OpenAI.ChatCompletionChunk[]) =>
  chunks.flatMap(({ choices }) => choices[0]?.delta.tool_calls ?? []).find((call) => call.id)?.id ?? "";

const SHAPES: readonly Shape[] = [
  {
    dialect: "mistral",
    shows: (chunks, json) => {
      assert.match(id(chunks), /^[a-zA-Z0-9]{9}$/);
      assert.match(json, /"content":\[\{"type":"thinking"/);
      assert.equal(chunks.at(-1)?.usage?.total_tokens, 150, "usage is in the chunk that names the finish");
      assert.equal(chunks.at(-1)?.choices[0]?.finish_reason, "tool_calls");
    },
  },
  {
    dialect: "kimi",
    shows: (chunks, json) => {
      assert.equal(id(chunks), "weather:0");
      assert.match(json, /"finish_reason":"tool_calls","usage":\{"prompt_tokens":100/);
      assert.match(json, /"cached_tokens":30/);
    },
  },
  {
    dialect: "deepseek",
    shows: (_, json) => assert.match(json, /"prompt_cache_hit_tokens":30,"prompt_cache_miss_tokens":70/),
  },
  { dialect: "groq", shows: (_, json) => assert.match(json, /"reasoning":"I s.*"x_groq":\{"id":"[^"]+","usage"/) },
  {
    dialect: "openrouter",
    shows: (_, json) => {
      assert.match(json, /"reasoning_details":\[\{"type":"reasoning.text"/);
      assert.match(json, /"type":"reasoning.encrypted","data":"/);
    },
  },
  { dialect: "minimax", shows: (_, json) => assert.match(json, /<think>I.*<\/think>/) },
  {
    dialect: "gemini",
    shows: (_, json) => assert.equal(json.match(/thought_signature/g)?.length, 1, "the first of the calls is signed"),
  },
  { dialect: "openai", shows: (_, json) => assert.doesNotMatch(json, /I should look/) },
  {
    dialect: "ollama",
    shows: (_, json) => {
      assert.match(json, /"reasoning":"I s/);
      assert.match(json, /"usage":\{"prompt_tokens":100,"completion_tokens":50,"total_tokens":150\}/);
    },
  },
  {
    dialect: "sglang",
    shows: (_, json) => {
      assert.match(json, /\{"id":null,"index":0,"type":"function","function":\{"name":null,"arguments":"/);
      assert.match(json, /"total_tokens":150,"reasoning_tokens":20\}/);
    },
  },
  {
    dialect: "tgi",
    shows: (chunks, json) => {
      assert.equal(id(chunks), "0");
      assert.match(json, /\{"index":1,"id":"1","type":"function","function":\{"name":null,"arguments":"/);
      assert.match(json, /"finish_reason":"stop"/);
    },
  },
  { dialect: "alibaba", shows: (_, json) => assert.match(json, /\{"index":0,"id":"","type":"function"/) },
];

describe("acting as a vendor, the server answers in its form", () => {
  for (const { dialect, shows } of SHAPES)
    it(`of ${dialect}`, () =>
      withServer(
        LOOK,
        async (server) => {
          const chunks = await chunksFrom(server);
          shows(chunks, JSON.stringify(chunks));
        },
        { dialect },
      ));

  it("of DeepSeek in Anthropic's format, without signatures", () =>
    withServer(
      LOOK,
      async (server) => {
        const client = new Anthropic({ apiKey: KEY, baseURL: server.baseUrl("anthropic_messages"), maxRetries: 0 });
        const messages = [{ role: "user" as const, content: "Weather?" }];
        const answer = await client.messages.stream({ model: "m", max_tokens: 4_000, messages }).finalMessage();
        assert.deepEqual(answer.content[0], { type: "thinking", thinking: "I should look.", signature: "" });
      },
      { dialect: "deepseek" },
    ));

  it("of a whole answer, too", () =>
    withServer(
      { ...LOOK, text: "Looking.", toolCalls: [] },
      async (server) => {
        const messages = [{ role: "user" as const, content: "Weather?" }];
        const answer = await openai(server).chat.completions.create({ model: "m", messages });
        assert.equal(answer.choices[0]?.message.content, "<think>I should look.</think>\n\nLooking.");
      },
      { dialect: "minimax" },
    ));
});

// Rejections ----------------------------------------------------------------------------------------------------------

const user = { role: "user", content: "Hello" };
const call = { id: "call_1", type: "function", function: { name: "weather", arguments: "{}" } };
const calling = { role: "assistant", content: "", tool_calls: [call] };
const result = { role: "tool", tool_call_id: "call_1", content: "sunny" };
const shortCall = { ...calling, tool_calls: [{ ...call, id: "abcdefgh1" }] };
const shortResult = { ...result, tool_call_id: "abcdefgh1" };
const weather = (schema: object) => [{ type: "function", function: { name: "weather", parameters: schema } }];

type Rejected = {
  dialect: DialectName;
  mode?: ApiMode;
  model?: string;
  fields: Record<string, unknown>;
  says: RegExp;
  /** The closest request that it accepts. */
  accepts: Record<string, unknown>;
};

const REJECTED: readonly Rejected[] = [
  {
    dialect: "openai",
    model: "gpt-5.2",
    fields: { max_tokens: 100 },
    says: /'max_tokens' is not supported .* Use 'max_completion_tokens'/,
    accepts: { max_completion_tokens: 100 },
  },
  {
    dialect: "mistral",
    fields: { max_completion_tokens: 100 },
    says: /max_completion_tokens: Extra inputs are not permitted/,
    accepts: { max_tokens: 100 },
  },
  {
    dialect: "mistral",
    fields: { messages: [user, shortCall, shortResult, user] },
    says: /Unexpected role 'user' after role 'tool'/,
    accepts: { messages: [user, shortCall, shortResult, { role: "assistant", content: "Sunny." }, user] },
  },
  {
    dialect: "mistral",
    fields: { messages: [user, calling, result] },
    says: /call_1 but must be a-z, A-Z, 0-9, with a length of 9/,
    accepts: { messages: [user, shortCall, shortResult] },
  },
  {
    dialect: "deepseek",
    fields: { messages: [user, { ...calling, reasoning_content: "" }, result] },
    says: /Missing `reasoning_content`/,
    accepts: { messages: [user, { ...calling, reasoning_content: "Hm." }, result] },
  },
  {
    dialect: "kimi",
    fields: { messages: [user, calling, result] },
    says: /reasoning_content is missing in assistant tool call message at index 1/,
    accepts: { messages: [user, { ...calling, reasoning_content: "" }, result] },
  },
  {
    dialect: "kimi",
    fields: { tools: weather({ type: "object", anyOf: [{ required: ["city"] }] }) },
    says: /moonshot flavored json schema/,
    accepts: { tools: weather(parameters) },
  },
  {
    dialect: "gemini",
    fields: { tools: weather({ type: "object", properties: { days: { type: "integer", exclusiveMinimum: 0 } } }) },
    says: /Unknown name .*exclusiveMinimum/,
    accepts: { tools: weather({ type: "object", properties: { days: { type: "integer", minimum: 1 } } }) },
  },
  {
    dialect: "groq",
    fields: { messages: [user, { role: "assistant", content: "Hi", reasoning_content: "Hm." }, user] },
    says: /property 'reasoning_content' is unsupported/,
    accepts: { messages: [user, { role: "assistant", content: "Hi", reasoning: "Hm." }, user] },
  },
  {
    dialect: "cerebras",
    fields: { enable_thinking: true },
    says: /enable_thinking/,
    accepts: { reasoning_effort: "low" },
  },
  {
    dialect: "vllm",
    model: "google/gemma-4-31b-it",
    fields: { messages: [user, user] },
    says: /roles must alternate/,
    accepts: { messages: [user], chat_template_kwargs: {} },
  },
  {
    dialect: "ollama",
    fields: {
      messages: [
        user,
        { ...calling, tool_calls: [{ ...call, function: { name: "weather", arguments: "{" } }] },
        result,
      ],
    },
    says: /"message":"invalid tool call arguments","type":"invalid_request_error"/,
    accepts: { messages: [user, calling, result] },
  },
  {
    dialect: "sglang",
    fields: {
      messages: [
        user,
        { ...calling, tool_calls: [{ ...call, function: { name: "weather", arguments: '"x"' } }] },
        result,
      ],
    },
    says: /^\{"object":"error","message":"Assistant tool call function.arguments must be a JSON object/,
    accepts: { messages: [user, { ...calling, content: null }, result] },
  },
  {
    dialect: "tgi",
    fields: { messages: [user, { role: "assistant", content: null }, user] },
    says: /messages\[1\]: data did not match any variant of untagged enum MessageBody","error_type":"validation"/,
    accepts: { messages: [user, { role: "assistant", content: "" }, user] },
  },
  {
    dialect: "openai",
    mode: "responses",
    model: "gpt-4.1",
    fields: { include: ["reasoning.encrypted_content"] },
    says: /Encrypted content is not supported with this model/,
    accepts: { include: [] },
  },
  {
    dialect: "openai",
    mode: "responses",
    model: "gpt-5.2",
    fields: { store: false, input: [user, { type: "reasoning", id: "rs_1", summary: [] }, user] },
    says: /'rs_1' not found. Items are not persisted/,
    accepts: { store: false, input: [user, user] },
  },
  {
    dialect: "anthropic",
    mode: "anthropic_messages",
    fields: { messages: [user, { role: "assistant", content: [{ type: "thinking", thinking: "Hm." }] }, user] },
    says: /signature: Field required/,
    accepts: { messages: [user, { role: "assistant", content: [{ type: "text", text: "Hi" }] }, user] },
  },
];

describe("acting as a vendor, the server rejects what it rejects", () => {
  for (const { dialect, mode = "chat_completions", model = "m", fields, says, accepts } of REJECTED)
    it(`${dialect}: ${says.source}`, () =>
      withServer(
        { text: "Hi." },
        async (server) => {
          const rejected = await ask(server, mode, { model, fields });
          assert.ok(rejected.status >= 400, `${rejected.status}`);
          assert.match(await rejected.text(), says);
          const accepted = await ask(server, mode, { model, fields: accepts });
          assert.equal(accepted.status, 200, await accepted.text());
        },
        { dialect },
      ));
});

// Errors --------------------------------------------------------------------------------------------------------------

const FAILURES: readonly (readonly [DialectName, Fault, status: number, body: RegExp])[] = [
  ["deepseek", { kind: "quota-exhausted" }, 402, /^\{"error":\{"message":"Insufficient Balance"/],
  ["deepseek", { kind: "refused", as: "error" }, 400, /Content Exists Risk/],
  ["mistral", { kind: "context-overflow" }, 400, /^\{"object":"error","message":"Prompt contains 140000 tokens/],
  ["cerebras", { kind: "quota-exhausted" }, 429, /^\{"message":"Tokens per day limit exceeded/],
  ["zai", { kind: "context-overflow" }, 400, /^\{"error":\{"code":"1261","message":"Prompt exceeds max length"\}\}$/],
  [
    "openrouter",
    { kind: "quota-exhausted" },
    402,
    /^\{"error":\{"code":402,"message":"This request requires more credits/,
  ],
  ["xai", { kind: "refused", as: "error" }, 403, /^\{"code":"[^"]+","error":"Content violates usage guidelines/],
  ["gemini", { kind: "quota-exhausted" }, 429, /^\[\{"error":\{"code":429,.*RequestsPerDay/],
  ["lmstudio", { kind: "context-overflow" }, 400, /^\{"error":"Trying to keep the first 9000 tokens/],
  ["llamacpp", { kind: "context-overflow" }, 400, /"type":"exceed_context_size_error","n_prompt_tokens":9000/],
  ["ollama", { kind: "quota-exhausted" }, 429, /session usage limit.*"type":"api_error"/],
  ["sglang", { kind: "overloaded" }, 503, /^\{"object":"error","message":"The request queue is full/],
  ["tgi", { kind: "context-overflow" }, 422, /^\{"error":"Input validation error: .*"error_type":"validation"\}$/],
  ["alibaba", { kind: "refused", as: "error" }, 400, /data_inspection_failed.*"request_id"/],
  ["kimi", { kind: "overloaded", status: 502 }, 502, /server had an error/],
];

describe("acting as a vendor, the server fails in its words", () => {
  for (const [dialect, fault, status, body] of FAILURES)
    it(`${dialect}: ${fault.kind}`, () =>
      withServer(
        { fault },
        async (server) => {
          const response = await ask(server, "chat_completions");
          assert.equal(response.status, status);
          assert.match(await response.text(), body);
        },
        { dialect },
      ));

  for (const [dialect, frame] of [
    ["sglang", /data: \{"error":\{"object":"error"/],
    ["tgi", /data: \{"error":\{"message":"[^"]+","http_status_code":422\}\}/],
  ] as const)
    it(`${dialect}: in the middle of a stream`, () =>
      withServer(
        { text: "Half of it.", fault: { kind: "error-event" } },
        async (server) => {
          const response = await ask(server, "chat_completions", { stream: true });
          assert.match(await response.text(), frame);
        },
        { dialect },
      ));

  it("sends a word for the end as the script has it", () =>
    withServer(
      { text: "Hal", finishReason: "insufficient_system_resource" },
      async (server) => {
        const chunks = await chunksFrom(server);
        assert.ok(chunks.some(({ choices }) => String(choices[0]?.finish_reason) === "insufficient_system_resource"));
      },
      { dialect: "deepseek" },
    ));
});

// Clouds --------------------------------------------------------------------------------------------------------------

describe("acting as a cloud", () => {
  it("Azure takes its own header at a deployment's path, with a version", () =>
    withServer(
      { text: "Hello." },
      async (server) => {
        const client = new AzureOpenAI({
          apiKey: KEY,
          endpoint: server.url,
          apiVersion: "2024-10-21",
          deployment: "mine",
          maxRetries: 0,
        });
        const messages = [{ role: "user" as const, content: "Hello." }];
        const answer = await client.chat.completions.create({ model: "mine", messages });
        assert.equal(answer.choices[0]?.message.content, "Hello.");
        assert.equal(server.requests[0]?.keyName, "TEST_KEY");
        const unversioned = await fetch(`${server.url}/openai/deployments/mine/chat/completions`, { method: "POST" });
        assert.equal(unversioned.status, 404);
      },
      { dialect: "azure", keys: KEYS },
    ));

  it("Vertex serves Gemini at a publisher's path", () =>
    withServer(
      { text: "Hello." },
      async (server) => {
        const client = new GoogleGenAI({ vertexai: true, apiKey: KEY, httpOptions: { baseUrl: server.url } });
        const answer = await client.models.generateContent({ model: "gemini-3.8-flash", contents: "Hello." });
        assert.equal(answer.text, "Hello.");
        assert.match(server.requests[0]?.path ?? "", /\/publishers\/google\/models\/gemini-3\.8-flash:generateContent/);
      },
      { dialect: "vertex", keys: KEYS },
    ));

  const converse = (server: ModelServer, authorization: string, more: Record<string, string> = {}) =>
    fetch(`${server.url}/model/anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse`, {
      method: "POST",
      headers: { authorization, ...more },
      body: JSON.stringify({ messages: [{ role: "user", content: [{ text: "Hello." }] }] }),
    });

  it("Bedrock takes a bearer token, or a signature with its date", () =>
    withServer(
      { text: "Hello." },
      async (server) => {
        const scope = "20260101/eu-central-1/bedrock/aws4_request";
        const signed = `AWS4-HMAC-SHA256 Credential=${KEY}/${scope}, SignedHeaders=host;x-amz-date, Signature=${"0".repeat(64)}`;
        const answers = [
          await converse(server, `Bearer ${KEY}`),
          await converse(server, signed, { "x-amz-date": "20260101T000000Z" }),
          await converse(server, signed),
        ];
        assert.deepEqual(
          answers.map(({ status }) => status),
          [200, 200, 403],
        );
        const body = JSON.parse((await answers[0]?.text()) ?? "");
        assert.deepEqual([body.output.message.content, body.stopReason], [[{ text: "Hello." }], "end_turn"]);
        assert.equal(server.requests[0]?.model, "anthropic.claude-sonnet-4-5-20250929-v1:0");
      },
      { dialect: "bedrock", keys: KEYS },
    ));
});

describe("a dialect", () => {
  it("may be chosen for each request", () =>
    withServer(
      { fault: { kind: "context-overflow" } },
      async (server) => {
        const post = (prefix: string) =>
          fetch(`${server.baseUrl("chat_completions", prefix)}/chat/completions`, {
            method: "POST",
            body: JSON.stringify({ model: "m", messages: [{ role: "user", content: "Hello." }] }),
          }).then((response) => response.text());
        assert.match(await post("/zai"), /1261/);
        assert.match(await post("/mine"), /context_length_exceeded/);
      },
      { dialect: ({ path }) => (path.startsWith("/zai/") ? "zai" : undefined) },
    ));

  it("serves no API that its vendor does not offer", () =>
    withServer(
      { text: "Hi." },
      async (server) => {
        const answers = [await ask(server, "chat_completions"), await ask(server, "gemini")];
        assert.deepEqual(
          answers.map(({ status }) => status),
          [200, 404],
        );
      },
      { dialect: "mistral" },
    ));
});
