// biome-ignore-all lint/suspicious/noTemplateCurlyInString: `${NAME}` is how a config names a variable.
/** A conversation that continues at another provider, in another wire format: over HTTP, with strict servers. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { API_MODES, type ApiMode } from "../../src/route.ts";
import type { ModelRequest, Script, Turn } from "../../src/testing/index.ts";
import { BASE_PATH } from "../../src/testing/request-target.ts";
import { type Document, endings, play } from "../support/whole-stage.ts";

/** Ids that one provider may produce and another may reject. */
const IDS = ["functions.list_dir:0", "call|with spaces/and-more-than-forty-characters-in-it"];

const provider = (vendor: "ACME" | "BETA", mode: ApiMode, model: string): Document => ({
  base_url: `\${${vendor}_URL}${BASE_PATH[mode]}`,
  api_key: `\${${vendor}_KEY}`,
  api_mode: mode,
  default_model: model,
  models: { [model]: { reasoning_efforts: ["low", "high"], price: { input: 1, output: 1 } } },
});

const config = (from: ApiMode, to: ApiMode, more: Document = {}): Document => ({
  providers: { acme: provider("ACME", from, "acme-1"), beta: provider("BETA", to, "beta-1") },
  models: {
    big: {
      model: "acme-1",
      provider: "acme",
      reasoning_effort: "high",
      fallbacks: [{ model: "beta-1", provider: "beta", reasoning_effort: "low" }],
    },
  },
  ...more,
});

const stepOf = ({ messages }: ModelRequest) => messages.filter(({ role }) => role === "assistant").length + 1;
const looks = (...ids: string[]): Turn => ({
  reasoning: "I should look around.",
  text: "Let me look.",
  toolCalls: ids.map((id) => ({ id, name: "list_dir", input: { path: "." } })),
});

/** Works for one step, and then has no credit left. The other works for a step, and answers. */
const script: Script = (request) => {
  if (request.keyName === "ACME_KEY")
    return stepOf(request) === 1 ? looks(...IDS) : { fault: { kind: "quota-exhausted", status: 402 } };
  return stepOf(request) === 2 ? looks("beta_1") : { text: "done by the other" };
};

for (const from of API_MODES)
  for (const to of API_MODES)
    test(`a conversation in ${from} continues in ${to}: with calls, results and ids, without private reasoning`, async () => {
      const played = await play({ goal: "one", model: "big" }, { config: config(from, to), script });
      assert.deepEqual(endings(played), ["completed"], JSON.stringify(played.results[0]?.error));
      const [result] = played.results;
      assert.equal(result?.summary, "done by the other");
      assert.deepEqual(result?.route?.attempts, [
        { provider: "acme", model: "acme-1", requests: 2, failures: ["quota-exhausted"] },
        { provider: "beta", model: "beta-1", requests: 2, failures: [] },
      ]);
      assert.deepEqual(
        [result?.route?.fallback_used, result?.reasoning_effort, result?.tool_trace.length],
        [true, "low", 3],
      );
      const [first, second] = played.requests.filter(({ vendor }) => vendor === "beta");
      const sent = JSON.stringify(first?.body);
      if (to === "chat_completions" || to === "responses") assert.equal(first?.effort, "low");
      else assert.match(sent, /thinking/i);
      assert.ok(!sent.includes("I should look around"));
      assert.ok(sent.includes("Let me look."));
      for (const request of [first, second]) {
        const calls = request?.messages.flatMap(({ toolCalls }) => toolCalls) ?? [];
        const results = request?.messages.flatMap(({ toolResults }) => toolResults) ?? [];
        assert.deepEqual(
          results.map(({ id }) => id),
          calls.map(({ id }) => id),
        );
        assert.deepEqual(
          calls.slice(0, 2).map(({ name, input }) => [name, input]),
          Array(2).fill(["list_dir", { path: "." }]),
        );
        if (to !== "gemini") for (const { id } of calls.slice(0, 2)) assert.match(id, /^[a-z0-9]{9}$/);
      }
    });

test("a fallback whose context window is far too small for the conversation is not asked; the next one is", async () => {
  const base = config("chat_completions", "responses");
  const small = { context_window: 1_000, reasoning_efforts: ["low"] };
  const played = await play(
    { goal: "one", context: "word ".repeat(2_000), model: "big" },
    {
      config: {
        ...base,
        providers: {
          acme: provider("ACME", "chat_completions", "acme-1"),
          beta: { ...provider("BETA", "responses", "beta-1"), models: { "beta-tiny": small, "beta-1": {} } },
        },
        models: {
          big: {
            model: "acme-1",
            provider: "acme",
            fallbacks: ["beta-tiny --provider beta", "beta-1 --provider beta"],
          },
        },
      },
      script: ({ keyName }) =>
        keyName === "ACME_KEY" ? { fault: { kind: "quota-exhausted", status: 402 } } : { text: "done" },
    },
  );
  assert.deepEqual(endings(played), ["completed"]);
  assert.deepEqual(played.results[0]?.route?.attempts, [
    { provider: "acme", model: "acme-1", requests: 1, failures: ["quota-exhausted"] },
    { provider: "beta", model: "beta-tiny", requests: 0, failures: ["context-overflow"] },
    { provider: "beta", model: "beta-1", requests: 1, failures: [] },
  ]);
  assert.equal(played.results[0]?.cost_status, "unknown");
});

test("the cost of a fallback counts against the same budget, at its own price", async () => {
  const dear = provider("BETA", "responses", "beta-1");
  const played = await play(
    { goal: "one", model: "big", max_cost_usd: 1 },
    {
      config: {
        ...config("chat_completions", "responses"),
        providers: {
          acme: provider("ACME", "chat_completions", "acme-1"),
          beta: { ...dear, models: { "beta-1": { reasoning_efforts: ["low"], price: { input: 1, output: 100_000 } } } },
        },
      },
      script,
    },
  );
  assert.deepEqual(endings(played), ["incomplete: max_cost"]);
  assert.equal(played.requests.filter(({ vendor }) => vendor === "beta").length, 0);
});
