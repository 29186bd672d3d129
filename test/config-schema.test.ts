/** The schema's generated documents: JSON Schema for editors and the list of keys for the reference. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { configJsonSchema, configKeys, configSchema, keysAllowedAt } from "../src/config-schema.ts";

test("every key has a description of its effect", () => {
  const silent = configKeys().filter(({ description }) => description.length < 8);
  assert.deepEqual(silent, []);
});

test("the list of keys reaches into maps, lists and alternatives, each key once", () => {
  const paths = configKeys().map(({ path }) => path);
  for (const path of [
    "providers.*.models.*.price.cached_input",
    "models.*.fallbacks[].model",
    "delegation.on_unresolved",
    "permissions[].then",
    "terminal.env",
  ])
    assert.ok(paths.includes(path), path);
  assert.equal(new Set(paths).size, paths.length);
});

test("keys are known at any depth of the document", () => {
  assert.deepEqual(keysAllowedAt(["permissions", 0]), ["tool", "match", "then"]);
  assert.deepEqual(keysAllowedAt(["models", "small"]), ["model", "provider", "reasoning_effort", "fallbacks"]);
  assert.equal(keysAllowedAt(["providers"]), undefined);
});

test("the JSON Schema describes what a user writes, before defaults", () => {
  const { required, additionalProperties } = configJsonSchema() as {
    required?: string[];
    additionalProperties: boolean;
  };
  assert.deepEqual([required ?? [], additionalProperties], [[], false]);
});

test("codex_responses is another word for responses", () => {
  const { providers } = configSchema.parse({
    providers: { x: { base_url: "http://h/v1", api_mode: "codex_responses" } },
  });
  assert.equal(providers.x?.api_mode, "responses");
});
