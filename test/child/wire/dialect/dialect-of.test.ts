/** Which rows of the dialect table apply to which routes, and that each fact has a source. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Dialect } from "../../../../src/child/wire/dialect/dialect.ts";
import { dialectOf, USUAL_DIALECT } from "../../../../src/child/wire/dialect/dialect-of.ts";
import { DIALECT_ROWS } from "../../../../src/child/wire/dialect/rows.ts";
import type { ApiMode } from "../../../../src/route.ts";
import { BUILT_IN_PROVIDERS } from "../../../../src/routing/catalog/built-in-providers.ts";

function dialect(provider: string, model: string, apiMode: ApiMode, baseUrl = "http://127.0.0.1:1/v1"): Dialect {
  return dialectOf({ provider, model, endpoint: { baseUrl, apiMode } });
}

test("every fact has a public source, and every provider of a row exists", () => {
  const slugs = BUILT_IN_PROVIDERS.map(({ slug }) => slug);
  for (const { name, matches, facts } of DIALECT_ROWS) {
    for (const [field, { source }] of Object.entries(facts))
      assert.match(source, /https:\/\/\S+\/\S+|[\w.-]+\/[\w.-]+(#\d+|:)/, `${name}: ${field}`);
    for (const slug of matches.flatMap(({ providers = [] }) => providers))
      assert.ok(slugs.includes(slug), `${name}: ${slug}`);
  }
  assert.equal(new Set(DIALECT_ROWS.map(({ name }) => name)).size, DIALECT_ROWS.length);
});

test("a route without a row in the table has the usual dialect", () => {
  assert.deepEqual(dialect("zai", "glm-5.3", "chat_completions"), USUAL_DIALECT);
  assert.deepEqual(dialect("lab", "my-deployment", "chat_completions"), USUAL_DIALECT);
});

test("a vendor is known by its provider, its host or its models, under any prefix and in any case", () => {
  for (const [provider, model, baseUrl] of [
    ["mistral", "any", undefined],
    ["lab", "any", "https://api.mistral.ai/v1"],
    ["openrouter", "mistralai/Devstral-Small:free", undefined],
    ["lab", "Mistral-Large", undefined],
  ] as const)
    assert.equal(dialect(provider, model, "chat_completions", baseUrl).userAfterTool, false, `${model} @ ${provider}`);
  assert.equal(dialect("lab", "my-mistral", "chat_completions").userAfterTool, true);
  assert.equal(dialect("lab", "any", "chat_completions", "https://api.mistral.ai.evil.test/v1").userAfterTool, true);
});

test("prompts are marked for the cache only where a vendor is known to take marks", () => {
  const isMarked = (provider: string, model: string, mode: ApiMode, baseUrl?: string) =>
    dialect(provider, model, mode, baseUrl).cacheBreakpoints;
  for (const model of ["anthropic/claude-sonnet-5", "anthropic/claude-3.5-haiku", "anthropic/claude-opus-4.5:beta"]) {
    assert.ok(isMarked("openrouter", model, "chat_completions"), model);
    assert.ok(isMarked("lab", model, "chat_completions", "https://openrouter.ai/api/v1"), model);
    for (const other of ["ai-gateway", "kilocode", "lab"])
      assert.ok(!isMarked(other, model, "chat_completions"), other);
  }
  for (const model of ["openai/gpt-5.4", "google/gemini-3-pro", "deepseek/deepseek-v4"])
    assert.ok(!isMarked("openrouter", model, "chat_completions"), model);
  for (const model of [
    "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
    "anthropic.claude-3-7-sonnet-20250219-v1:0",
    "eu.anthropic.claude-3-5-haiku-20241022-v1:0",
    "anthropic.claude-opus-4-20250514-v1:0",
    "global.anthropic.claude-opus-5",
  ])
    assert.ok(isMarked("bedrock", model, "anthropic_messages"), model);
  for (const model of [
    "anthropic.claude-3-5-sonnet-20241022-v2:0",
    "anthropic.claude-3-haiku-20240307-v1:0",
    "anthropic.claude-v2:1",
    "anthropic.claude-instant-v1",
    "amazon.nova-pro-v1:0",
    "openai.gpt-oss-120b-1:0",
    "arn:aws:bedrock:eu-central-1:123456789012:application-inference-profile/abc123",
  ])
    assert.ok(!isMarked("bedrock", model, "anthropic_messages"), model);
});

test("the token limit has the name that each endpoint takes", () => {
  const limit = (provider: string, model: string, baseUrl?: string) =>
    dialect(provider, model, "chat_completions", baseUrl).tokenLimitField;
  for (const model of ["gpt-5.4", "openai/o4-mini", "gpt-6-sol", "codex-mini"])
    assert.equal(limit("lab", model), "max_completion_tokens", model);
  assert.equal(limit("lab", "mine", "https://mine.openai.azure.com/openai/v1"), "max_completion_tokens");
  for (const model of ["gpt-oss-120b", "gpt-4o", "glm-5.3"]) assert.equal(limit("lab", model), "max_tokens", model);
  assert.equal(limit("openrouter", "openai/gpt-5.4"), "max_tokens", "the gateway translates it");
});

test("encrypted reasoning is requested for all models except those without reasoning", () => {
  const asks = (provider: string, model: string) => dialect(provider, model, "responses").encryptedReasoning;
  for (const [provider, model] of [
    ["openai", "gpt-6-sol"],
    ["xai", "grok-4.6"],
    ["lab", "my-deployment"],
  ] as const)
    assert.ok(asks(provider, model), model);
  for (const model of ["gpt-4.1-mini", "gpt-4o", "gpt-5-chat-latest"]) assert.ok(!asks("openai", model), model);
});

test("calls of other models are signed for Gemini from its third generation on", () => {
  const signature = (model: string, mode: ApiMode = "gemini", provider = "lab") =>
    dialect(provider, model, mode).missingSignature;
  for (const model of ["gemini-3-pro-preview", "models/gemini-3.8-flash", "gemini-flash-latest", "gemini-4"])
    assert.notEqual(signature(model), "none", model);
  for (const model of ["gemini-2.5-pro", "gemini-1.5-flash", "gemma-3"]) assert.equal(signature(model), "none", model);
  assert.notEqual(signature("gemini-3-pro-preview", "chat_completions"), "none");
  assert.equal(signature("google/gemini-3-pro-preview", "chat_completions", "openrouter"), "none");
});
