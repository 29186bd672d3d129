/** The descriptions in the schema of `delegate_task`, which models read. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { delegateTaskJsonSchema } from "../src/task.ts";

type Described = { description?: string; properties?: Record<string, Described>; items?: Described };
const schema = delegateTaskJsonSchema() as Described;
const besideTasks = schema.properties ?? {};
const ofTask = schema.properties?.tasks?.items?.properties ?? {};

const LESSONS: [lesson: string, field: string, words: RegExp][] = [
  ["a bare id", "model", /bare id \(`glm-5\.1`\)/],
  ["an alias", "model", /alias \(`small`\)/],
  ["a family's name", "model", /family \(`haiku`: its newest version\)/],
  ["the provider as a flag", "model", /`x --provider y`/],
  ["the field for the provider", "model", /use the `provider` field/],
  [
    "what MODEL-ONLY keeps",
    "model",
    /MODEL-ONLY: without a provider, the current provider and its credentials are kept/,
  ],
  [
    "not to name a provider before a colon",
    "model",
    /DO NOT write `provider:model`: a colon marks a variant \(`:free`, `:thinking`\)/,
  ],
  ["what PROVIDER OVERRIDE discards", "provider", /PROVIDER OVERRIDE: endpoint, key and API mode.*ones are discarded/],
  ["the other words for effort", "reasoning_effort", /`effort` or `thinking`/],
  ["which context tasks share", "context", /With `tasks`, all tasks share it/],
  ["whose rules match tags", "tags", /user's routing rules/],
];

describe("the schema teaches:", () => {
  for (const [lesson, field, words] of LESSONS)
    test(lesson, () => assert.match(besideTasks[field]?.description ?? "", words));
});

test("each field is described once: next to `tasks`, and not again inside a task", () => {
  for (const [name, { description }] of Object.entries(besideTasks)) assert.ok(description, name);
  assert.deepEqual(
    Object.keys(ofTask).filter((name) => ofTask[name]?.description !== undefined),
    [],
  );
});

test("no field of the schema could hold a key, an endpoint or a command", () => {
  const names = [...Object.keys(besideTasks), ...Object.keys(ofTask)];
  assert.deepEqual(
    names.filter((name) => /key|url|token|secret|command|header/.test(name)),
    [],
  );
});
