/** What was stored before there were dialects goes back as it did: prompt caches hold, and a resumed run asks the same. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Message } from "../../../src/child/conversation.ts";
import type { Part } from "../../../src/event.ts";
import { API_MODES, type ApiMode } from "../../../src/route.ts";
import { tool } from "../../support/child-stage.ts";
import { createWireStage, wireRoute } from "../../support/wire-stage.ts";

const MODELS: Record<ApiMode, string> = {
  chat_completions: "glm-4.7",
  responses: "gpt-5",
  anthropic_messages: "claude-sonnet-4-5",
  gemini: "gemini-2.5-pro",
};

const PROVIDERS: Record<ApiMode, string> = {
  chat_completions: "zai",
  responses: "openai",
  anthropic_messages: "anthropic",
  gemini: "gemini",
};

/** Private state as steps stored it. */
const PRIVATE: Record<ApiMode, { reasoning?: Part["private"]; text?: Part["private"]; call?: Part["private"] }> = {
  chat_completions: {},
  responses: {
    reasoning: { openai: { itemId: "rs_1", reasoningEncryptedContent: "ZW5j" } },
    text: { openai: { itemId: "msg_1" } },
    call: { openai: { itemId: "fc_1" } },
  },
  anthropic_messages: { reasoning: { anthropic: { signature: "c2ln" } } },
  gemini: { call: { google: { thoughtSignature: "c2ln" } } },
};

function storedMessages(mode: ApiMode): Message[] {
  const { reasoning, text, call } = PRIVATE[mode];
  const kept = (state: Part["private"]) => (state === undefined ? {} : { private: state });
  return [
    { role: "user", text: "Hello." },
    {
      role: "assistant",
      provider: PROVIDERS[mode],
      parts: [
        { type: "reasoning", text: "I need it.", ...kept(reasoning) },
        { type: "text", text: "Looking.", ...kept(text) },
        { type: "tool-call", callId: "call_1", name: "look", input: { word: "x" }, ...kept(call) },
      ],
    },
    { role: "tool", callId: "call_1", name: "look", text: "it is x", ok: true },
    { role: "user", text: "Go on." },
  ];
}

test("a conversation that was stored earlier is the same request, byte for byte", async () => {
  const expected = JSON.parse(readFileSync(join(import.meta.dirname, "recorded", "requests.json"), "utf8"));
  const look = tool("look", "read", (word) => word);
  const stage = await createWireStage(() => ({ text: "Seen." }));
  const sent: Record<string, string> = {};
  for (const mode of API_MODES) {
    const route = wireRoute(stage.server.baseUrl(mode), mode, {
      provider: PROVIDERS[mode],
      model: MODELS[mode],
      effort: "low",
      facts: { maxOutputTokens: 9_000 },
    });
    await stage.ask(mode, { route, messages: storedMessages(mode), tools: [look] });
    sent[mode] = JSON.stringify(stage.server.requests.at(-1)?.body);
  }
  await stage.close();
  assert.deepEqual(sent, expected);
});
