// biome-ignore-all lint/suspicious/noTemplateCurlyInString: `${NAME}` is how a config names a variable.
/** Where a request marks the prefix that a provider may cache, over HTTP. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ModelRequest, Script } from "../../../../src/testing/index.ts";
import { isRecord } from "../../../../src/values/record.ts";
import { TINY_PNG } from "../../../support/tiny-images.ts";
import { type Document, play } from "../../../support/whole-stage.ts";

const stepOf = ({ messages }: ModelRequest) => messages.filter(({ role }) => role === "assistant").length + 1;
const script: Script = (request) =>
  stepOf(request) <= 3
    ? {
        toolCalls: [{ id: `c${stepOf(request)}`, name: "list_dir", input: { path: `d${stepOf(request)}` } }],
        usage: { input: 2_000, cached: stepOf(request) > 1 ? 1_500 : 0 },
      }
    : { text: "done", usage: { input: 2_000, cached: 1_500 } };

const config = (model: string, mode: string): Document => ({
  providers: {
    acme: {
      base_url: `\${ACME_URL}${mode === "anthropic_messages" ? "" : "/v1"}`,
      api_key: "${ACME_KEY}",
      api_mode: mode,
      default_model: model,
    },
  },
});

/** The paths in a body at which `cache_control` stands. */
function marks(value: unknown, path = ""): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    key === "cache_control" ? [path] : marks(inner, path === "" ? key : `${path}.${key}`),
  );
}

/** A text in a part is the same as the text alone. */
function withoutMarks(key: string, value: unknown): unknown {
  if (key === "cache_control") return undefined;
  return key === "content" && typeof value === "string" ? [{ type: "text", text: value }] : value;
}

function assertSamePrefix(requests: readonly ModelRequest[]): void {
  const messages = requests.map(({ body }) =>
    (body.messages as unknown[]).map((message) => JSON.stringify(message, withoutMarks)),
  );
  for (const [index, later] of messages.entries())
    if (index > 0) assert.deepEqual(later.slice(0, messages[index - 1]?.length), messages[index - 1]);
}

describe("Claude in Anthropic's format", () => {
  test("marks the system prompt, this request's end and the one before", async () => {
    const { requests, results } = await play(
      { goal: "Look." },
      { config: config("claude-sonnet-5", "anthropic_messages"), script },
    );
    assert.deepEqual(
      requests.map(({ body }) => marks(body)),
      [
        ["system.0", "messages.0.content.0"],
        ["system.0", "messages.0.content.0", "messages.2.content.0"],
        ["system.0", "messages.2.content.0", "messages.4.content.0"],
        ["system.0", "messages.4.content.0", "messages.6.content.0"],
      ],
    );
    const [result] = results;
    assert.deepEqual([result?.tokens.input, result?.tokens.cached, result?.cached_share], [8_000, 4_500, 0.563]);
  });

  test("a prefix that was marked stays as it was, so that the cache is found again", async () => {
    const { requests } = await play(
      { goal: "Look." },
      { config: config("claude-sonnet-5", "anthropic_messages"), script },
    );
    assertSamePrefix(requests);
  });

  test("a child without tools, which asks once, marks only what its siblings share", async () => {
    const { requests } = await play(
      { goal: "Say it.", toolsets: [] },
      { config: config("claude-sonnet-5", "anthropic_messages") },
    );
    assert.deepEqual(
      requests.map(({ body }) => marks(body)),
      [["system.0"]],
    );
  });
});

describe("Claude on OpenRouter", () => {
  const files = { "work/dot.png": TINY_PNG, "work/empty/.keep": "" };
  const onOpenRouter = (model: string, more: Document = {}): Document => ({
    providers: {
      openrouter: {
        base_url: "${ACME_URL}/v1",
        api_key: "${ACME_KEY}",
        models: { [model]: { vision: true, ...more } },
      },
    },
  });
  const ask = (model: string, script: Script, task = {}) =>
    play({ goal: "Look.", provider: "openrouter", model, ...task }, { config: onOpenRouter(model), files, script });

  test("marks text parts, of tool messages too, and never beside the content", async () => {
    const { requests, results } = await ask("anthropic/claude-sonnet-5", script);
    assert.deepEqual(
      requests.map(({ body }) => marks(body)),
      [
        ["messages.0.content.0", "messages.1.content.0"],
        ["messages.0.content.0", "messages.1.content.0", "messages.3.content.0"],
        ["messages.0.content.0", "messages.3.content.0", "messages.5.content.0"],
        ["messages.0.content.0", "messages.5.content.0", "messages.7.content.0"],
      ],
    );
    assertSamePrefix(requests);
    assert.equal(results[0]?.cached_share, 0.563);
  });

  test("marks the last of several results, and what follows images", async () => {
    const looks: Script = (request) =>
      stepOf(request) === 1
        ? {
            toolCalls: [
              { id: "c1", name: "read_file", input: { path: "dot.png" } },
              { id: "c2", name: "list_dir", input: { path: "." } },
            ],
          }
        : { text: "done" };
    const { requests } = await ask("anthropic/claude-sonnet-5", looks, { images: ["dot.png"] });
    assert.deepEqual(
      requests.map(({ body }) => marks(body)),
      [
        ["messages.0.content.0", "messages.1.content.1"],
        ["messages.0.content.0", "messages.4.content.0", "messages.5.content.1"],
      ],
    );
  });

  test("marks no text that is blank, which Anthropic rejects", async () => {
    const reads: Script = (request) =>
      stepOf(request) === 1
        ? { toolCalls: [{ id: "c1", name: "read_file", input: { path: "empty/.keep" } }] }
        : { text: "done" };
    const { requests } = await ask("anthropic/claude-sonnet-5", reads);
    for (const { body } of requests)
      for (const path of marks(body)) assert.match(String(valueAt(body, `${path}.text`)), /\S/);
  });

  for (const model of ["openai/gpt-5.4", "google/gemini-3-pro-preview"])
    test(`${model} there gets no marks`, async () => {
      const { requests } = await ask(model, script);
      assert.deepEqual(
        requests.flatMap(({ body }) => marks(body)),
        [],
      );
    });
});

function valueAt(value: unknown, path: string): unknown {
  return path
    .split(".")
    .reduce<unknown>(
      (inner, key) => (isRecord(inner) || Array.isArray(inner) ? Reflect.get(inner, key) : undefined),
      value,
    );
}

for (const [model, mode] of [
  ["kimi-k2-thinking", "anthropic_messages"],
  ["claude-sonnet-5", "chat_completions"],
  ["gpt-5.2", "responses"],
] as const)
  test(`${model} in ${mode} gets no marks, which it may reject`, async () => {
    const { requests } = await play({ goal: "Look." }, { config: config(model, mode), script });
    assert.deepEqual(
      requests.flatMap(({ body }) => marks(body)),
      [],
    );
  });
