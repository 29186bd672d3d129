/** The fields of one task of a batch. Each is compared with a sibling that does not have it. */
import assert from "node:assert/strict";
import type { CallInput, Task } from "../../src/task.ts";
import { dataUrl, TINY_JPEG, TINY_PNG } from "../support/tiny-images.ts";
import { endings, type Played, play, requestsFor, routesIn, type Scene } from "../support/whole-stage.ts";
import { answers, COSTLY, calls, delegates, type Effects, PRICED, worksFor, writes } from "./effects.ts";

/** Runs a task with these fields, goal `one`, and a sibling without them, goal `two`. */
function besides(fields: Partial<Task>, scene: Scene = {}): Promise<Played> {
  return play({ tasks: [{ goal: "one", ...fields }, { goal: "two" }] }, scene);
}

async function routes(fields: object, scene?: Scene): Promise<string[]> {
  return routesIn(await besides(fields as Partial<Task>, scene), "one", "two");
}

export const TASK_EFFECTS: Effects = {
  "tasks[].goal": async () => {
    const { requests } = await play({ tasks: [{ goal: "Count the ants." }, { goal: "Count the bees." }] });
    assert.deepEqual(requests.map(({ lastUserText }) => lastUserText).sort(), ["Count the ants.", "Count the bees."]);
  },

  "tasks[].context": async () => {
    const { requests } = await besides({ context: "Ants live here." });
    assert.deepEqual(requests.map(({ lastUserText }) => lastUserText).sort(), ["Ants live here.\n\none", "two"]);
  },

  "tasks[].output_schema": async () => {
    const schema = { type: "object", required: ["verdict"], properties: { verdict: { enum: ["good", "bad"] } } };
    const played = await besides({ output_schema: schema }, { script: answers({ text: '{"verdict":"good"}' }) });
    const [one, two] = played.results;
    assert.deepEqual([one?.output, one?.schema_valid], [{ verdict: "good" }, true]);
    assert.ok(requestsFor(played, "one")[0]?.lastUserText.includes(JSON.stringify(schema)));
    assert.ok(two !== undefined && !("output" in two) && !("schema_valid" in two));

    const wrong = await besides({ output_schema: schema }, { script: answers({ text: '{"verdict":"so so"}' }) });
    assert.deepEqual(endings(wrong), ["incomplete: schema_invalid", "completed"]);
    assert.equal(requestsFor(wrong, "one").length, 2);
  },

  "tasks[].workspace": async () => {
    const { files } = await besides(
      { workspace: "inner" },
      { script: writes("here.txt"), files: { "work/inner/note.txt": "" } },
    );
    assert.ok("work/inner/here.txt" in files && "work/here.txt" in files);

    const nowhere = await besides({ workspace: "nowhere" });
    assert.deepEqual(endings(nowhere), ["rejected: workspace-unusable", "completed"]);
  },

  "tasks[].role": async () => {
    const scene: Scene = { config: { delegation: { max_spawn_depth: 2 } }, script: delegates({ goal: "three" }) };
    const played = await besides({ role: "orchestrator" }, scene);
    assert.deepEqual(
      played.results.map(({ delegations, api_calls }) => [delegations.length, api_calls]),
      [
        [1, 3],
        [0, 1],
      ],
    );
    assert.equal(requestsFor(played, "three").length, 1);
    assert.deepEqual(endings(await besides({ role: "orchestrator" })), ["rejected: role-unavailable", "completed"]);
    assert.deepEqual(endings(await besides({ role: "leaf" })), ["completed", "completed"]);
  },

  "tasks[].tags": async () => {
    const config = { rules: [{ when: { tag: "explore" }, use: "acme-2" }] };
    assert.deepEqual(await routes({ tags: ["explore"] }, { config }), ["acme-2 @ acme", "acme-1 @ acme"]);
  },

  "tasks[].agent": async () => {
    const config = { agents: { reviewer: { prompt: "Look for mistakes.", model: "acme-2" } } };
    const played = await besides({ agent: "reviewer" }, { config });
    assert.deepEqual(routesIn(played, "one", "two"), ["acme-2 @ acme", "acme-1 @ acme"]);
    assert.match(requestsFor(played, "one")[0]?.system ?? "", /Look for mistakes\./);
    const unknown = await besides({ agent: "reviwer" }, { config });
    assert.deepEqual(endings(unknown), ["rejected: unknown-agent", "completed"]);
  },

  "tasks[].files": async () => {
    const played = await besides({ files: ["notes.txt"] }, { files: { "work/notes.txt": "Ants." } });
    const text = (goal: string) => requestsFor(played, goal)[0]?.messages[0]?.text ?? "";
    assert.match(text("one"), /Ants\./);
    assert.doesNotMatch(text("two"), /Ants\./);
    assert.deepEqual(endings(await besides({ files: ["none.txt"] })), ["rejected: file-unusable", "completed"]);
  },

  "tasks[].images": async () => {
    const images = ["chart.png", dataUrl(TINY_JPEG), "https://example.com/a.gif"];
    const played = await besides({ images }, { files: { "work/chart.png": TINY_PNG } });
    const shown = (goal: string) => requestsFor(played, goal)[0]?.messages[0]?.images;
    assert.deepEqual(shown("one"), [
      { mediaType: "image/png", base64: TINY_PNG.toString("base64") },
      { mediaType: "image/jpeg", base64: TINY_JPEG.toString("base64") },
      { url: "https://example.com/a.gif" },
    ]);
    assert.equal(shown("two"), undefined);
    assert.deepEqual(endings(await besides({ images: ["none.png"] })), ["rejected: image-unusable", "completed"]);
  },

  "tasks[].model": async () => {
    assert.deepEqual(await routes({ model: "acme-2" }), ["acme-2 @ acme", "acme-1 @ acme"]);
    assert.deepEqual(await routes({ model: "beta-2 --provider beta --effort high" }), [
      "beta-2 @ beta · high",
      "acme-1 @ acme",
    ]);
    assert.deepEqual(await routes({ model: "inherit" }), ["acme-1 @ acme", "acme-1 @ acme"]);
  },
  "tasks[].model.model": async () => {
    assert.deepEqual(await routes({ model: { model: "acme-2" } }), ["acme-2 @ acme", "acme-1 @ acme"]);
  },
  "tasks[].model.provider": async () => {
    assert.deepEqual(await routes({ model: { model: "x", provider: "beta" } }), ["x @ beta", "acme-1 @ acme"]);
    assert.deepEqual(await routes({ model: { model: "x" } }), ["x @ acme", "acme-1 @ acme"]);
  },
  "tasks[].model.reasoning_effort": async () => {
    assert.deepEqual(await routes({ model: { model: "x", reasoning_effort: "low" } }), [
      "x @ acme · low",
      "acme-1 @ acme",
    ]);
  },

  "tasks[].provider": async () => {
    const played = await besides({ provider: "beta" });
    assert.deepEqual(routesIn(played, "one", "two"), ["beta-1 @ beta", "acme-1 @ acme"]);
    assert.deepEqual(
      played.results.map(({ route }) => [route?.key_name, route?.chosen_by.provider]),
      [
        ["BETA_KEY", "task"],
        ["ACME_KEY", "parent"],
      ],
    );
  },

  "tasks[].reasoning_effort": async () => {
    assert.deepEqual(await routes({ reasoning_effort: "high" }), ["acme-1 @ acme · high", "acme-1 @ acme"]);
  },
  "tasks[].effort": async () => {
    assert.deepEqual(await routes({ effort: "high" }), ["acme-1 @ acme · high", "acme-1 @ acme"]);
  },
  "tasks[].thinking": async () => {
    assert.deepEqual(await routes({ thinking: "low" }), ["acme-1 @ acme · low", "acme-1 @ acme"]);
  },

  "tasks[].toolsets": async () => {
    const played = await besides({ toolsets: ["search"] });
    const tools = (goal: string) => requestsFor(played, goal)[0]?.tools.map(({ name }) => name);
    assert.deepEqual(tools("one"), ["glob", "grep"]);
    assert.ok(tools("two")?.includes("terminal") && tools("two")?.includes("read_file"));

    const denied = await besides(
      { toolsets: ["search"] },
      { script: calls({ name: "write_file", input: { path: "out.txt", content: "written" } }) },
    );
    assert.deepEqual(
      denied.results.map(({ files_changed }) => files_changed),
      [[], ["out.txt"]],
    );
  },

  "tasks[].max_iterations": async () => {
    const played = await besides({ max_iterations: 1 }, { script: worksFor(3) });
    assert.deepEqual(endings(played), ["incomplete: max_iterations", "completed"]);
    assert.deepEqual(
      ["one", "two"].map((goal) => requestsFor(played, goal).length),
      [2, 4],
    );
  },

  "tasks[].timeout_seconds": async () => {
    const played = await besides({ timeout_seconds: 0.02 }, { script: answers({ text: "late", latencyMs: 60 }) });
    assert.deepEqual(endings(played), ["timeout: timeout_seconds", "completed"]);
  },

  "tasks[].max_cost_usd": async () => {
    const scene = { config: PRICED, script: worksFor(1, COSTLY) };
    const played = await besides({ max_cost_usd: 2 }, scene);
    assert.deepEqual(endings(played), ["incomplete: max_cost", "completed"]);
    // Two dollars pay for at most 2,000 output tokens, and 256 are reserved for a final answer.
    assert.deepEqual(
      requestsFor(played, "one").map(({ maxTokens }) => maxTokens),
      [1744, 500],
    );
    assert.deepEqual(
      requestsFor(played, "two").map(({ maxTokens }) => maxTokens),
      [undefined, undefined],
    );

    const each: CallInput = { tasks: ["one", "two"].map((goal) => ({ goal, max_cost_usd: 2 })) };
    assert.deepEqual(endings(await play(each, { ...scene, script: answers(COSTLY) })), ["completed", "completed"]);
  },
};
