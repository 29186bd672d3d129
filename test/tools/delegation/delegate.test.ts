/** The description, schema and answers of delegate_task. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import type { AvailableModel } from "../../../src/available-models.ts";
import { DeputyError } from "../../../src/errors.ts";
import { type Report, type ReportedResult, withinLimit } from "../../../src/report.ts";
import { type Call, delegateTaskJsonSchema } from "../../../src/task.ts";
import { createDelegate, type DelegateDeps, describeDelegation } from "../../../src/tools/delegation/delegate.ts";
import { createListModels } from "../../../src/tools/delegation/list-models.ts";

const MODEL: AvailableModel = {
  model: "glm-5.1",
  provider: "zai",
  default: true,
  price_usd_per_million_tokens: null,
  context_window: null,
  reasoning_efforts: null,
  vision: null,
  tools: null,
  key_present: true,
  key_name: "ZAI_API_KEY",
};

function result(index: number, more: Partial<ReportedResult> = {}): ReportedResult {
  const { summary = `Answer ${index + 1}.` } = more;
  return {
    task_index: index,
    child_id: `r.${index + 1}`,
    status: "completed",
    exit_reason: "answered",
    summary,
    summary_chars: summary.length,
    model: "glm-5.1",
    provider: "zai",
    reasoning_effort: null,
    served_models: [],
    fallback_used: false,
    cost_usd: 0.01,
    cost_status: "known",
    duration_seconds: 1,
    files_changed: [],
    error: null,
    warnings: [],
    ...more,
  };
}

function report(results: ReportedResult[], more: Partial<Report> = {}): Report {
  return {
    delegation_id: "r",
    state: "ended",
    tasks: results.length,
    results,
    open: [],
    questions: [],
    total_cost_usd: 0.02,
    total_duration_seconds: 2,
    warnings: [],
    ...more,
  };
}

function tool(more: Partial<DelegateDeps> = {}) {
  return createDelegate({
    available: {
      aliases: [
        { alias: "small", route: { provider: "zai", model: "glm-4.7", reasoning_effort: null }, problem: null },
        { alias: "lost", route: null, problem: "No key." },
      ],
      models: [MODEL],
    },
    maxTasks: 3,
    maxConcurrent: 7,
    mayOrchestrate: false,
    maxSummaryChars: 24_000,
    restOf: (childId, offset) => `deputy show ${childId} from ${offset}`,
    submit: async () => report([result(0)]),
    ...more,
  });
}

const context = { childId: "c", signal: new AbortController().signal };

function call(...goals: string[]): { call: Call; background: boolean } {
  return { call: { tasks: goals.map((goal) => ({ goal })) }, background: false };
}

test("its description names the providers with a key, usable aliases and the limits of now", () => {
  const { description } = tool();
  assert.match(description, /Providers with a key: zai \(default glm-5\.1\)\./);
  assert.match(description, /small \(glm-4\.7 @ zai\)/);
  assert.doesNotMatch(description, /lost/);
  assert.match(description, /Limits: 3 tasks per call, 7 children at once/);
  assert.match(description, /all roles are `leaf`/);
  assert.match(tool({ mayOrchestrate: true }).description, /`role: orchestrator` may delegate/);
});

test("its schema is that of a task file, word for word", () => {
  const { $schema: _, ...shown } = z.toJSONSchema(tool().input, { io: "input" });
  assert.deepEqual(shown, delegateTaskJsonSchema());
});

test("a model's input is read as on every surface, and errors name their place", () => {
  const { input } = tool();
  assert.deepEqual(input.parse({ goal: "Look.", model: null }), call("Look."));
  assert.deepEqual(input.parse({ tasks: '[{"goal":"a"},{"goal":"b"}]' }), call("a", "b"));
  const wrong = input.safeParse({ tasks: [{ goal: "a", modle: "x" }] });
  assert.match(wrong.error?.issues[0]?.message ?? "", /Unknown field `modle`\. Did you mean `model`\?/);
  assert.deepEqual(wrong.error?.issues[0]?.path, ["tasks[0].modle"]);
});

test("background is a field only where it is offered", () => {
  const asked = { goal: "a", background: true };
  assert.match(tool().input.safeParse(asked).error?.issues[0]?.message ?? "", /over MCP: elsewhere a call waits/);
  assert.deepEqual(tool({ supportsBackground: true }).input.parse(asked), { ...call("a"), background: true });
  assert.ok(!tool({ supportsBackground: true }).input.safeParse({ goal: "a", background: "soon" }).success);
});

test("money has the same format for models and users", async () => {
  const spent = { ...report([result(0)]), total_cost_usd: 12.345678 };
  const { text } = await tool({ submit: async () => spent }).run(call("a"), context);
  assert.match(text, /^Delegation r \(ended\): .*, \$12\.35\./);
  const partly = { ...report([result(0), result(1, { cost_usd: null })]), total_cost_usd: null };
  const { text: known } = await tool({ submit: async () => partly }).run(call("a", "b"), context);
  assert.match(known, /^Delegation r \(ended\): .*, \$0\.0100 \+ unknown\./);
  const guessed = result(1, { cost_status: "estimated" });
  const open = { task_index: 2, child_id: "r.3", goal: "c", activity: "thinking", duration_seconds: 12 };
  const waiting = [{ ...open, cost_usd: 0.004, cost_status: "estimated" as const }];
  const { text: about } = await tool({ submit: async () => report([result(0), guessed], { open: waiting }) }).run(
    call("a", "b", "c"),
    context,
  );
  assert.match(about, /^Delegation r \(ended\): .*, ~\$0\.0200\./);
  assert.match(about, /r\.1 completed: .*, \$0\.0100\n/);
  assert.match(about, /r\.2 completed: .*, ~\$0\.0100\n/);
  assert.match(about, /- \[3\/2\] c: thinking \(12 s, ~\$0\.0040\)/);
});

test("results are reported in task order, with route and cost", async () => {
  const { ok, text, data } = await tool({
    submit: async () =>
      report([
        result(0),
        result(1, { status: "rejected", exit_reason: "missing-key", summary: "", model: null, error: "No key for x." }),
      ]),
  }).run(call("a", "b"), context);
  assert.equal(ok, true);
  assert.match(text, /^Delegation r \(ended\): 2 of 2 ended, 1 not completed, 2\.0 s, \$0\.0200\./);
  assert.match(text, /## \[1\/2\] r\.1 completed: glm-5\.1 @ zai, 1\.0 s, \$0\.0100\nAnswer 1\./);
  assert.match(text, /## \[2\/2\] r\.2 rejected \(missing-key\): not started\nError: No key for x\./);
  assert.equal((data as Report).results.length, 2);
});

test("if nothing can start, the model gets suggestions", async () => {
  const { ok, text } = await tool({
    submit: async () => {
      throw new DeputyError("nothing-to-run", "No task can start: did you mean glm-5.1?");
    },
  }).run(call("a"), context);
  assert.deepEqual([ok, text], [false, "No task can start: did you mean glm-5.1?"]);
});

test("answers share the limit, short ones leave their part to long ones, and a cut points to the rest", async () => {
  const long = "x".repeat(30_000);
  const { text, data } = await tool({
    maxSummaryChars: 10_000,
    submit: async () => report([result(0, { summary: "short" }), result(1, { summary: long })]),
  }).run(call("a", "b"), context);
  const [short, cut] = (data as Report).results;
  assert.equal(short?.summary, "short");
  assert.equal(cut?.summary.length, 9_995);
  assert.match(text, /\[Cut: 9995 of 30000 characters\. Read the rest: deputy show r\.2 from 9995\.\]/);
});

test("however many there are, each answer has at least 2,000 characters, and no character is cut in half", () => {
  const many = report(Array.from({ length: 50 }, (_, index) => result(index, { summary: `${"x".repeat(1_999)}😀😀` })));
  const { results } = withinLimit(many, 24_000);
  assert.ok(results.every(({ summary }) => summary === "x".repeat(1_999)));
});

test("its description counts the agent definitions and leaves long lists to list_models", () => {
  const facts = { maxTasks: 9, maxConcurrent: 2, mayOrchestrate: false };
  const route = { provider: "zai", model: "glm-4.7", reasoning_effort: null };
  const aliases = Array.from({ length: 40 }, (_, index) => ({ alias: `name-${index}`, route, problem: null }));
  const agents = [{ name: "reviewer", description: "Reviews code" }];
  const described = describeDelegation({ ...facts, available: { aliases, models: [], agents } });
  assert.match(described, /Aliases: name-0 \(glm-4\.7 @ zai\), .*, \d+ more in list_models\./);
  assert.match(described, /Agents: 1; list_models describes them\.$/);
  assert.doesNotMatch(described, /reviewer|Reviews/);
  assert.ok(described.length <= 1000, `${described.length} characters`);
  assert.doesNotMatch(describeDelegation({ ...facts, available: { aliases: [], models: [] } }), /Aliases|Agents/);
});

test("list_models names agents with what they are for, in one short line each", async () => {
  const agents = [
    { name: "reviewer", description: `Reviews\ncode ${"x".repeat(300)}` },
    { name: "tester", description: null },
  ];
  const { text, data } = await createListModels({ listModels: () => ({ aliases: [], models: [], agents }) }).run(
    {},
    context,
  );
  assert.match(text, /Agents \(for `agent`\):\n- reviewer: Reviews code x+…\n- tester\n/);
  assert.ok(text.split("\n").every((line) => line.length < 200));
  assert.deepEqual(data?.agents, agents);
});
