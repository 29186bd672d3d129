/**
 * Every built-in provider, one task each, observed on the wire of its own API mode: model, key, effort, limit, text,
 * usage.
 */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { createDeputy } from "../../src/engine/deputy.ts";
import { API_MODES } from "../../src/route.ts";
import { BUILT_IN_PROVIDERS, type BuiltInProvider } from "../../src/routing/catalog/built-in-providers.ts";
import { createMemoryJournal, createModelServer } from "../../src/testing/index.ts";
import { temporaryDirectory } from "../support/command-line.ts";

/** Clouds have separate endpoints and authentication: `clouds.test.ts`. */
const ROWS = BUILT_IN_PROVIDERS.filter(({ cloud }) => cloud === undefined);

const keyOf = ({ slug }: BuiltInProvider) => `sk-of-${slug}-0123456789`;
const HEADER = {
  chat_completions: "authorization",
  responses: "authorization",
  anthropic_messages: "x-api-key",
  gemini: "x-goog-api-key",
};

test("tasks of one call on one model each run with their own effort, in every API mode", async (t) => {
  const server = await createModelServer({ script: () => ({ text: "done" }), keys: { lab: "sk-lab-0123456789" } });
  t.after(server.close);
  const cwd = temporaryDirectory(t.after.bind(t));
  const configPath = join(cwd, "config.yaml");
  const facts = { max_output_tokens: 40_000 };
  const providers = API_MODES.map((mode) => [
    mode,
    {
      base_url: server.baseUrl(mode),
      api_mode: mode,
      api_key: "sk-lab-0123456789",
      models: { [`${mode}-1`]: facts },
    },
  ]);
  writeFileSync(configPath, JSON.stringify({ providers: Object.fromEntries(providers) }));
  const deputy = createDeputy({ env: { HOME: cwd }, cwd, configPath, journal: createMemoryJournal() });
  t.after(deputy.close);
  const efforts = ["low", "medium", "high"] as const;
  const tasks = API_MODES.flatMap((provider) =>
    efforts.map((effort) => ({ goal: effort, provider, model: `${provider}-1`, reasoning_effort: effort })),
  );
  const { results } = await deputy.delegate({ tasks });
  assert.ok(results.every(({ status }) => status === "completed"));
  for (const mode of API_MODES) {
    const sent = efforts.map((goal) => {
      const request = server.requests.find((each) => each.apiMode === mode && each.lastUserText.includes(goal));
      return request?.effort ?? request?.thinkingBudget ?? assert.fail(`${mode} ${goal}`);
    });
    assert.equal(new Set(sent).size, efforts.length, `${mode}: ${sent.join(", ")}`);
    const asWords = sent.every((each) => typeof each === "string");
    assert.deepEqual(sent, asWords ? efforts : sent.toSorted((one, other) => Number(one) - Number(other)), mode);
  }
});

test("a task at each built-in provider arrives in that one's API mode, with its key, and comes back whole", async (t) => {
  const keys = Object.fromEntries(ROWS.map((row) => [row.slug, keyOf(row)]));
  const usage = { input: 40, output: 7 };
  const server = await createModelServer({
    keys,
    extraFields: ["reasoning"],
    script: () => ({ text: "a whole answer", usage }),
  });
  t.after(server.close);
  const cwd = temporaryDirectory(t.after.bind(t));
  const configPath = join(cwd, "config.yaml");
  const facts = { max_output_tokens: 5_000 };
  const providers = ROWS.map((row) => [
    row.slug,
    {
      base_url: server.baseUrl(row.apiMode, `/${row.slug}`),
      api_mode: row.apiMode,
      api_key: keyOf(row),
      models: { [`${row.slug}-model-1`]: facts },
    },
  ]);
  writeFileSync(configPath, JSON.stringify({ providers: Object.fromEntries(providers) }));
  const deputy = createDeputy({ env: { HOME: cwd }, cwd, configPath, journal: createMemoryJournal() });
  t.after(deputy.close);
  const tasks = ROWS.map(({ slug }) => ({
    goal: `at ${slug}`,
    provider: slug,
    model: `${slug}-model-1`,
    reasoning_effort: "high" as const,
  }));
  const { results } = await deputy.delegate({ tasks });
  for (const [index, { slug, apiMode, effortField }] of ROWS.entries()) {
    const request =
      server.requests.find(({ path }) => path.startsWith(`/${slug}/`)) ?? assert.fail(`nothing at ${slug}`);
    const { model, keyName, headers, body } = request;
    assert.deepEqual([request.apiMode, model, keyName], [apiMode, `${slug}-model-1`, slug]);
    const key = `sk-of-${slug}-0123456789`;
    assert.equal(
      headers[HEADER[apiMode]],
      apiMode === "chat_completions" || apiMode === "responses" ? `Bearer ${key}` : key,
    );
    const sent = JSON.stringify(body);
    assert.match(
      sent,
      effortField ? /"reasoning":\{"effort":"high"/ : /"high"|"budget_tokens":\d{4}|"thinkingBudget":\d{4}/,
      slug,
    );
    assert.ok((request.maxTokens ?? 0) >= 5_000, slug);
    assert.ok(request.tools.length > 0, slug);
    const result = results[index];
    assert.deepEqual(
      [result?.status, result?.summary, result?.tokens.input, result?.tokens.output],
      ["completed", "a whole answer", 40, 7],
      slug,
    );
    assert.deepEqual(result?.route?.served_models, [`${slug}-model-1`]);
  }
});
