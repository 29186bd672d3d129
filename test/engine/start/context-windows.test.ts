/** The context window before the start: what no compaction could shorten has to fit, or the task is rejected. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { CallInput } from "../../../src/task.ts";
import { type Arrival, command, endings, play, refusal, type Scene } from "../../support/whole-stage.ts";

/** A scene with a model of this window. */
const window = (tokens: number, scene: Scene = {}): Scene => ({
  ...scene,
  config: { ...scene.config, providers: { acme: { models: { "acme-1": { context_window: tokens } } } } },
});

/** Tokens of the first request by Deputy's estimate: found as a user would. */
async function tokensOf(task: CallInput, scene: Scene = {}): Promise<number> {
  const { message } = await refusal(task, window(1, scene));
  return Number(/found about ([\d,]+)/.exec(message)?.[1]?.replaceAll(",", ""));
}

/** Characters that a model reads of a request besides its messages. */
function ownCharacters({ system, body }: Arrival): number {
  return system.length + JSON.stringify(body.tools ?? []).length;
}

describe("the text of a task that is longer than the context window", () => {
  const bare = { toolsets: [] };

  test("is refused before anything is sent, with its field and both numbers", async () => {
    const { message, details } = await refusal({ goal: "x".repeat(4_100), ...bare }, window(1_000));
    assert.match(message, /goal: Expected at most 1,000 tokens.*acme-1 @ acme; found about 1,0\d\d\. Shorten goal/);
    assert.match(JSON.stringify(details), /"code":"context-too-large","field":"goal"/);
  });

  test("counts the context, the shared one included", async () => {
    const tasks = [{ goal: "x" }, { goal: "x", context: "z".repeat(1_200) }].map((task) => ({ ...task, ...bare }));
    const { results } = await play({ context: "y".repeat(3_000), tasks }, window(1_000));
    assert.deepEqual(
      results.map(({ status, error }) => [status, /Shorten context/.test(error?.message ?? "")]),
      [
        ["completed", false],
        ["rejected", true],
      ],
    );
  });

  test("passes where the window is not known", async () => {
    assert.deepEqual(endings(await play({ goal: "x".repeat(400_000) })), ["completed"]);
  });
});

describe("what Deputy adds to a task", () => {
  const notes = { "work/AGENTS.md": "Keep to the style of the house. ".repeat(1_000) };
  const agent = { ".claude/agents/reader.md": "---\nname: reader\ndescription: Reads.\ntools: Read\n---\nRead.\n" };
  const cases: [what: string, task: CallInput, scene?: Scene][] = [
    ["the system prompt and the tools of all toolsets", { goal: "Go." }],
    ["the tools of the toolsets that the task names", { goal: "Go.", toolsets: ["search"] }],
    ["the system prompt alone", { goal: "Go.", toolsets: [] }],
    ["the notes of the project", { goal: "Go.", toolsets: [] }, { files: notes }],
    ["the tools that an agent definition names", { goal: "Go.", agent: "reader" }, { files: agent }],
  ];

  for (const [what, task, scene] of cases)
    test(`${what} must fit: a window that just does is accepted and runs, one that does not is refused`, async () => {
      const tokens = await tokensOf(task, scene);
      const played = await play(task, window(tokens, scene));
      assert.deepEqual(endings(played), ["completed"]);
      const { message } = await refusal(task, window(tokens - 1, scene));
      assert.match(message, /model: Expected at most .*the context window of acme-1 @ acme; found about .*, at least /);
      assert.match(message, /system prompt and \d+ tools\. Choose a model with a larger window, or fewer toolsets\./);
    });

  test("is estimated low: no vendor counts fewer tokens, and none half of them", async () => {
    for (const [, task, scene] of cases) {
      const tokens = await tokensOf(task, scene);
      const [request] = (await play(task, scene)).requests;
      assert.ok(request);
      const atMostSix = ownCharacters(request) / 6;
      assert.ok(tokens < atMostSix + 1, `${tokens} of ${ownCharacters(request)} characters`);
      assert.ok(tokens > atMostSix / 2);
    }
  });

  test("is not counted twice where a task's own texts are too long", async () => {
    const { message } = await refusal({ goal: "x".repeat(40_000) }, window(8_000));
    assert.match(message, /goal: .*found about 11,\d+\. Shorten goal/);
  });

  test("does not matter to a sibling with room for it", async () => {
    const models = { "acme-1": { context_window: 500 }, wide: { context_window: 200_000 } };
    const played = await play(
      { tasks: [{ goal: "Go." }, { goal: "Go.", model: "wide" }] },
      { config: { providers: { acme: { models } } } },
    );
    assert.deepEqual(endings(played), ["rejected: context-too-large", "completed"]);
    assert.equal(played.requests.length, 1);
  });

  test("shows in `deputy run --dry-run`, which then exits as the run would", async () => {
    const argv = ["run", "--goal", "Go.", "--dry-run"];
    const small = await command(argv, window(500));
    assert.equal(small.code, 3);
    assert.match(small.stdout, /context window of acme-1 @ acme; found about 1,\d+, at least/);
    assert.deepEqual(small.requests, []);
    assert.equal((await command(argv, window(4_000))).code, 0);
  });
});
