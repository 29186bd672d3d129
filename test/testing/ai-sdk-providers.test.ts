/** The provider packages under Deputy's wire work with the scripted server, in every mode. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createAnthropic } from "@ai-sdk/anthropic";
import { createGoogle } from "@ai-sdk/google";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import {
  APICallError,
  type LanguageModelV4,
  type LanguageModelV4CallOptions,
  type LanguageModelV4Message,
  type LanguageModelV4StreamPart,
} from "@ai-sdk/provider";
import type { ApiMode } from "../../src/route.ts";
import type { ModelRequest, ModelServer, Turn } from "../../src/testing/index.ts";
import { gathered, withServer } from "./asking.ts";

const KEY = "key-of-the-test";

type Provider = {
  name: string;
  apiMode: ApiMode;
  model: string;
  create(server: ModelServer, apiKey: string, model: string): LanguageModelV4;
  /** Fields that this package drops although the server sent them. */
  drops?: readonly ("reasoning" | "served model")[];
};

const PROVIDERS: Provider[] = [
  {
    name: "@ai-sdk/openai-compatible",
    apiMode: "chat_completions",
    model: "glm-4.7",
    create: (server, apiKey, model) =>
      createOpenAICompatible({
        name: "scripted",
        apiKey,
        baseURL: server.baseUrl("chat_completions"),
        includeUsage: true,
      })(model),
  },
  {
    name: "@ai-sdk/openai, Chat Completions",
    apiMode: "chat_completions",
    model: "gpt-5",
    create: (server, apiKey, model) =>
      createOpenAI({ apiKey, baseURL: server.baseUrl("chat_completions") }).chat(model),
    drops: ["reasoning"],
  },
  {
    name: "@ai-sdk/openai, Responses",
    apiMode: "responses",
    model: "gpt-5",
    create: (server, apiKey, model) => createOpenAI({ apiKey, baseURL: server.baseUrl("responses") }).responses(model),
  },
  {
    name: "@ai-sdk/anthropic",
    apiMode: "anthropic_messages",
    model: "claude-opus-4-6",
    create: (server, apiKey, model) =>
      createAnthropic({ apiKey, baseURL: `${server.baseUrl("anthropic_messages")}/v1` })(model),
  },
  {
    name: "@ai-sdk/google",
    apiMode: "gemini",
    model: "gemini-3-pro-preview",
    create: (server, apiKey, model) => createGoogle({ apiKey, baseURL: server.baseUrl("gemini") })(model),
    drops: ["served model"],
  },
];

const tools: NonNullable<LanguageModelV4CallOptions["tools"]> = [
  {
    type: "function",
    name: "weather",
    description: "The weather in a city",
    inputSchema: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  },
];

const QUESTION: LanguageModelV4Message[] = [
  { role: "system", content: "Be brief." },
  { role: "user", content: [{ type: "text", text: "Weather?" }] },
];

/** Requests the weather in two cities, then answers with it. */
function weatherScript({ messages }: ModelRequest): Turn {
  const results = messages.at(-1)?.toolResults ?? [];
  if (results.length > 0) {
    return {
      text: results.map(({ text }) => text).join(", "),
      usage: { input: 100, output: 50, cached: 30, reasoning: 20 },
    };
  }
  const toolCalls = ["Rome", "Oslo"].map((city) => ({ name: "weather", input: { city } }));
  return { reasoning: "I should look it up.", text: "Let me see.", toolCalls };
}

async function stream(model: LanguageModelV4, options: LanguageModelV4CallOptions) {
  const parts = await gathered((await model.doStream(options)).stream);
  const failed = parts.find((part) => part.type === "error");
  assert.equal(failed, undefined);
  return parts;
}

type AssistantContent = Extract<LanguageModelV4Message, { role: "assistant" }>["content"];

/** The answer as it is sent back, with its parts' provider metadata. */
function answerIn(parts: LanguageModelV4StreamPart[]): AssistantContent {
  const content: AssistantContent = [];
  const open = new Map<string, Extract<AssistantContent[number], { type: "text" | "reasoning" }>>();
  for (const part of parts) {
    if (part.type === "text-start" || part.type === "reasoning-start") {
      const begun = { type: part.type === "text-start" ? ("text" as const) : ("reasoning" as const), text: "" };
      open.set(part.id, begun);
      content.push(begun);
    }
    if (part.type === "text-delta" || part.type === "reasoning-delta") {
      const begun = open.get(part.id);
      if (begun) begun.text += part.delta;
    }
    if ("id" in part && "providerMetadata" in part && part.providerMetadata) {
      const begun = open.get(String(part.id));
      if (begun) begun.providerOptions = { ...begun.providerOptions, ...part.providerMetadata };
    }
    if (part.type === "tool-call") {
      const { toolCallId, toolName, input, providerMetadata } = part;
      content.push({
        type: "tool-call",
        toolCallId,
        toolName,
        input: JSON.parse(input),
        ...(providerMetadata && { providerOptions: providerMetadata }),
      });
    }
  }
  return content;
}

function resultsOf(content: AssistantContent): LanguageModelV4Message {
  const calls = content.filter((part) => part.type === "tool-call");
  return {
    role: "tool",
    content: calls.map(({ toolCallId, toolName, input }) => ({
      type: "tool-result",
      toolCallId,
      toolName,
      output: { type: "text", value: `${(input as { city: string }).city} is sunny` },
    })),
  };
}

for (const { name, model: modelId, apiMode, create, drops = [] } of PROVIDERS) {
  describe(name, () => {
    it("streams a conversation with reasoning and two tool calls", async () => {
      await withServer(
        weatherScript,
        async (server) => {
          const model = create(server, KEY, modelId);
          const settings: LanguageModelV4CallOptions = {
            prompt: QUESTION,
            tools,
            maxOutputTokens: 8000,
            reasoning: "high",
          };
          const first = await stream(model, settings);
          const answer = answerIn(first);
          assert.equal(textIn(answer, "reasoning"), drops.includes("reasoning") ? "" : "I should look it up.");
          assert.equal(textIn(answer, "text"), "Let me see.");
          assert.deepEqual(
            answer.flatMap((part) => (part.type === "tool-call" ? [part.input] : [])),
            [{ city: "Rome" }, { city: "Oslo" }],
          );
          assert.equal(finishOf(first).finishReason.unified, "tool-calls");

          const prompt: LanguageModelV4Message[] = [
            ...QUESTION,
            { role: "assistant", content: answer },
            resultsOf(answer),
          ];
          const second = await stream(model, { ...settings, prompt });
          assert.equal(textIn(answerIn(second), "text"), "Rome is sunny, Oslo is sunny");
          const { usage, finishReason } = finishOf(second);
          assert.equal(finishReason.unified, "stop");
          assert.equal(usage.inputTokens.total, 100);
          assert.equal(usage.inputTokens.cacheRead, 30);
          assert.equal(usage.outputTokens.total, 50);
          const served = second.find((part) => part.type === "response-metadata");
          assert.equal(served?.modelId, drops.includes("served model") ? undefined : modelId);

          const request = server.requests.at(-1);
          assert.equal(request?.apiMode, apiMode);
          assert.equal(request?.keyName, "TEST_KEY");
          assert.equal(request?.system, "Be brief.");
          assert.equal(request?.maxTokens, 8000);
          assert.equal(request?.effort, "high");
          assert.deepEqual(
            request?.messages.map(({ role }) => role),
            ["user", "assistant", "tool"],
          );
          assert.deepEqual(
            request?.tools.map((tool) => tool.name),
            ["weather"],
          );
        },
        { keys: { TEST_KEY: KEY } },
      );
    });

    it("reports an error with its status, headers and the vendor's words", async () => {
      const script = ({ index }: ModelRequest): Turn => ({
        fault: index === 0 ? { kind: "rate-limited", retryAfter: 3 } : { kind: "context-overflow" },
      });
      await withServer(script, async (server) => {
        const model = create(server, KEY, modelId);
        const ask = async () => model.doStream({ prompt: QUESTION });
        await assert.rejects(ask, (error) => {
          assert.ok(APICallError.isInstance(error));
          assert.equal(error.statusCode, 429);
          assert.equal(error.responseHeaders?.["retry-after"], "3");
          return true;
        });
        await assert.rejects(ask, (error) => {
          assert.ok(APICallError.isInstance(error));
          assert.equal(error.statusCode, 400);
          assert.match(error.message, /too long|maximum|context/);
          return true;
        });
      });
    });

    it("gets a whole answer", async () => {
      await withServer({ text: "Hello there." }, async (server) => {
        const { content } = await create(server, KEY, modelId).doGenerate({ prompt: QUESTION });
        assert.deepEqual(
          content.flatMap((part) => (part.type === "text" ? [part.text] : [])),
          ["Hello there."],
        );
      });
    });
  });
}

function textIn(content: AssistantContent, type: "text" | "reasoning"): string {
  return content.flatMap((part) => (part.type === type ? [part.text] : [])).join("");
}

function finishOf(parts: LanguageModelV4StreamPart[]) {
  const finish = parts.find((part) => part.type === "finish");
  assert.ok(finish);
  return finish;
}
