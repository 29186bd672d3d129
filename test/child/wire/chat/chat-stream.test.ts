/** The event stream of `chat_completions`, in every form that the standard allows and in pieces of any size. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { readChat } from "../../../../src/child/wire/chat/chat-stream.ts";
import { eventBatches } from "../../../../src/child/wire/event-stream.ts";
import type { StreamPart } from "../../../../src/child/wire/reply/reply-builder.ts";

const chunk = (content: string) => JSON.stringify({ choices: [{ delta: { content } }] });

async function partsOf(stream: string, pieceBytes = Number.POSITIVE_INFINITY): Promise<StreamPart[]> {
  const bytes = new TextEncoder().encode(stream);
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (let at = 0; at < bytes.length; at += pieceBytes) controller.enqueue(bytes.slice(at, at + pieceBytes));
      controller.close();
    },
  });
  const parts: StreamPart[] = [];
  await readChat(eventBatches(body), ["look"], (part) => parts.push(part));
  return parts;
}

async function textOf(stream: string, pieceBytes?: number): Promise<string> {
  const parts = await partsOf(stream, pieceBytes);
  return parts.map((part) => (part.type === "text-delta" ? part.delta : assert.fail(part.type))).join("");
}

const FORMS: [name: string, stream: string][] = [
  ["line feeds", `data: ${chunk("獅")}\n\ndata: ${chunk("子")}\n\ndata: [DONE]\n\n`],
  ["line breaks of Windows", `data: ${chunk("獅")}\r\n\r\ndata: ${chunk("子")}\r\n\r\ndata: [DONE] \r\n\r\n`],
  ["carriage returns", `data: ${chunk("獅")}\r\rdata: ${chunk("子")}\r\rdata: [DONE]\r\r`],
  [
    "no blank after the colon, comments and other fields",
    `: hi\nid: 1\nevent: x\ndata:${chunk("獅")}\n\n:\n\ndata:${chunk("子")}\n\n`,
  ],
  ["data over several lines", `data: {"choices":\ndata: [{"delta":{"content":"獅子"}}]}\n\n`],
  ["an end within the last event", `data: ${chunk("獅")}\n\ndata: ${chunk("子")}`],
];
for (const [name, stream] of FORMS)
  test(`is read with ${name}, whole or byte by byte`, async () => {
    assert.equal(await textOf(stream), "獅子");
    assert.equal(await textOf(stream, 1), "獅子");
  });

/** The parts of choices, shortened to their content. */
async function saidIn(...choices: object[]): Promise<string[]> {
  const parts = await partsOf(choices.map((choice) => `data: ${JSON.stringify({ choices: [choice] })}\n\n`).join(""));
  return parts.map((part) => {
    if (part.type === "text-delta" || part.type === "reasoning-delta") return `${part.type} ${part.delta}`;
    return part.type === "tool-call" ? `${part.type} ${part.toolCallId} ${part.toolName} ${part.input}` : part.type;
  });
}

const toolCalls = [{ id: "a", function: { name: "look", arguments: "{}" } }];

test("a choice with a message in place of a delta is read whole", async () => {
  const message = { role: "assistant", reasoning_content: "Hm.", content: "Looking.", tool_calls: toolCalls };
  assert.deepEqual(await saidIn({ message, finish_reason: "tool_calls" }), [
    "reasoning-delta Hm.",
    "text-delta Looking.",
    "tool-call a look {}",
    "finish",
  ]);
});

test("a message that repeats its deltas is not emitted twice; its additional parts are emitted", async () => {
  const message = { content: "Looking.", tool_calls: toolCalls };
  const told = ["text-delta Looking.", "tool-call a look {}", "finish"];
  const end = { delta: {}, finish_reason: "tool_calls" };
  assert.deepEqual(await saidIn({ delta: message, message }, end), told);
  assert.deepEqual(await saidIn({ delta: { content: "Looking." } }, { ...end, message }), told);
});

test("the call of the older form is read, in pieces too, and once where both forms come", async () => {
  const end = { delta: {}, finish_reason: "function_call" };
  const older = (name: string | undefined, text: string) => ({ delta: { function_call: { name, arguments: text } } });
  const told = ['tool-call call-0 look {"word":1}', "finish"];
  assert.deepEqual(await saidIn(older("look", ""), older(undefined, '{"word":'), older(undefined, "1}"), end), told);
  const both = { delta: { tool_calls: toolCalls, function_call: toolCalls[0]?.function } };
  assert.deepEqual(await saidIn(both, end), ["tool-call a look {}", "finish"]);
});

test("a call without a name cannot be read: the answer is an error", async () => {
  const nameless = { delta: { tool_calls: [{ id: "", function: { name: "", arguments: "{}" } }] } };
  assert.deepEqual(await saidIn(nameless, { delta: {}, finish_reason: "tool_calls" }), ["error", "finish"]);
});
