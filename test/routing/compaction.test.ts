/** The model that writes summaries is planned with the task: what would fail later is a problem before the start. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { KEYS, problem, ready } from "./desk.ts";

const providers = {
  zai: {
    models: { large: { context_window: 200_000 }, small: { context_window: 8_000 }, unknown: {} },
  },
};
const given = (compaction: unknown, env: Record<string, string> = KEYS) => ({
  config: { provider: "zai", model: "large", providers, delegation: { compaction } },
  env,
});

describe("compaction", () => {
  test("is planned by default, with the child's own model", () => {
    assert.deepEqual(ready({}, { ...given({}) }).compaction, { at: 0.8, keep: 0.3 });
    assert.deepEqual(ready({}, { ...given({ at: 0.6, keep: 0.2 }) }).compaction, { at: 0.6, keep: 0.2 });
  });

  test("is not planned where it is off", () => {
    for (const off of ["off", false]) assert.equal(ready({}, given(off)).compaction, undefined);
  });

  test("plans the model for summaries with its own provider and key", () => {
    const { compaction, route } = ready({}, given({ model: "claude-opus-5 --provider anthropic" }));
    assert.equal(route.model, "large");
    assert.equal(compaction?.route?.provider, "anthropic");
    assert.equal(compaction.route.keyName, "ANTHROPIC_API_KEY");
  });

  test("of a model without a key is a problem before the start", () => {
    const { GLM_API_KEY } = KEYS;
    const found = problem({}, given({ model: "claude-opus-5 --provider anthropic" }, { GLM_API_KEY }));
    assert.equal(found.code, "missing-key");
    assert.equal(found.field, "delegation.compaction.model");
    assert.match(found.message, /^For summaries: /);
  });

  test("by a model with a smaller window is a problem before the start; by an unknown or equal one it is none", () => {
    const found = problem({}, given({ model: "small" }));
    assert.deepEqual([found.code, found.field], ["context-too-large", "delegation.compaction.model"]);
    assert.match(found.message, /at least 200000 tokens, that of large @ zai; found 8000 of small @ zai/);
    assert.ok(ready({ model: "small" }, given({ model: "large" })).compaction?.route);
    assert.ok(ready({}, given({ model: "unknown" })).compaction?.route);
  });

  test("keeps less than it starts at", () => {
    assert.throws(
      () => given({ at: 0.3, keep: 0.5 }) && ready({}, given({ at: 0.3, keep: 0.5 })),
      /a `keep` smaller than `at`/,
    );
  });
});
