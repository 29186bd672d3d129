/** The fields of a call: next to `tasks` they apply to all of them. Task-only fields belong to a single task. */
import assert from "node:assert/strict";
import type { CallInput } from "../../src/task.ts";
import { dataUrl, TINY_PNG } from "../support/tiny-images.ts";
import { endings, type Played, play, refusal, requestsFor, routesIn, type Scene } from "../support/whole-stage.ts";
import { answers, COSTLY, type Effects, PRICED, worksFor, writes } from "./effects.ts";

/** Runs two tasks, `one` and `two`, with these fields next to them. */
function over(fields: object, scene: Scene = {}): Promise<Played> {
  return play({ tasks: [{ goal: "one" }, { goal: "two" }], ...fields } as CallInput, scene);
}

/** The routes of two tasks with these fields next to them, and of a third with its own route. */
async function routes(fields: object, third: object): Promise<string[]> {
  const tasks = [{ goal: "one" }, { goal: "two" }, { goal: "three", ...third }];
  return routesIn(await play({ tasks, ...fields } as CallInput), "one", "two", "three");
}

export const CALL_EFFECTS: Effects = {
  goal: async () => {
    const { requests, results } = await play({ goal: "Count the ants." });
    assert.deepEqual([requests.map(({ lastUserText }) => lastUserText), results.length], [["Count the ants."], 1]);
    const error = await refusal({ goal: "Count the ants.", tasks: [{ goal: "one" }] } as CallInput);
    assert.equal(error.code, "task-invalid");
    assert.match(error.message, /`goal` cannot be next to `tasks`/);
  },

  role: async () => {
    const config = { delegation: { max_spawn_depth: 2 } };
    const tools = async (fields: object) =>
      (await play({ goal: "one", ...fields }, { config })).requests[0]?.tools.map(({ name }) => name) ?? [];
    assert.ok((await tools({ role: "orchestrator" })).includes("delegate_task"));
    assert.ok(!(await tools({})).includes("delegate_task"));
    const error = await refusal({ tasks: [{ goal: "one" }], role: "leaf" } as CallInput);
    assert.match(error.message, /`role` belongs to a single task/);
  },

  output_schema: async () => {
    const script = answers({ text: "[1, 2]" });
    const [as] = (await play({ goal: "one", output_schema: { type: "array" } }, { script })).results;
    const [raw] = (await play({ goal: "one" }, { script })).results;
    assert.deepEqual([as?.output, as?.schema_valid, raw?.output], [[1, 2], true, undefined]);
    assert.match((await refusal({ goal: "one", output_schema: { type: "nonsense" } })).message, /output_schema/);
  },

  tags: async () => {
    const config = { rules: [{ when: { tag: "explore" }, use: "acme-2" }] };
    assert.deepEqual(routesIn(await play({ goal: "one", tags: ["explore"] }, { config })), ["acme-2 @ acme"]);
    assert.deepEqual(routesIn(await play({ goal: "one" }, { config })), ["acme-1 @ acme"]);
  },

  agent: async () => {
    const config = { agents: { reviewer: { prompt: "Look for mistakes.", model: "acme-2" } } };
    assert.deepEqual(routesIn(await play({ goal: "one", agent: "reviewer" }, { config })), ["acme-2 @ acme"]);
    assert.match((await refusal({ tasks: ["one"], agent: "reviewer" } as never)).message, /belongs to a single task/);
  },

  files: async () => {
    const { requests } = await play({ goal: "one", files: "notes.txt" } as never, {
      files: { "work/notes.txt": "Ants." },
    });
    assert.match(requests[0]?.messages[0]?.text ?? "", /^File notes\.txt:\n```\nAnts\.\n```\n/);
    const { message } = await refusal({ goal: "one", files: Array.from({ length: 21 }, () => "a.txt") });
    assert.match(message, /files: .*<=20/);
  },

  images: async () => {
    const { requests } = await play({ goal: "one", images: dataUrl(TINY_PNG) } as never);
    assert.deepEqual(requests[0]?.messages[0]?.images?.length, 1);
    const { message } = await refusal({ goal: "one", images: Array.from({ length: 9 }, () => "a.png") });
    assert.match(message, /images: .*<=8/);
  },

  workspace: async () => {
    const scene = { script: writes("here.txt"), files: { "work/inner/note.txt": "" } };
    assert.ok("work/inner/here.txt" in (await play({ goal: "one", workspace: "inner" }, scene)).files);
    assert.ok("work/here.txt" in (await play({ goal: "one" }, scene)).files);
  },

  tasks: async () => {
    const four = ["a", "b", "c", "d"];
    const played = await play({ tasks: four.map((goal) => ({ goal })) });
    assert.deepEqual(played.requests.map(({ lastUserText }) => lastUserText).sort(), four);
    assert.deepEqual(
      played.results.map(({ task_index, summary }) => [task_index, summary]),
      four.map((_, index) => [index, "done"]),
    );
    const asText = await play({ tasks: '[{"goal": "a"}, {"goal": "b"}]' } as unknown as CallInput);
    assert.equal(asText.results.length, 2);
  },

  context: async () => {
    const tasks = [{ goal: "one" }, { goal: "two", context: "Bees too." }];
    const { requests } = await play({ tasks, context: "Ants live here." });
    assert.deepEqual(requests.map(({ lastUserText }) => lastUserText).sort(), [
      "Ants live here.\n\nBees too.\n\ntwo",
      "Ants live here.\n\none",
    ]);
    assert.equal(
      (await over({})).requests.some(({ lastUserText }) => lastUserText.includes("Ants")),
      false,
    );
  },

  model: async () => {
    assert.deepEqual(await routes({ model: "acme-2" }, { model: "acme-3" }), [
      "acme-2 @ acme",
      "acme-2 @ acme",
      "acme-3 @ acme",
    ]);
    assert.deepEqual(await routes({}, {}), ["acme-1 @ acme", "acme-1 @ acme", "acme-1 @ acme"]);
  },
  "model.model": async () => {
    assert.deepEqual(await routes({ model: { model: "acme-2" } }, { model: "acme-3" }), [
      "acme-2 @ acme",
      "acme-2 @ acme",
      "acme-3 @ acme",
    ]);
  },
  "model.provider": async () => {
    assert.deepEqual(await routes({ model: { model: "x", provider: "beta" } }, { provider: "acme" }), [
      "x @ beta",
      "x @ beta",
      "acme-1 @ acme",
    ]);
    assert.deepEqual(routesIn(await over({ model: { model: "x" } })), ["x @ acme", "x @ acme"]);
  },
  "model.reasoning_effort": async () => {
    assert.deepEqual(await routes({ model: { model: "x", reasoning_effort: "low" } }, { reasoning_effort: "high" }), [
      "x @ acme · low",
      "x @ acme · low",
      "x @ acme · high",
    ]);
  },

  provider: async () => {
    assert.deepEqual(await routes({ provider: "beta" }, { provider: "acme" }), [
      "beta-1 @ beta",
      "beta-1 @ beta",
      "acme-1 @ acme",
    ]);
  },

  reasoning_effort: async () => {
    assert.deepEqual(await routes({ reasoning_effort: "high" }, { reasoning_effort: "low" }), [
      "acme-1 @ acme · high",
      "acme-1 @ acme · high",
      "acme-1 @ acme · low",
    ]);
  },
  effort: async () => {
    assert.deepEqual(routesIn(await over({ effort: "low" })), ["acme-1 @ acme · low", "acme-1 @ acme · low"]);
  },
  thinking: async () => {
    assert.deepEqual(routesIn(await over({ thinking: "low" })), ["acme-1 @ acme · low", "acme-1 @ acme · low"]);
  },

  toolsets: async () => {
    const tasks = [{ goal: "one" }, { goal: "two", toolsets: ["terminal"] }];
    const played = await play({ tasks, toolsets: ["search"] });
    const tools = (goal: string) => requestsFor(played, goal)[0]?.tools.map(({ name }) => name);
    assert.deepEqual(
      [tools("one"), tools("two")],
      [
        ["glob", "grep"],
        ["terminal", "terminal_output", "terminal_stop"],
      ],
    );
  },

  max_iterations: async () => {
    const tasks = [{ goal: "one" }, { goal: "two", max_iterations: 5 }];
    const played = await play({ tasks, max_iterations: 1 }, { script: worksFor(3) });
    assert.deepEqual(endings(played), ["incomplete: max_iterations", "completed"]);
    assert.deepEqual(
      ["one", "two"].map((goal) => requestsFor(played, goal).length),
      [2, 4],
    );
  },

  timeout_seconds: async () => {
    const tasks = [{ goal: "one" }, { goal: "two", timeout_seconds: 60 }];
    const played = await play({ tasks, timeout_seconds: 0.02 }, { script: answers({ text: "late", latencyMs: 60 }) });
    assert.deepEqual(endings(played), ["timeout: timeout_seconds", "completed"]);
  },

  max_cost_usd: async () => {
    const config = { ...PRICED, delegation: { max_concurrent_children: 1 } };
    const scene = { config, script: answers(COSTLY) };
    const together = await over({ max_cost_usd: 2 }, scene);
    assert.deepEqual(endings(together), ["completed", "incomplete: max_cost"]);
    assert.deepEqual(
      together.requests.map(({ maxTokens }) => maxTokens),
      [1744, 500],
    );
    assert.deepEqual(endings(await over({}, scene)), ["completed", "completed"]);
  },
};
