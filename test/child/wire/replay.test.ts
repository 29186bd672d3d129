/**
 * Steps that an earlier run stored go back as they always did: prompt caches hold, and a resumed run asks the same. The
 * journals in `recorded/steps` are not to be changed, and neither are the requests in `recorded/requests.json`.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { applyEvent, createConversation } from "../../../src/child/conversation.ts";
import type { ChildEvent } from "../../../src/event.ts";
import { eventError } from "../../../src/journal/event-schema.ts";
import type { ApiMode } from "../../../src/route.ts";
import { present } from "../../../src/values/present.ts";
import { fieldsOf } from "../../../src/values/record.ts";
import { tool } from "../../support/child-stage.ts";
import { createWireStage, wireRoute } from "../../support/wire-stage.ts";

const RECORDED = join(import.meta.dirname, "recorded");

/** The API mode of each journal. */
const JOURNALS: Record<string, { mode: ApiMode; framing?: "converse" }> = {
  chat_completions: { mode: "chat_completions" },
  "chat-details": { mode: "chat_completions" },
  "chat-parts": { mode: "chat_completions" },
  "chat-tags": { mode: "chat_completions" },
  responses: { mode: "responses" },
  anthropic_messages: { mode: "anthropic_messages" },
  converse: { mode: "anthropic_messages", framing: "converse" },
  gemini: { mode: "gemini" },
};

function eventsIn(journal: string): ChildEvent[] {
  const text = readFileSync(join(RECORDED, "steps", `${journal}.jsonl`), "utf8");
  return text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}

/** Marks for the provider's cache are no part of the prompt. */
function withoutMarks(key: string, value: unknown): unknown {
  if (key === "cache_control") return undefined;
  return Array.isArray(value) ? value.filter((block) => fieldsOf(block).cachePoint === undefined) : value;
}

describe("a run that was stored earlier asks the same, byte for byte, from", () => {
  const requests: Record<string, string> = JSON.parse(readFileSync(join(RECORDED, "requests.json"), "utf8"));

  test("every recorded journal", () => {
    const journals = readdirSync(join(RECORDED, "steps")).map((file) => file.replace(".jsonl", ""));
    assert.deepEqual(journals.sort(), Object.keys(JOURNALS).sort());
  });

  for (const [journal, { mode, framing }] of Object.entries(JOURNALS))
    test(`steps of ${journal}`, async () => {
      const conversation = createConversation();
      for (const event of eventsIn(journal)) {
        assert.equal(eventError(event), undefined);
        applyEvent(conversation, event);
      }
      const { system, messages, provider, model } = conversation;
      const stage = await createWireStage(() => ({ text: "Seen." }));
      const route = wireRoute(stage.server.baseUrl(mode), mode, {
        provider,
        model,
        effort: "low",
        endpoint: { baseUrl: stage.server.baseUrl(mode), apiMode: mode, ...present({ framing }) },
        facts: { maxOutputTokens: 9_000 },
      });
      await stage.ask(mode, { route, system, messages, tools: [tool("look", "read", (word) => word)] });
      await stage.close();
      assert.equal(JSON.stringify(stage.server.requests[0]?.body, withoutMarks), requests[journal]);
    });
});
