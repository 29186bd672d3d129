/** Arguments as clients and models write them: numbers, booleans and lists as text, and null for what is absent. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Report } from "../../src/report.ts";
import { CLIENTS } from "../support/mcp-clients.ts";
import { onMcpStage } from "../support/mcp-stage.ts";

const TASK = {
  goal: "one",
  max_iterations: "5",
  timeout_seconds: "30",
  max_cost_usd: "0.5",
  tags: "explore, review",
  toolsets: "file, search",
  output_schema: { type: "object", description: null, properties: { a: { type: "string", title: null } } },
  context: null,
  model: { model: "acme-1", provider: null },
};

test("a task whose values are written as text, or as null, runs as if they were not", async () => {
  const config = { delegation: { allow_unknown_price: true } };
  await onMcpStage({ script: () => ({ text: '{"a": "b"}' }), config }, async ({ client, engine }) => {
    for (const kind of CLIENTS) {
      const agent = await client(kind);
      const calls = [
        TASK,
        { ...TASK, output_schema: JSON.stringify(TASK.output_schema) },
        { tasks: [TASK, null], model: null },
        { tasks: [JSON.stringify(TASK)], max_cost_usd: "1" },
        { tasks: { 0: TASK } },
        { tasks: JSON.stringify(JSON.stringify([TASK])) },
      ];
      for (const call of calls) {
        const { data, isError, text } = await agent.call("delegate_task", call);
        assert.ok(!isError, `${JSON.stringify(call)}: ${text}`);
        const { delegation_id: id, results } = data as Report;
        assert.equal(results[0]?.status, "completed");
        const task = (await engine.run(id)).run.children[0]?.tally.planned.task;
        assert.deepEqual(
          [task?.max_iterations, task?.timeout_seconds, task?.max_cost_usd, task?.tags, task?.toolsets],
          [5, 30, 0.5, ["explore", "review"], ["file", "search"]],
        );
        assert.deepEqual(task?.output_schema, { type: "object", properties: { a: { type: "string" } } });
      }
    }
  });
});

test("an option of any tool may be text; what is no number or boolean is an error that names it", async () => {
  await onMcpStage({}, async ({ client }) => {
    const agent = await client("2.x");
    for (const background of ["true", "False", null, true]) {
      const { isError, text } = await agent.call("delegate_task", { goal: "one", background });
      assert.ok(!isError, `${background}: ${text}`);
    }
    const { isError } = await agent.call("list_models", { all: "true", offset: "0", match: null });
    assert.ok(!isError);
    assert.ok(!(await agent.call("check_delegation", { wait_seconds: "0" })).isError);
    for (const [tool, written, told] of [
      ["delegate_task", { goal: "one", background: "later" }, /background: Expected true or false.*Found "later"/],
      ["delegate_task", { tasks: [{ goal: "one", max_iterations: "a few" }] }, /tasks\[0\]\.max_iterations: .*"a few"/],
      ["list_models", { all: "maybe" }, /all: .*expected boolean/],
      ["check_delegation", { wait_seconds: "soon" }, /wait_seconds: .*expected number/],
    ] as const) {
      const refused = await agent.call(tool, written);
      assert.ok(refused.isError);
      assert.match(refused.text, told);
    }
  });
});
