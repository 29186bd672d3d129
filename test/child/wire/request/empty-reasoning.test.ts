/** Reasoning that came empty beside a call goes back so: a server that sends it may demand it. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Message } from "../../../../src/child/message.ts";
import type { ApiMode } from "../../../../src/route.ts";
import { tool } from "../../../support/child-stage.ts";
import { createWireStage, wireRoute } from "../../../support/wire-stage.ts";

const events = (...data: object[]) => data.map((each) => `data: ${JSON.stringify(each)}\n\n`).join("");

/** A chat answer with a call, after this delta. */
function chatCall(delta: object): string {
  const tool_calls = [{ index: 0, id: "c1", type: "function", function: { name: "look", arguments: "{}" } }];
  const choice = (delta: object, finish_reason: string | null = null) => ({ choices: [{ delta, finish_reason }] });
  return events(choice(delta), choice({ tool_calls }), choice({}, "tool_calls"));
}

function messagesCall(thinking: object): string {
  const block = (index: number, content_block: object) => [
    { type: "content_block_start", index, content_block },
    { type: "content_block_stop", index },
  ];
  return events(
    { type: "message_start", message: { id: "m", role: "assistant", content: [], usage: { input_tokens: 9 } } },
    ...block(0, { type: "thinking", ...thinking }),
    ...block(1, { type: "tool_use", id: "c1", name: "look", input: {} }),
    { type: "message_delta", delta: { stop_reason: "tool_use" }, usage: { output_tokens: 9 } },
    { type: "message_stop" },
  );
}

/** The assistant's message as it goes back after an answer with a call. */
async function sentBack(mode: ApiMode, body: string, provider: string, model: string): Promise<unknown> {
  const headers = { "content-type": "text/event-stream" };
  const stage = await createWireStage(({ index }) =>
    index === 0 ? { fault: { kind: "response", status: 200, headers, body } } : { text: "Seen." },
  );
  const more = {
    route: wireRoute(stage.server.baseUrl(mode), mode, { provider, model }),
    tools: [tool("look", "read", (word) => word)],
  };
  const hello: Message = { role: "user", text: "Hello." };
  const { reply } = await stage.ask(mode, { ...more, messages: [hello] });
  assert.ok(reply.ok, JSON.stringify(reply));
  const said: Message = { role: "assistant", provider, model, parts: reply.parts };
  const messages: Message[] = [hello, said, { role: "tool", callId: "c1", name: "look", text: "x", ok: true }];
  // Our own server rejects what Anthropic does.
  await stage.ask(mode, { ...more, messages });
  const sent = stage.server.requests.at(-1)?.body as { messages: { role: string }[] };
  await stage.close();
  return sent.messages.find(({ role }) => role === "assistant");
}

describe("over chat, reasoning beside a call", () => {
  const CASES: [what: string, delta: object, provider: string, model: string, back: object][] = [
    ["empty", { reasoning_content: "" }, "mine", "m", { reasoning_content: "" }],
    ["empty, in the other field", { reasoning: "" }, "mine", "m", { reasoning: "" }],
    ["null is none", { reasoning_content: null }, "mine", "m", {}],
    ["absent is none", {}, "mine", "m", {}],
    ["not empty", { reasoning: "Hm." }, "mine", "m", { reasoning: "Hm." }],
    [
      "empty, where the model wants more than nothing",
      { reasoning_content: "" },
      "mine",
      "deepseek-v4",
      { reasoning_content: " " },
    ],
    ["empty, where the vendor rejects that", { reasoning: "" }, "groq", "openai/gpt-oss-120b", {}],
  ];
  for (const [what, delta, provider, model, back] of CASES)
    test(`${what}: ${JSON.stringify(back)} goes back`, async () => {
      const sent = (await sentBack("chat_completions", chatCall(delta), provider, model)) as Record<string, unknown>;
      const { reasoning_content, reasoning } = sent;
      assert.deepEqual(JSON.parse(JSON.stringify({ reasoning_content, reasoning })), back);
    });
});

describe("over messages, empty thinking beside a call goes back", () => {
  for (const thinking of [{ thinking: "", signature: "" }, { thinking: "" }])
    test(`of ${JSON.stringify(thinking)}`, async () => {
      const sent = await sentBack("anthropic_messages", messagesCall(thinking), "mine", "my-model");
      assert.match(JSON.stringify(sent), /"content":\[\{"type":"thinking","thinking":"","signature":""\},/);
    });
});
