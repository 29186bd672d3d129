import assert from "node:assert/strict";
import { test } from "node:test";
import { DeputyError } from "../src/errors.ts";
import { parseCall } from "../src/task.ts";

/** What is wrong with a call, a line each. */
function mistakesOf(input: unknown, maxTasks = 10): string[] {
  try {
    parseCall(input, maxTasks);
  } catch (error) {
    assert.ok(error instanceof DeputyError && error.code === "task-invalid");
    return error.message.split("\n");
  }
  return [];
}

test("one task, a list of tasks, a call and tasks as JSON text all are calls", () => {
  const one = { tasks: [{ goal: "a", model: "m" }] };
  assert.deepEqual(parseCall({ goal: "a", model: "m" }, 10), one);
  assert.deepEqual(parseCall([{ goal: "a", model: "m" }], 10), one);
  assert.deepEqual(parseCall({ tasks: '[{"goal": "a", "model": "m"}]' }, 10), one);
  assert.deepEqual(parseCall(["a"], 10), { tasks: [{ goal: "a" }] });
});

test("null, empty text and blanks mean absent; a bare text where a list belongs is wrapped", () => {
  const call = parseCall({ goal: "a", model: null, provider: "", context: "  ", toolsets: "file", tasks: "" }, 10);
  assert.deepEqual(call, { tasks: [{ goal: "a", toolsets: ["file"] }] });
});

test("every mistake of a batch is told at once, with index, field, what was found and the nearest valid thing", () => {
  const mistakes = mistakesOf({
    modle: "x",
    output_schema: {},
    tasks: [
      { goal: "a", modle: "m" },
      { goal: 3 },
      { goal: "c", reasoning_effort: "hihg" },
      { model: { model: "m", provder: "p" } },
      7,
    ],
  });
  assert.deepEqual(mistakes, [
    "modle: Unknown field `modle`. Did you mean `model`?",
    "output_schema: `output_schema` belongs to a single task: move it into tasks[].",
    "tasks[0].modle: Unknown field `modle`. Did you mean `model`?",
    "tasks[1].goal: Expected string, received number; found 3.",
    'tasks[2].reasoning_effort: Expected one of none, minimal, low, medium, high, xhigh, max; found "hihg". Did you mean high?',
    "tasks[3].goal: Required, and missing.",
    "tasks[3].model: Unknown field `provder`. Did you mean `provider`?",
    "tasks[4]: Expected a task with a goal; found 7.",
  ]);
});

test("goal beside tasks, an empty list, too many tasks and no call at all are refused in words", () => {
  assert.match(mistakesOf({ goal: "a", tasks: [{ goal: "b" }] })[0] ?? "", /`goal` cannot stand beside `tasks`/);
  assert.match(mistakesOf([])[0] ?? "", /at least one task/);
  assert.match(mistakesOf(["a", "b", "c"], 2)[0] ?? "", /at most 2 tasks in one call; found 3/);
  assert.match(mistakesOf("just a text")[0] ?? "", /Expected a task, a list of tasks or a call/);
  assert.match(mistakesOf({ tasks: "not JSON" })[0] ?? "", /Expected a list of tasks/);
});

test("effort and thinking are other names for reasoning_effort; said twice and differently they are refused", () => {
  assert.equal(parseCall({ goal: "a", thinking: "HIGH" }, 10).tasks[0]?.reasoning_effort, "high");
  assert.match(mistakesOf({ goal: "a", effort: "low", thinking: "high" })[0] ?? "", /given twice/);
});
