/**
 * Every input has an effect: every field of `delegate_task`, every config key, every variable and every flag of `deputy
 * run`, listed from their declarations. One without a test fails here, and so does a test without one.
 */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { Ajv2020 } from "ajv/dist/2020.js";
import { Command } from "commander";
import { declareRun } from "../src/cli/commands/run.ts";
import { OVERRIDES } from "../src/config/load.ts";
import { configKeys, documentKeys } from "../src/config-schema.ts";
import { CALL_FIELDS, delegateTaskJsonSchema, OTHER_NAMES, parseCall, TASK_FIELDS } from "../src/task.ts";
import { CALL_EFFECTS } from "./fields/call.ts";
import { AGENT_EFFECTS } from "./fields/config-agents.ts";
import { COMPACTION_EFFECTS } from "./fields/config-compaction.ts";
import { EVENT_EFFECTS } from "./fields/config-events.ts";
import { LIMIT_EFFECTS } from "./fields/config-limits.ts";
import { MCP_EFFECTS } from "./fields/config-mcp.ts";
import { MCP_SERVER_EFFECTS } from "./fields/config-mcp-servers.ts";
import { NOTIFY_EFFECTS } from "./fields/config-notify.ts";
import { PROVIDER_EFFECTS } from "./fields/config-providers.ts";
import { ROUTE_EFFECTS } from "./fields/config-routes.ts";
import { TOOL_EFFECTS } from "./fields/config-tools.ts";
import { WEB_EFFECTS } from "./fields/config-web.ts";
import type { Effects } from "./fields/effects.ts";
import { FLAG_EFFECTS } from "./fields/flags.ts";
import { ISOLATION_CALL_EFFECTS, ISOLATION_EFFECTS } from "./fields/isolation.ts";
import { TASK_EFFECTS } from "./fields/task.ts";
import { VARIABLE_EFFECTS } from "./fields/variables.ts";

/** Runs every effect, and finds declarations without a test and tests without a declaration. */
function seen(paths: readonly string[], effects: Effects): void {
  test("each has a test, and each test has one of them", () => {
    const untested = paths.filter((path) => effects[path] === undefined);
    const unknown = Object.keys(effects).filter((path) => !paths.includes(path));
    assert.deepEqual({ untested, unknown }, { untested: [], unknown: [] });
  });
  for (const [path, effect] of Object.entries(effects)) test(path, effect);
}

const callSchema = delegateTaskJsonSchema();
const callPaths = documentKeys(callSchema).map(({ path }) => path);
/** The schema leaves the fields of a model in object form to the parser. */
const modelPaths = ["model", "tasks[].model"].flatMap((path) =>
  ["model", "provider", "reasoning_effort"].map((field) => `${path}.${field}`),
);

describe("every field of delegate_task has its effect", () => {
  const otherNames = Object.keys(OTHER_NAMES);
  seen([...callPaths, ...modelPaths, ...otherNames, ...otherNames.map((name) => `tasks[].${name}`)], {
    ...CALL_EFFECTS,
    ...TASK_EFFECTS,
    ...ISOLATION_CALL_EFFECTS,
  });
});

describe("the JSON Schema of delegate_task and the parser take the same", () => {
  const isValid = new Ajv2020().compile(callSchema);
  const takes = (input: unknown) => {
    try {
      return parseCall(input, 10) !== undefined;
    } catch {
      return false;
    }
  };
  /** A value of each field. */
  const samples: Record<string, unknown> = {
    goal: "one",
    context: "text",
    model: { model: "x", provider: "y", reasoning_effort: "low" },
    provider: "y",
    reasoning_effort: "high",
    toolsets: ["file"],
    max_iterations: 3,
    timeout_seconds: 1.5,
    max_cost_usd: 0.5,
    output_schema: { type: "object" },
    workspace: "inner",
    tags: ["explore"],
    agent: "reviewer",
    images: ["chart.png"],
    files: ["notes.md"],
    role: "orchestrator",
    isolation: "worktree",
    base: "main",
    tasks: [{ goal: "one" }],
  };

  test("the schema has the fields of a task and of a call, and no other", () => {
    const isOuter = (path: string) => !/[.[]/.test(path);
    assert.deepEqual(new Set(callPaths.filter(isOuter)), new Set([...TASK_FIELDS, ...CALL_FIELDS]));
    const inner = callPaths
      .filter((path) => /^tasks\[\]\.\w+$/.test(path))
      .map((path) => path.slice("tasks[].".length));
    assert.deepEqual(new Set(inner), new Set(TASK_FIELDS));
    assert.deepEqual(new Set(Object.keys(samples)), new Set([...TASK_FIELDS, ...CALL_FIELDS]));
  });

  for (const [field, sample] of Object.entries(samples)) {
    test(`both take ${field} where it belongs, and refuse what it cannot be`, () => {
      const inTask = (value: unknown) => ({ tasks: [{ goal: "one", [field]: value }] });
      const besideTasks = (value: unknown) => ({ tasks: [{ goal: "one" }], [field]: value });
      const places = [
        ...(TASK_FIELDS.includes(field) ? [inTask, (value: unknown) => ({ goal: "one", [field]: value })] : []),
        ...(CALL_FIELDS.includes(field) ? [besideTasks] : []),
      ];
      for (const place of places) {
        assert.deepEqual([takes(place(sample)), isValid(place(sample))], [true, true]);
        assert.deepEqual([takes(place(false)), isValid(place(false))], [false, false]);
      }
    });
  }

  test("both reject an unknown field, at any depth", () => {
    for (const input of [
      { goal: "one", gaol: "x" },
      { tasks: [{ goal: "one", gaol: "x" }] },
      { tasks: [{ goal: "one" }], gaol: "x" },
    ])
      assert.deepEqual([takes(input), isValid(input)], [false, false], JSON.stringify(input));
    assert.equal(takes({ goal: "one", model: { model: "x", modle: "y" } }), false);
  });
});

describe("every config key has its effect", () => {
  seen(
    configKeys().map(({ path }) => path),
    {
      ...ROUTE_EFFECTS,
      ...AGENT_EFFECTS,
      ...PROVIDER_EFFECTS,
      ...LIMIT_EFFECTS,
      ...ISOLATION_EFFECTS,
      ...TOOL_EFFECTS,
      ...WEB_EFFECTS,
      ...MCP_EFFECTS,
      ...MCP_SERVER_EFFECTS,
      ...EVENT_EFFECTS,
      ...NOTIFY_EFFECTS,
      ...COMPACTION_EFFECTS,
    },
  );
});

describe("every variable of Deputy's own has its effect", () => {
  const src = join(import.meta.dirname, "../src");
  const texts = globSync("**/*.ts", { cwd: src }).map((path) => readFileSync(join(src, path), "utf8"));
  const named = texts.flatMap((text) => text.match(/\bDEPUTY_[A-Z_]*[A-Z]\b/g) ?? []);
  seen([...new Set([...Object.keys(OVERRIDES), ...named])], VARIABLE_EFFECTS);
});

describe("every flag of deputy run has its effect", () => {
  const command = new Command();
  declareRun(command, undefined as never);
  const words = command.registeredArguments.map((argument) => `[${argument.name()}]`);
  seen([...words, ...command.options.map(({ long, flags }) => long ?? flags)], FLAG_EFFECTS);
});
