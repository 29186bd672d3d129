/** The conversation as it is sent, apart from vendors' private state and rejections. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { JSONObject } from "@ai-sdk/provider";
import { answerTextOf } from "../../../../src/answer-text.ts";
import type { Message } from "../../../../src/child/message.ts";
import { addReasoningDetail } from "../../../../src/child/wire/chat/reasoning-details.ts";
import type { ApiMode } from "../../../../src/route.ts";
import { tool } from "../../../support/child-stage.ts";
import { createWireStage, wireRoute } from "../../../support/wire-stage.ts";

const look = tool("look", "read", (word) => word);

async function sent(mode: ApiMode, provider: string, model: string, messages: Message[]): Promise<string> {
  const stage = await createWireStage(() => ({ text: "Seen." }));
  const route = wireRoute(stage.server.baseUrl(mode), mode, { provider, model });
  const { reply } = await stage.ask(mode, { route, messages, tools: [look] });
  const body = JSON.stringify(stage.server.requests.at(-1)?.body);
  await stage.close();
  assert.ok(reply.ok, JSON.stringify(reply));
  return body;
}

const called: Message[] = [
  { role: "user", text: "Hello." },
  {
    role: "assistant",
    provider: "elsewhere",
    model: "m",
    parts: [
      { type: "text", text: "\n\n" },
      { type: "tool-call", callId: "functions.look:0", name: "look", input: {} },
    ],
  },
  { role: "tool", callId: "functions.look:0", name: "look", text: "x", ok: true },
];

test("a blank text of another model does not reach Anthropic, which rejects it", async () => {
  assert.doesNotMatch(await sent("anthropic_messages", "anthropic", "claude-sonnet-4-5", called), /\\n\\n/);
  assert.match(
    await sent("chat_completions", "zai", "glm-4.7", called),
    /"content":"\\n\\n"/,
    "others get what was said",
  );
});

test("ids of a provider's own calls go back as they are, unless its vendor rejects their form", async () => {
  const own = (provider: string, model: string): Message[] =>
    called.map((message) => (message.role === "assistant" ? { ...message, provider, model } : message));
  assert.match(
    await sent("chat_completions", "zai", "glm-4.7", own("zai", "glm-4.7")),
    /"tool_call_id":"functions\.look:0"/,
  );
  const mistral = await sent(
    "chat_completions",
    "mistral",
    "mistral-medium-latest",
    own("mistral", "mistral-medium-latest"),
  );
  const ids = [...mistral.matchAll(/"(?:id|tool_call_id)":"([^"]*)"/g)].map(([, id]) => id);
  assert.deepEqual(ids, [ids[0], ids[0]]);
  assert.match(ids[0] ?? "", /^[a-zA-Z0-9]{9}$/);
});

test("messages of a user in a row are one where the model's template wants roles to alternate", async () => {
  const twice: Message[] = [
    { role: "user", text: "Hello." },
    { role: "user", text: "Be quick." },
  ];
  assert.match(
    await sent("chat_completions", "vllm", "google/gemma-3-27b-it", twice),
    /"content":"Hello\.\\n\\nBe quick\."/,
  );
  assert.match(await sent("chat_completions", "vllm", "qwen/qwen3", twice), /"Hello\."\},\{"role":"user"/);
});

test("reasoning of one model does not go to another model of its provider", async () => {
  const thought: Message[] = [
    { role: "user", text: "Hello." },
    {
      role: "assistant",
      provider: "zai",
      model: "glm-4.7",
      parts: [
        { type: "reasoning", text: "a private thought" },
        { type: "text", text: "Hi." },
      ],
    },
    { role: "user", text: "Again." },
  ];
  assert.match(await sent("chat_completions", "zai", "glm-4.7", thought), /a private thought/);
  assert.doesNotMatch(await sent("chat_completions", "zai", "glm-5.3", thought), /a private thought/);
});

test("MiniMax gets its reasoning back in the tags that it came in", async () => {
  const parts = [
    { type: "reasoning", text: "Hm." },
    { type: "text", text: "Hi." },
  ] as const;
  const messages: Message[] = [
    { role: "user", text: "Hello." },
    { role: "assistant", provider: "lab", model: "MiniMax-M2", parts: [...parts] },
    { role: "user", text: "Again." },
  ];
  assert.match(await sent("chat_completions", "lab", "MiniMax-M2", messages), /<think>Hm\.<\/think>\\n\\nHi\./);
});

test("pieces of reasoning details that belong together are one, and encrypted ones stay apart", () => {
  const details: JSONObject[] = [];
  const text = (text: string, more: JSONObject = {}) => ({ type: "reasoning.text", text, index: 0, ...more });
  for (const piece of [
    text("I should ", { format: "a" }),
    text("look."),
    { type: "reasoning.encrypted", data: "one", id: "a", index: 0 },
    { type: "reasoning.encrypted", data: "two", id: "b", index: 0 },
    text("", { signature: "s" }),
    { type: "reasoning.summary", summary: "In", index: 1 },
    { type: "reasoning.summary", summary: " short.", index: 1 },
  ])
    addReasoningDetail(details, piece);
  assert.deepEqual(details, [
    { type: "reasoning.text", text: "I should look.", index: 0, format: "a", signature: "s" },
    { type: "reasoning.encrypted", data: "one", id: "a", index: 0 },
    { type: "reasoning.encrypted", data: "two", id: "b", index: 0 },
    { type: "reasoning.summary", summary: "In short.", index: 1 },
  ]);
});

/** An answer in two messages, as `responses` streams it. */
function twoMessages(...phases: (string | undefined)[]): string {
  const response = { id: "r", object: "response", created_at: 1, model: "gpt-5", output: [] };
  const message = (phase: string | undefined, index: number) => {
    const item = { id: `msg_${index}`, type: "message", role: "assistant", phase, content: [] };
    const delta = { item_id: item.id, output_index: index, content_index: 0, delta: `Message ${index}.` };
    return [
      { type: "response.output_item.added", output_index: index, item },
      { type: "response.output_text.delta", ...delta },
      { type: "response.output_item.done", output_index: index, item },
    ];
  };
  const usage = { input_tokens: 5, output_tokens: 5, total_tokens: 10 };
  const events = [
    { type: "response.created", response },
    ...phases.flatMap(message),
    { type: "response.completed", response: { ...response, usage } },
  ];
  return events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join("");
}

for (const [phases, answer] of [
  [["commentary", "final_answer"], "Message 1."],
  [["commentary", "commentary", "final_answer"], "Message 2."],
  [["final_answer", "final_answer"], "Message 0.\n\nMessage 1."],
  [[undefined, undefined], "Message 0.\n\nMessage 1."],
  [["commentary", "commentary"], "Message 0.\n\nMessage 1."],
  [["commentary"], "Message 0."],
] as const)
  test(`of messages of the phases ${phases.join(", ")}, the answer is ${JSON.stringify(answer)}`, async () => {
    const headers = { "content-type": "text/event-stream" };
    const fault = { kind: "response", status: 200, headers, body: twoMessages(...phases) } as const;
    const stage = await createWireStage(() => ({ fault }));
    const { reply, live } = await stage.ask("responses");
    assert.ok(reply.ok, JSON.stringify(reply));
    assert.equal(answerTextOf(reply.parts), answer);
    assert.equal(live, phases.map((_, index) => `Message ${index}.`).join("\n\n"), "live, each of them stands apart");
    await stage.close();
  });
