/** Reasoning between tags in the text of every format but chat, read by the code that reads real ones. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { ApiMode } from "../../../../src/route.ts";
import type { Fault } from "../../../../src/testing/index.ts";
import { createWireStage, type WireStage } from "../../../support/wire-stage.ts";

type Format = Exclude<ApiMode, "chat_completions">;

/** A finished answer with a text in these pieces. */
const STREAMS: Record<Format, (pieces: string[]) => object[]> = {
  anthropic_messages: (pieces) => [
    { type: "message_start", message: { id: "m", role: "assistant", content: [], usage: { input_tokens: 9 } } },
    { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
    ...pieces.map((text) => ({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text } })),
    { type: "content_block_stop", index: 0 },
    { type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 9 } },
    { type: "message_stop" },
  ],
  responses: (pieces) => [
    { type: "response.created", response: { id: "r", created_at: 0, model: "m" } },
    { type: "response.output_item.added", output_index: 0, item: { type: "message", id: "i" } },
    ...pieces.map((delta) => ({ type: "response.output_text.delta", item_id: "i", output_index: 0, delta })),
    { type: "response.output_item.done", output_index: 0, item: { type: "message", id: "i" } },
    { type: "response.completed", response: { usage: { input_tokens: 9, output_tokens: 9 } } },
  ],
  gemini: (pieces) => [
    ...pieces.map((text) => ({ candidates: [{ content: { role: "model", parts: [{ text }] } }] })),
    { candidates: [{ content: { parts: [] }, finishReason: "STOP" }] },
  ],
};

const CASES: [what: string, pieces: string[], reasoning: string, text: string][] = [
  ["tags", ["<think>Hm.</think>\n\nThe Rhine."], "Hm.", "The Rhine."],
  ["tags in pieces", ["<th", "ink>H", "m.</thi", "nk>", "\n\nThe Rhine."], "Hm.", "The Rhine."],
  ["only an end", ["Let me see.\n</think>\n\nThe ", "Rhine."], "Let me see.", "The Rhine."],
  ["another vendor's tags", ["[THINK]Hm.[/THINK]The Rhine."], "Hm.", "The Rhine."],
  [
    "a tag in a sentence",
    ["Models write <think> and then ", "</think> first."],
    "",
    "Models write <think> and then </think> first.",
  ],
  ["a tag in code", ["Use `<think>`", " and `</think>`."], "", "Use `<think>` and `</think>`."],
  ["a tag that never ends", ["<think> is a tag."], "is a tag.", "<think> is a tag."],
  ["the beginning of a tag at the end", ["The Rhine <thi"], "", "The Rhine <thi"],
];

for (const apiMode of Object.keys(STREAMS) as Format[])
  describe(`over ${apiMode}, a text with`, () => {
    let stage: WireStage;
    let fault: Fault;
    before(async () => {
      stage = await createWireStage(() => ({ fault }));
    });
    after(() => stage.close());

    async function read(events: object[]) {
      const body = events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join("");
      fault = { kind: "response", status: 200, headers: { "content-type": "text/event-stream" }, body };
      const { reply, live } = await stage.ask(apiMode);
      assert.ok(reply.ok, JSON.stringify(reply));
      const textOf = (type: string) =>
        reply.parts.map((part) => (part.type === type && "text" in part ? part.text : ""));
      return { reasoning: textOf("reasoning").join(""), text: textOf("text").join(""), live };
    }

    for (const [what, pieces, reasoning, text] of CASES)
      test(`${what} is ${JSON.stringify({ reasoning, text })}`, async () => {
        const said = await read(STREAMS[apiMode](pieces));
        assert.deepEqual([said.reasoning, said.text], [reasoning, text]);
        if (what !== "only an end") assert.equal(said.live, text, "what is shown live");
      });
  });
