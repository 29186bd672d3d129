import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { DeputyError } from "../src/errors.ts";
import { parseCall } from "../src/task.ts";

/** Errors of a call, one per line. */
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

test("every error of a batch is reported at once, with index, field, found value and a suggestion", () => {
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
    "task 1, modle: Unknown field `modle`. Did you mean `model`?",
    "task 2, goal: Expected string, received number; found 3.",
    'task 3, reasoning_effort: Expected one of none, minimal, low, medium, high, xhigh, max; found "hihg". Did you mean high?',
    "task 4, goal: Required but missing.",
    "task 4, model: Unknown field `provder`. Did you mean `provider`?",
    "task 5: Expected a task with a goal; found 7.",
  ]);
});

test("goal next to tasks, an empty list, too many tasks and an empty call are rejected with a message", () => {
  assert.match(mistakesOf({ goal: "a", tasks: [{ goal: "b" }] })[0] ?? "", /`goal` cannot be next to `tasks`/);
  assert.match(mistakesOf([])[0] ?? "", /at least one task/);
  assert.match(mistakesOf(["a", "b", "c"], 2)[0] ?? "", /at most 2 tasks in one call; found 3/);
  assert.match(mistakesOf("just a text")[0] ?? "", /Expected a task, a list of tasks or a call/);
  assert.match(mistakesOf({ tasks: "not JSON" })[0] ?? "", /Expected a list of tasks/);
});

test("a call without a task says both ways to give one, and names a mistyped tasks", () => {
  const neither = "Expected `goal`, for one task, or `tasks`, a list of tasks; found neither.";
  assert.deepEqual(mistakesOf({}), [neither]);
  assert.deepEqual(mistakesOf({ goal: "", tasks: null, max_iterations: 0.5 }), [
    neither,
    "max_iterations: Expected int, received number; found 0.5.",
  ]);
  for (const written of ["task", "taks", "Tasks", "task_list"])
    assert.deepEqual(mistakesOf({ [written]: [{ goal: "a" }], model: "m" }), [
      `${written}: Unknown field \`${written}\`. Did you mean \`tasks\`?`,
      neither,
    ]);
  assert.deepEqual(mistakesOf([{ tasks: [{ goal: "a" }], goal: "b" }]), [
    "task 1, tasks: A task cannot contain `tasks`. Put them all into one list.",
  ]);
});

test("effort and thinking are synonyms of reasoning_effort; conflicting values are rejected", () => {
  assert.equal(parseCall({ goal: "a", thinking: "HIGH" }, 10).tasks[0]?.reasoning_effort, "high");
  assert.match(mistakesOf({ goal: "a", effort: "low", thinking: "high" })[0] ?? "", /given twice/);
});

test("JSON text where a list or an object belongs is that list or object, however often it was made text", () => {
  const call = {
    goal: "a",
    tags: ["explore"],
    toolsets: ["file"],
    images: ["a.png"],
    output_schema: { type: "object" },
  };
  const parsed = { tasks: [call] };
  const asText = (depth: number) => (value: unknown) =>
    Array.from({ length: depth }).reduce<unknown>((inner) => JSON.stringify(inner), value);
  for (const depth of [1, 2, 3]) {
    const { goal, ...fields } = call;
    const written = Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, asText(depth)(value)]));
    assert.deepEqual(parseCall({ goal, ...written }, 10), parsed);
    assert.deepEqual(parseCall({ tasks: asText(depth)([call]) }, 10), parsed);
    assert.deepEqual(parseCall({ tasks: [asText(depth)(call)] }, 10), parsed);
    assert.deepEqual(parseCall(asText(depth)(call), 10), parsed);
    const pair = { model: "m2", provider: "lab" };
    assert.deepEqual(parseCall({ goal, model: asText(depth)(pair) }, 10), { tasks: [{ goal, model: pair }] });
  }
  assert.deepEqual(parseCall({ goal: "a", tags: ['["b","c"]', "d"] }, 10), {
    tasks: [{ goal: "a", tags: ["b", "c", "d"] }],
  });
  assert.deepEqual(parseCall({ goal: "a", tags: '"b"', model: '"m"' }, 10), {
    tasks: [{ goal: "a", tags: ["b"], model: "m" }],
  });
});

test("text that begins like JSON but is not JSON is an error, never one word of that spelling", () => {
  for (const [field, text] of [
    ["tags", '["explore"'],
    ["tags", "[explore]"],
    ["toolsets", "['file']"],
    ["images", '["a.png",]'],
    ["model", '{"model": "m2", "provider": }'],
    ["model", "{model: m2}"],
    ["output_schema", '{"type": "object"'],
  ] as const)
    assert.match(mistakesOf({ goal: "a", [field]: text })[0] ?? "", new RegExp(`^${field}: Expected valid JSON`));
  assert.match(mistakesOf({ tasks: ['{"goal": "a"'] })[0] ?? "", /^task 1: Expected valid JSON/);
  assert.match(mistakesOf({ goal: "a", model: '["m"]' })[0] ?? "", /^model: Expected a model name or/);
  assert.match(mistakesOf({ goal: "a", output_schema: "object" })[0] ?? "", /^output_schema: Expected record/);
});

test("text stays text where text belongs, and where it only looks a little like JSON", () => {
  const json = '{"goal": "b"}';
  assert.deepEqual(parseCall({ goal: json, context: '["a"]' }, 10), { tasks: [{ goal: json, context: '["a"]' }] });
  for (const goal of ["[urgent] Fix it", "{{item}} of it", '"Hello" in French', "{a} and {b}"])
    assert.deepEqual(parseCall([goal], 10), { tasks: [{ goal }] });
  assert.deepEqual(parseCall({ goal: "a", images: "[draft] plan.png" }, 10).tasks[0]?.images, ["[draft] plan.png"]);
});

test("null and blanks are absent inside of a list and of a model too; a list that was empty stays", () => {
  const model = { model: "m", provider: null, reasoning_effort: "" };
  const call = parseCall({ goal: "a", model, tags: [null, "b", " "], images: [null], toolsets: [] }, 10);
  assert.deepEqual(call, { tasks: [{ goal: "a", model: { model: "m" }, tags: ["b"], toolsets: [] }] });
  assert.deepEqual(parseCall({ goal: "a", model: { model: null } }, 10), { tasks: [{ goal: "a" }] });
  const schema = { properties: { a: { const: null } } };
  assert.deepEqual(parseCall({ goal: "a", output_schema: schema }, 10).tasks[0]?.output_schema, schema);
});

test("numbers written as text are numbers; other text is an error with its index, its field and what was found", () => {
  const limits = { max_iterations: "5", timeout_seconds: " 30 ", max_cost_usd: "0.5" };
  const read = { max_iterations: 5, timeout_seconds: 30, max_cost_usd: 0.5 };
  assert.deepEqual(parseCall({ goal: "a", ...limits }, 10), { tasks: [{ goal: "a", ...read }] });
  assert.deepEqual(parseCall({ tasks: [{ goal: "a", ...limits }], ...limits }, 10), {
    tasks: [{ goal: "a", ...read }],
    ...read,
  });
  for (const [written, value] of Object.entries({ "5.0": 5, "1e2": 100, '"7"': 7, "+8": 8 }))
    assert.equal(parseCall({ goal: "a", max_iterations: written }, 10).tasks[0]?.max_iterations, value);
  assert.deepEqual(parseCall({ goal: "a", max_iterations: "null" }, 10), { tasks: [{ goal: "a" }] });
  for (const text of ["five", "30 parsecs", "m", "1h 5", "$3", "1,000", "0x10", "Infinity", "true", "5 6"])
    assert.deepEqual(mistakesOf({ tasks: ["b", { goal: "a", timeout_seconds: text }] }), [
      `task 2, timeout_seconds: Expected number, received string; found "${text}".`,
    ]);
  assert.match(
    mistakesOf({ goal: "a", max_iterations: "2.5" })[0] ?? "",
    /^max_iterations: Expected int.*found 2\.5\.$/,
  );
  assert.match(mistakesOf({ goal: "a", max_cost_usd: "-1" })[0] ?? "", /^max_cost_usd: .*found -1\.$/);
  assert.match(mistakesOf({ goal: "a", max_iterations: true })[0] ?? "", /found true\.$/);
});

test("a number or a boolean where text belongs stays an error, and text that looks like one stays text", () => {
  assert.match(mistakesOf({ goal: 5 })[0] ?? "", /^goal: Expected string, received number; found 5\.$/);
  const text = { goal: "5", context: "true", tags: ["7"], model: "4" };
  assert.deepEqual(parseCall(text, 10), { tasks: [text] });
});

test("words separated by commas are a list of words; a comma in a path, a URL or a goal separates nothing", () => {
  const words = { tags: "explore, review", toolsets: "file,search," };
  const lists = { tags: ["explore", "review"], toolsets: ["file", "search"] };
  assert.deepEqual(parseCall({ goal: "a", ...words }, 10).tasks, [{ goal: "a", ...lists }]);
  assert.deepEqual(parseCall({ goal: "a", tags: ["explore, review"], toolsets: '["file, search"]' }, 10).tasks, [
    { goal: "a", ...lists },
  ]);
  assert.deepEqual(parseCall({ tasks: ["a, b"], toolsets: "file, search" }, 10), {
    tasks: [{ goal: "a, b" }],
    toolsets: ["file", "search"],
  });
  const images = ["a, b.png", "data:image/png;base64,AAAA"];
  assert.deepEqual(parseCall({ goal: "a", images }, 10).tasks[0]?.images, images);
  assert.deepEqual(parseCall({ goal: "a", tags: "code review" }, 10).tasks[0]?.tags, ["code review"]);
});

test("a list as an object with numbers for keys is that list", () => {
  const tasks = { 0: { goal: "a" }, 1: "b" };
  assert.deepEqual(parseCall({ tasks }, 10), { tasks: [{ goal: "a" }, { goal: "b" }] });
  assert.deepEqual(parseCall({ tasks: JSON.stringify(tasks) }, 10), { tasks: [{ goal: "a" }, { goal: "b" }] });
  assert.deepEqual(parseCall({ goal: "a", tags: { 1: "x", 2: "y" } }, 10).tasks[0]?.tags, ["x", "y"]);
  assert.deepEqual(parseCall({ tasks: { goal: "a" } }, 10), { tasks: [{ goal: "a" }] });
  assert.match(mistakesOf({ tasks: { 0: "a", first: "b" } }).join(" "), /Unknown field `0`.*Unknown field `first`/);
});

test("null among tasks is absent, and the others keep their index in an error", () => {
  assert.deepEqual(parseCall({ tasks: [null, { goal: "a" }] }, 1), { tasks: [{ goal: "a" }] });
  assert.match(mistakesOf({ tasks: [null, { gaol: "a" }] })[0] ?? "", /^task 2, gaol: /);
  assert.match(mistakesOf({ tasks: [null] })[0] ?? "", /at least one task; found an empty list/);
});

test("null in a schema is an absent keyword; in data it is null, and as a name it is any name", () => {
  const parsed = (schema: unknown) => parseCall({ goal: "a", output_schema: schema }, 10).tasks[0]?.output_schema;
  const written = {
    type: "object",
    description: null,
    required: ["default", null],
    properties: { default: { type: "string", minLength: null, default: null }, gone: null },
    anyOf: [null, { title: null, enum: ["a", null], const: null }],
  };
  const meant = {
    type: "object",
    required: ["default"],
    properties: { default: { type: "string", default: null } },
    anyOf: [{ enum: ["a", null], const: null }],
  };
  assert.deepEqual(parsed(written), meant);
  assert.deepEqual(parsed(JSON.stringify(written)), meant);
  assert.deepEqual(parsed({ type: ["string", null] }), { type: ["string", "null"] });
  assert.deepEqual(parsed({ properties: JSON.parse('{"__proto__": {"title": null}}') }), {
    properties: JSON.parse('{"__proto__": {}}'),
  });
});

test("JSON in a block of code, or in a word processor's quotes alone, is that JSON", () => {
  const tasks = [{ goal: "a", tags: ["x"] }];
  const json = JSON.stringify(tasks);
  for (const text of [`\`\`\`json\n${json}\n\`\`\``, `\`\`\`\n${json}\n\`\`\``, "[{“goal”: “a”, “tags”: [“x”]}]"])
    assert.deepEqual(parseCall({ tasks: text }, 10), { tasks });
  assert.deepEqual(parseCall({ tasks: ["{“goal”: “a”}"] }, 10), { tasks: [{ goal: "a" }] });
  for (const goal of ["{“x”} is a set: say “why”", "“Hello” in French", "```\nls\n``` does what?"])
    assert.deepEqual(parseCall([goal], 10), { tasks: [{ goal }] });
  const quoted = [{ goal: "Say “hello”" }];
  assert.deepEqual(parseCall({ tasks: JSON.stringify(quoted) }, 10), { tasks: quoted });
});

describe("a key in the place of a name", () => {
  const KEYS = ["sk-proj-Q7wErTy8uIoP1aSdF2gHjK3lZ", "Zk3q9TxB7mWn2RvY5cHd8LpJ", "sk-ant-abc123def456ghi789"];
  const PLACES: Record<string, (key: string) => object> = {
    model: (key) => ({ goal: "x", model: key }),
    "model.provider": (key) => ({ goal: "x", model: { model: "m", provider: key } }),
    provider: (key) => ({ goal: "x", provider: key }),
    agent: (key) => ({ goal: "x", agent: key }),
    toolsets: (key) => ({ goal: "x", toolsets: [key] }),
    tags: (key) => ({ goal: "x", tags: [key] }),
    effort: (key) => ({ goal: "x", effort: key }),
    max_iterations: (key) => ({ goal: "x", max_iterations: key }),
    "an unknown field": (key) => ({ goal: "x", api_key: key }),
    "a field's name": (key) => ({ tasks: [{ goal: "x", [key]: "y" }] }),
  };
  for (const [place, write] of Object.entries(PLACES))
    test(`is refused and not shown: ${place}`, () => {
      for (const key of KEYS)
        assert.throws(
          () => parseCall(write(key), 3),
          ({ message, details }: DeputyError) => !(message + JSON.stringify(details)).includes(key),
        );
    });

  test("does not concern long names of models, deployments and goals", () => {
    const names = [
      "anthropic.claude-sonnet-4-5-20250929-v1:0",
      "accounts/fireworks/models/qwen3-coder-480b-a35b-instruct",
    ];
    for (const model of names) assert.equal(parseCall({ goal: `Explain ${KEYS[0]}`, model }, 1).tasks[0]?.model, model);
  });
});

test("a duration or an amount of money may carry its unit", () => {
  for (const [written, seconds] of Object.entries({
    "10m": 600,
    "1h30m": 5400,
    "90 s": 90,
    "1.5h": 5400,
    "2 Minutes": 120,
    "500ms": 0.5,
  }))
    assert.equal(parseCall({ goal: "a", timeout_seconds: written }, 10).tasks[0]?.timeout_seconds, seconds, written);
  for (const written of ["$2", "2$", "2 USD", "$ 2.00"])
    assert.equal(parseCall({ goal: "a", max_cost_usd: written }, 10).tasks[0]?.max_cost_usd, 2, written);
  assert.match(mistakesOf({ goal: "a", max_iterations: "10m" })[0] ?? "", /^max_iterations: Expected/);
  assert.match(mistakesOf({ goal: "a", max_cost_usd: "10m" })[0] ?? "", /^max_cost_usd: Expected/);
});

test("the words of other tools are pointed to the fields here", () => {
  const words = {
    prompt: "goal",
    cwd: "workspace",
    max_turns: "max_iterations",
    budget: "max_cost_usd",
    tools: "toolsets",
    schema: "output_schema",
    timeout: "timeout_seconds",
  };
  for (const [written, meant] of Object.entries(words)) {
    const says = `Unknown field \`${written}\`. Did you mean \`${meant}\`?`;
    assert.deepEqual(mistakesOf([{ goal: "a", [written]: "x" }]), [`task 1, ${written}: ${says}`]);
    assert.equal(mistakesOf({ goal: "a", [written]: "x" })[0], `${written}: ${says}`);
  }
  assert.match(mistakesOf({ cwd: "x", tasks: ["a"] })[0] ?? "", /Did you mean `workspace`, in tasks\[\]\?$/);
  assert.match(mistakesOf([{ goal: "a", id: "one" }])[0] ?? "", /Tasks are numbered in order, from 1/);
});
