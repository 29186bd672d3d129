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
