/** Finish reasons: every known one in its mode, and the handling of unknown ones. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { FINISH_REASONS, type FinishMeaning } from "../../../../src/child/wire/dialect/finish-reasons.ts";
import type { Reply } from "../../../../src/child/wire/reply/reply.ts";
import { API_MODES, type ApiMode } from "../../../../src/route.ts";
import { createWireStage, MODEL_OF, type WireStage } from "../../../support/wire-stage.ts";

type StreamEnd = { word: string | null; native?: string; isCut?: boolean; call?: true };

/** A whole answer of each mode that ends with a finish reason, as its vendor sends it. */
const STREAMS: Record<ApiMode, (end: StreamEnd) => object[]> = {
  chat_completions: ({ word, native, isCut, call }) => {
    const chunk = (delta: object, reason: string | null) => ({
      model: MODEL_OF.chat_completions,
      choices: [{ index: 0, delta, finish_reason: reason, native_finish_reason: native }],
    });
    const tool = { index: 0, id: "c1", type: "function", function: { name: "look", arguments: "{}" } };
    const usage = { choices: [], usage: { prompt_tokens: 9, completion_tokens: 5, total_tokens: 14 } };
    return [
      chunk(call ? { tool_calls: [tool] } : { content: "The Rhine" }, null),
      chunk({}, word),
      ...(isCut ? [] : [usage]),
    ];
  },
  anthropic_messages: ({ word, call }) => [
    {
      type: "message_start",
      message: {
        id: "m",
        type: "message",
        role: "assistant",
        model: MODEL_OF.anthropic_messages,
        content: [],
        usage: { input_tokens: 9, output_tokens: 1 },
      },
    },
    ...(call
      ? [
          {
            type: "content_block_start",
            index: 0,
            content_block: { type: "tool_use", id: "c1", name: "look", input: {} },
          },
        ]
      : [
          { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
          { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "The Rhine" } },
        ]),
    { type: "content_block_stop", index: 0 },
    { type: "message_delta", delta: { stop_reason: word, stop_sequence: null }, usage: { output_tokens: 5 } },
    { type: "message_stop" },
  ],
  gemini: ({ word }) => [
    { candidates: [{ content: { role: "model", parts: [{ text: "The Rhine" }] } }], modelVersion: MODEL_OF.gemini },
    {
      candidates: [{ content: { role: "model", parts: [] }, finishReason: word?.toUpperCase() }],
      usageMetadata: { promptTokenCount: 9, candidatesTokenCount: 5, totalTokenCount: 14 },
      modelVersion: MODEL_OF.gemini,
    },
  ],
  responses: ({ word }) => {
    const response = { id: "r", object: "response", created_at: 1, model: MODEL_OF.responses, output: [] };
    const usage = {
      input_tokens: 9,
      output_tokens: 5,
      total_tokens: 14,
      input_tokens_details: { cached_tokens: 0 },
      output_tokens_details: { reasoning_tokens: 0 },
    };
    const message = { id: "m", type: "message", role: "assistant", content: [] };
    return [
      { type: "response.created", response: { ...response, status: "in_progress" } },
      { type: "response.output_item.added", output_index: 0, item: { ...message, status: "in_progress" } },
      { type: "response.output_text.delta", item_id: "m", output_index: 0, content_index: 0, delta: "The Rhine" },
      {
        type: "response.output_item.done",
        output_index: 0,
        item: {
          ...message,
          status: "completed",
          content: [{ type: "output_text", text: "The Rhine", annotations: [] }],
        },
      },
      {
        type: "response.incomplete",
        response: { ...response, status: "incomplete", incomplete_details: { reason: word }, usage },
      },
    ];
  },
};

/** The end of a reply, as it reports it. */
function meaningOf(reply: Reply): FinishMeaning {
  return reply.ok ? reply.finish : (reply.failure.kind as FinishMeaning);
}

describe("the word that ends an answer", () => {
  let events: object[] = [];
  let isDone = true;
  let stage: WireStage;
  before(async () => {
    stage = await createWireStage(() => {
      const lines = events.map(
        (event) => `${"type" in event ? `event: ${event.type}\n` : ""}data: ${JSON.stringify(event)}\n\n`,
      );
      const body = lines.join("") + (isDone ? "data: [DONE]\n\n" : "");
      return { fault: { kind: "response", status: 200, headers: { "content-type": "text/event-stream" }, body } };
    });
  });
  after(() => stage.close());

  async function reply(apiMode: ApiMode, end: StreamEnd): Promise<Reply> {
    events = STREAMS[apiMode](end);
    isDone = apiMode === "chat_completions" && end.isCut !== true;
    return (await stage.ask(apiMode)).reply;
  }

  for (const apiMode of API_MODES)
    for (const [word, { means }] of Object.entries(FINISH_REASONS[apiMode]))
      test(`${word} of ${apiMode} means ${means}`, async () => {
        assert.equal(meaningOf(await reply(apiMode, { word, ...(means === "tool-calls" && { call: true }) })), means);
      });

  test("is read in any case, also where a chat endpoint passes on Gemini's words", async () => {
    assert.equal(meaningOf(await reply("chat_completions", { word: "STOP" })), "stop");
    assert.equal(meaningOf(await reply("chat_completions", { word: "MAX_TOKENS" })), "length");
    assert.equal(meaningOf(await reply("chat_completions", { word: "SAFETY" })), "refused");
  });

  test("that nobody knows is accepted where the answer is complete, with a warning that names it", async () => {
    for (const apiMode of API_MODES.filter((apiMode) => apiMode !== "responses")) {
      const read = await reply(apiMode, { word: "wharrgarbl" });
      assert.ok(read.ok, apiMode);
      assert.equal(read.finish, "stop");
      assert.deepEqual(
        read.warnings.map(({ code, message }) => [code, /wharrgarbl/i.test(message)]),
        [["finish-unknown", true]],
      );
    }
    const called = await reply("chat_completions", { word: "wharrgarbl", call: true });
    assert.ok(called.ok);
    assert.equal(called.finish, "tool-calls");
  });

  test("means a cut, a refusal or a fault even where it is not known to be used", async () => {
    const words = {
      length: ["context_length_exceeded", "max_context_length", "token_limit", "TRUNCATED"],
      refused: ["content_policy", "moderation_stop", "risk"],
      overloaded: ["server_error", "upstream_unavailable", "engine_overloaded"],
      "malformed-response": ["function_call_filter: MALFORMED_FUNCTION_CALL"],
    };
    for (const [meaning, list] of Object.entries(words))
      for (const word of list) assert.equal(meaningOf(await reply("chat_completions", { word })), meaning, word);
  });

  test("of a call counts only with a call", async () => {
    assert.equal(meaningOf(await reply("chat_completions", { word: "tool_calls", call: true })), "tool-calls");
    assert.equal(meaningOf(await reply("chat_completions", { word: "tool_calls" })), "malformed-response");
  });

  test("does not end the answer if the stream breaks off with an unknown one, or without one", async () => {
    for (const word of ["wharrgarbl", "", "null", null])
      assert.equal(meaningOf(await reply("chat_completions", { word, isCut: true })), "malformed-response");
    assert.equal(meaningOf(await reply("chat_completions", { word: "", isCut: false })), "malformed-response");
  });

  test("that is known ends the answer even if the stream sends nothing more", async () => {
    assert.equal(meaningOf(await reply("chat_completions", { word: "stop", isCut: true })), "stop");
  });

  test("of an incomplete response is a cut, whatever it is", async () => {
    for (const word of ["wharrgarbl", "stop", "tool_calls", "completed", null])
      assert.equal(meaningOf(await reply("responses", { word })), "length", String(word));
  });

  test("of another vendor is read in every mode: gateways pass it on", async () => {
    assert.equal(meaningOf(await reply("anthropic_messages", { word: "model_length" })), "length");
    assert.equal(meaningOf(await reply("gemini", { word: "insufficient_system_resource" })), "overloaded");
    assert.equal(meaningOf(await reply("gemini", { word: "tool_calls" })), "malformed-response");
    assert.equal(
      meaningOf(await reply("anthropic_messages", { word: "MALFORMED_FUNCTION_CALL" })),
      "malformed-response",
    );
  });

  test("of the provider behind a gateway counts where the gateway's own hides that the answer is not whole", async () => {
    const pairs: [word: string | null, native: string, meaning: FinishMeaning][] = [
      ["stop", "MALFORMED_FUNCTION_CALL", "malformed-response"],
      ["stop", "abort", "network"],
      ["stop", "max_tokens", "length"],
      ["error", "SAFETY", "refused"],
      [null, "OTHER", "malformed-response"],
      [null, "end_turn", "stop"],
      ["stop", "completed", "stop"],
      ["stop", "wharrgarbl", "stop"],
      ["content_filter", "STOP", "refused"],
      ["length", "STOP", "length"],
    ];
    for (const [word, native, meaning] of pairs)
      assert.equal(meaningOf(await reply("chat_completions", { word, native })), meaning, `${word}, ${native}`);
  });

  test("leaves what had arrived of an answer that it cuts off", async () => {
    const read = await reply("chat_completions", { word: "network_error" });
    assert.ok(!read.ok);
    assert.equal(read.partialText, "The Rhine");
    assert.match(read.failure.message, /network_error/);
  });
});
