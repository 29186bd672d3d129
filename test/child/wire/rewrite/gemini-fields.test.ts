/** A `gemini` stream whose fields are spelled with underscores, read by the code that reads real ones. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Fault } from "../../../../src/testing/index.ts";
import { tool } from "../../../support/child-stage.ts";
import { createWireStage, type WireStage } from "../../../support/wire-stage.ts";

const candidate = (parts: object[], finish_reason?: string) => ({
  candidates: [{ content: { role: "model", parts }, finish_reason }],
});

describe("over gemini, fields with underscores:", () => {
  let stage: WireStage;
  let fault: Fault;
  before(async () => {
    stage = await createWireStage(() => ({ fault }));
  });
  after(() => stage.close());

  async function read(...events: object[]) {
    const body = events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join("");
    fault = { kind: "response", status: 200, headers: { "content-type": "text/event-stream" }, body };
    return (await stage.ask("gemini", { tools: [tool("look", "read", (word) => word)] })).reply;
  }

  test("an answer is read with its end, its usage and its model", async () => {
    const reply = await read(candidate([{ text: "The Rhine." }]), {
      ...candidate([], "STOP"),
      usage_metadata: { prompt_token_count: 9, candidates_token_count: 5, thoughts_token_count: 2 },
      model_version: "gemini-3-pro",
    });
    assert.ok(reply.ok, JSON.stringify(reply));
    assert.deepEqual(reply.usage, { input: 9, output: 7, cached: 0, reasoning: 2 });
    assert.equal(reply.servedModel, "gemini-3-pro");
  });

  test("a call keeps its signature, and the names of its arguments", async () => {
    const args = { start_line: 1, nested_one: { end_line: 2 } };
    const reply = await read(candidate([{ function_call: { name: "look", args }, thought_signature: "c2ln" }], "STOP"));
    assert.ok(reply.ok, JSON.stringify(reply));
    const [call] = reply.parts;
    assert.ok(call?.type === "tool-call");
    assert.deepEqual(call.input, args);
    assert.equal(call.private?.google?.thoughtSignature, "c2ln");
  });

  test("a signature with underscores beside a call without any is kept", async () => {
    const functionCall = { name: "look", args: {} };
    const reply = await read(candidate([{ functionCall, thought_signature: "c2ln" }], "STOP"));
    assert.ok(reply.ok, JSON.stringify(reply));
    assert.equal(reply.parts[0]?.private?.google?.thoughtSignature, "c2ln");
  });

  test("arguments as text are an object", async () => {
    const reply = await read(candidate([{ functionCall: { name: "look", args: '{"start_line":1}' } }], "STOP"));
    assert.ok(reply.ok, JSON.stringify(reply));
    assert.deepEqual(
      reply.parts.map((part) => part.type === "tool-call" && part.input),
      [{ start_line: 1 }],
    );
  });

  test("an end that is none, and a blocked prompt, are failures", async () => {
    const refused = await read(candidate([{ text: "The Rhi" }], "SAFETY"));
    assert.equal(refused.ok || refused.failure.kind, "refused");
    const blocked = await read({ prompt_feedback: { block_reason: "PROHIBITED_CONTENT" } });
    assert.equal(blocked.ok || blocked.failure.kind, "refused");
  });

  test("text that speaks of such fields stays as it is", async () => {
    const text = 'Write {"finish_reason": "STOP", "args": "{}"}.';
    const reply = await read(candidate([{ text }], "STOP"));
    assert.ok(reply.ok, JSON.stringify(reply));
    assert.deepEqual(
      reply.parts.map((part) => part.type === "text" && part.text),
      [text],
    );
  });
});
