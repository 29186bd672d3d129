/** Usage with an impossible number of tokens but plausible sums: the provider's own report reveals it. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, type TestContext, test } from "node:test";
import { impossibleTokens, plausibleUsage } from "../../../../src/child/wire/reply/usage.ts";
import type { ApiMode } from "../../../../src/route.ts";
import { accessOf, createWireStage, wireRoute } from "../../../support/wire-stage.ts";

const ASKED = { inputTokens: 500, outputTokens: 4_000, saidTokens: 0, heardCharacters: 20 };

const events = (...data: object[]) => data.map((each) => `data: ${JSON.stringify(each)}\n\n`).join("");

/** An answer of each API with this usage. */
const ANSWER: Partial<Record<ApiMode, (usage: object) => string>> = {
  anthropic_messages: (usage) =>
    events(
      { type: "message_start", message: { id: "m", model: "m", role: "assistant", content: [], usage } },
      { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
      { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "yes" } },
      { type: "content_block_stop", index: 0 },
      { type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 50 } },
      { type: "message_stop" },
    ),
  gemini: (usageMetadata) =>
    events({
      candidates: [{ content: { role: "model", parts: [{ text: "yes" }] }, finishReason: "STOP", index: 0 }],
      usageMetadata,
    }),
  chat_completions: (usage) =>
    events({ id: "c", choices: [{ index: 0, delta: { content: "yes" }, finish_reason: "stop" }], usage }),
  responses: (usage) =>
    events(
      { type: "response.created", response: { id: "r", created_at: 0, model: "m" } },
      { type: "response.output_item.added", output_index: 0, item: { type: "message", id: "i" } },
      { type: "response.output_text.delta", item_id: "i", delta: "yes" },
      { type: "response.output_item.done", output_index: 0, item: { type: "message", id: "i" } },
      { type: "response.completed", response: { usage } },
    ),
};

/** The usage of one answer as it would count. */
async function countedOf(context: TestContext, mode: ApiMode, usage: object) {
  const server = createServer((_, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" }).end(ANSWER[mode]?.(usage));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const stage = await createWireStage(() => ({ text: "unused" }));
  context.after(async () => {
    await stage.close();
    server.close();
  });
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { reply } = await stage.ask(mode, {
    route: wireRoute(`${origin}/v1`, mode),
    access: accessOf(origin, mode),
  });
  assert.ok(reply.ok, JSON.stringify(reply));
  assert.ok(reply.usage, "a usage is reported");
  return plausibleUsage(reply.usage, ASKED);
}

const HIDDEN: [ApiMode, object][] = [
  ["anthropic_messages", { input_tokens: 1_500, cache_creation_input_tokens: -1_499, output_tokens: 1 }],
  ["anthropic_messages", { input_tokens: -1_499, cache_read_input_tokens: 1_500, output_tokens: 1 }],
  ["gemini", { promptTokenCount: 1_500, toolUsePromptTokenCount: -1_499, candidatesTokenCount: 50 }],
  ["gemini", { promptTokenCount: 1_500, candidatesTokenCount: -500, thoughtsTokenCount: 501 }],
  ["chat_completions", { prompt_tokens: 5, completion_tokens: 5, prompt_tokens_details: { audio_tokens: -95 } }],
  ["chat_completions", { prompt_tokens: 5, completion_tokens: 5, completion_tokens_details: { audio_tokens: "nine" } }],
  ["responses", { input_tokens: 5, output_tokens: 5, output_tokens_details: { reasoning_tokens: -500 } }],
];

const HONEST: [ApiMode, object][] = [
  ["anthropic_messages", { input_tokens: 20, cache_creation_input_tokens: 480, output_tokens: 1, service_tier: "x" }],
  ["gemini", { promptTokenCount: 500, candidatesTokenCount: 40, thoughtsTokenCount: 10, trafficType: "ON_DEMAND" }],
  ["chat_completions", { prompt_tokens: 500, completion_tokens: 50, prompt_tokens_details: null, queue_time: -1 }],
  ["responses", { input_tokens: 500, output_tokens: 50, output_tokens_details: { reasoning_tokens: 10 } }],
  ["anthropic_messages", { input_tokens: "500", output_tokens: "1" }],
  ["gemini", { promptTokenCount: "500", candidatesTokenCount: "50" }],
  ["chat_completions", { prompt_tokens: "500", completion_tokens: "50" }],
  ["responses", { input_tokens: "500", output_tokens: "50", output_tokens_details: { reasoning_tokens: "10" } }],
];

describe("a usage with a number of tokens that cannot be is not counted", () => {
  for (const [mode, usage] of HIDDEN)
    test(`${mode}: ${JSON.stringify(usage)}`, async (context) => {
      assert.equal(await countedOf(context, mode, usage), undefined);
    });
});

describe("an honest usage of many parts is counted", () => {
  for (const [mode, usage] of HONEST)
    test(`${mode}: ${JSON.stringify(usage)}`, async (context) => {
      const counted = await countedOf(context, mode, usage);
      assert.deepEqual([counted?.input, counted?.output], [500, 50]);
    });
});

test("what is no number of tokens may be anything: times, prices, tiers, rates", () => {
  const report = {
    prompt_tokens: 5,
    prompt_tokens_details: [{ modality: "TEXT", tokenCount: 5 }],
    tokens_per_second: 45.3,
    cost: -0.1,
    queue_time: Number.NaN,
    service_tier: "standard",
  };
  assert.equal(impossibleTokens(report), undefined);
});
