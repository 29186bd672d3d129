/** Ends of a `responses` stream, by what their status says, read by the code that reads real ones. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Fault } from "../../../../src/testing/index.ts";
import { createWireStage, type WireStage } from "../../../support/wire-stage.ts";

const BEGINNING = [
  { type: "response.created", response: { id: "r", created_at: 0, model: "m" } },
  { type: "response.output_item.added", output_index: 0, item: { type: "message", id: "i" } },
  { type: "response.output_text.delta", item_id: "i", output_index: 0, delta: "The Rhi" },
];
const usage = { input_tokens: 9, output_tokens: 5 };

const ENDS: [what: string, type: string, response: object, end: string][] = [
  ["a good end", "response.completed", { status: "completed" }, "stop"],
  ["a good end without a status", "response.completed", {}, "stop"],
  ["a good end by another name", "response.done", { status: "completed" }, "stop"],
  ["an incomplete response that is called completed", "response.completed", { status: "incomplete" }, "length"],
  [
    "the same, refused",
    "response.completed",
    { status: "incomplete", incomplete_details: { reason: "content_filter" } },
    "refused",
  ],
  ["an incomplete item", "response.completed", { output: [{ type: "message", status: "incomplete" }] }, "length"],
  ["a cancelled response", "response.cancelled", { status: "cancelled" }, "network"],
  ["a cancelled response that is called completed", "response.completed", { status: "cancelled" }, "network"],
  [
    "a failed response that is called completed",
    "response.completed",
    { status: "failed", error: { code: "server_error", message: "Out of order." } },
    "overloaded",
  ],
  ["a failed response that is called done", "response.done", { status: "failed" }, "overloaded"],
];

describe("a response ends by what its status says:", () => {
  let stage: WireStage;
  let fault: Fault;
  before(async () => {
    stage = await createWireStage(() => ({ fault }));
  });
  after(() => stage.close());

  for (const [what, type, response, end] of ENDS)
    test(`${what} is ${end}`, async () => {
      const events = [...BEGINNING, { type, response: { ...response, usage } }];
      const body = events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join("");
      fault = { kind: "response", status: 200, headers: { "content-type": "text/event-stream" }, body };
      const { reply } = await stage.ask("responses");
      assert.equal(reply.ok ? reply.finish : reply.failure.kind, end, JSON.stringify(reply));
    });
});
