/**
 * A request of the past can be shown only by code that writes it alike. Whoever changes what is written raises
 * `DIALECT_VERSION` and records the new hash here: the old one is what earlier journals were written with.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { z } from "zod";
import { DIALECT_VERSION } from "../../../../src/child/wire/dialect/dialect.ts";
import { createModel } from "../../../../src/child/wire/model.ts";
import type { ModelCall } from "../../../../src/child/wire/request/request.ts";
import { systemClock } from "../../../../src/clock.ts";
import { API_MODES, type Route } from "../../../../src/route.ts";
import { route, tool } from "../../../support/child-stage.ts";
import { TINY_PNG } from "../../../support/tiny-images.ts";

/** Hash of all bodies below, by version. */
const HASHES: Record<number, string> = {
  // Without the gateways and clouds.
  1: "269413000b621d34a58a29927b2c16e8121ba8aa6881f162f4b86e50056d084e",
  2: "d59caa4ccf0f3bf03fc87fe884f85647fbf5a887ea4c0a610da3768e5914116f",
};

/** Models of vendors that write differently, each in every API mode. */
const MODELS = [
  "gpt-5.2",
  "claude-sonnet-5",
  "gemini-3-pro",
  "deepseek-chat",
  "kimi-k2-thinking",
  "mistral-large",
  "glm-4.7",
  "grok-4",
  "MiniMax-M2",
];

/** Where a model is written to differently than at its vendor. */
const ELSEWHERE: readonly Route[] = [
  route("openrouter", "anthropic/claude-sonnet-5", {
    endpoint: { baseUrl: "https://openrouter.ai/api/v1", apiMode: "chat_completions", effortField: "reasoning.effort" },
  }),
  ...["us.anthropic.claude-sonnet-4-5-20250929-v1:0", "amazon.nova-pro-v1:0"].map((model) =>
    route("bedrock", model, {
      endpoint: {
        baseUrl: "https://bedrock-runtime.eu-central-1.amazonaws.com",
        apiMode: "anthropic_messages",
        framing: "converse",
      },
    }),
  ),
  route("vertex", "claude-sonnet-4-5@20250929", {
    endpoint: { baseUrl: "https://vertex.test/v1/publishers/anthropic", apiMode: "anthropic_messages" },
  }),
];

const nowhere = { fetchFor: () => () => Promise.reject(new Error("nothing is sent")), close: async () => {} };

function callOn(asked: Route): ModelCall {
  const look = {
    ...tool("look", "read", () => ""),
    input: z.object({ word: z.string().describe("A word."), at: z.int().optional() }),
  };
  const by = { provider: asked.provider, model: asked.model };
  return {
    route: asked,
    access: { headers: {}, redact: (text) => text },
    system: "You work.",
    messages: [
      { role: "user", text: "Look ✓" },
      {
        role: "assistant",
        ...by,
        parts: [
          { type: "reasoning", text: "I look." },
          { type: "text", text: "Let me look." },
          { type: "tool-call", callId: "call_1", name: "look", input: { word: "a" } },
          { type: "tool-call", callId: "call_2", name: "look", input: { word: "b", at: 2 } },
        ],
      },
      { role: "tool", callId: "call_1", name: "look", text: "seen", ok: true },
      { role: "tool", callId: "call_2", name: "look", text: "gone", ok: false },
      { role: "user", text: "Go on." },
    ],
    images: [{ mediaType: "image/png", base64: TINY_PNG.toString("base64") }],
    tools: [look],
    mustAnswer: false,
    maxOutputTokens: 1_000,
    stallMs: 0,
  };
}

async function bodyOn(asked: Route): Promise<string> {
  const model = createModel({ transport: nowhere, clock: systemClock });
  let written = "";
  await model(
    callOn(asked),
    new AbortController().signal,
    () => {},
    async ({ body }) => {
      written = body;
      throw new Error("it is only written");
    },
  );
  assert.notEqual(written, "", `${asked.model} in ${asked.endpoint.apiMode}`);
  return written;
}

test("requests are written as in the version that they name", async () => {
  const hash = createHash("sha256");
  for (const apiMode of API_MODES)
    for (const model of MODELS)
      for (const effort of ["low", undefined] as const) {
        const endpoint = { baseUrl: "https://endpoint.test/v1", apiMode };
        hash.update(await bodyOn(route("endpoint", model, { endpoint, ...(effort && { effort }) })));
      }
  for (const elsewhere of ELSEWHERE) hash.update(await bodyOn(elsewhere));
  assert.equal(
    hash.digest("hex"),
    HASHES[DIALECT_VERSION],
    "Requests are written differently: raise DIALECT_VERSION, and record the new hash.",
  );
});
