import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createMemory } from "../../../src/journal/memory.ts";
import type { DelegationResult } from "../../../src/result.ts";
import { parseCall } from "../../../src/task.ts";
import { calls, route, says } from "../../support/child-stage.ts";
import { deputy, start, until } from "../../support/command-line.ts";
import { createTestEngine, type ModelScript } from "../../support/engine-stage.ts";

const echo: ModelScript = async ({ messages }) => says(/Say (\w+)/.exec(JSON.stringify(messages))?.[1] ?? "done");

/** A journal with one run that ended and one whose process died after its first child ended. */
async function journal() {
  const memory = createMemory();
  const ended = await deputy(["run", "--goal", "Say done", "--json"], {
    engine: createTestEngine({ script: echo, memory }).engine,
  });
  const dying = createTestEngine({
    memory,
    script: (request, signal) =>
      JSON.stringify(request.messages).includes("two") ? new Promise(() => {}) : echo(request, signal),
  });
  const dead = start(["run", "-"], { stdin: "- Say one\n- Say two\n", engine: dying.engine });
  await until(() => dead.stderr().includes("✓"));
  dying.die();
  const engine = () => createTestEngine({ script: echo, memory }).engine;
  return {
    engine,
    endedId: (JSON.parse(ended.stdout) as DelegationResult).delegation_id,
    deadId: /run (run\w+)/.exec(dead.stderr())?.[1] ?? "",
    endedJson: ended.stdout,
  };
}

describe("past runs", () => {
  test("are listed, newest first, with what can be resumed", async () => {
    const { engine, endedId, deadId } = await journal();
    const { stdout } = await deputy(["runs"], { engine: engine() });
    assert.match(
      stdout,
      new RegExp(
        `^ +RUN.*\\n‖ +${deadId} +just now .* 1/2 +unfinished .*Say one\\n✓ +${endedId} +just now .* 1/1 +ended `,
        "m",
      ),
    );
    assert.match(stdout, new RegExp(`deputy resume ${deadId}`));
    const list = JSON.parse((await deputy(["runs", "--json"], { engine: engine() })).stdout);
    assert.deepEqual(
      list.map(({ state }: { state: string }) => state),
      ["unfinished", "ended"],
    );
  });

  test("beyond the newest fifty are counted, and listed where all are asked for", async () => {
    const memory = createMemory();
    const { engine } = createTestEngine({ script: echo, memory });
    for (let index = 0; index < 52; index++) {
      const call = parseCall({ goal: `Say number${index}` }, 1);
      await (await engine.submit(call, { surface: "library", workspace: "/work" })).result;
    }
    const { stdout, stderr } = await deputy(["runs"], { engine: createTestEngine({ script: echo, memory }).engine });
    assert.match(stdout, /number51\n/);
    assert.doesNotMatch(stdout, /number1\n/);
    assert.equal(stderr, "… and 2 older runs: deputy runs --all\n");
    const whole = await deputy(["runs", "--all"], { engine: createTestEngine({ script: echo, memory }).engine });
    assert.match(whole.stdout, /number0\n/);
    assert.equal(whole.stderr, "");
    const json = await deputy(["runs", "--json"], { engine: createTestEngine({ script: echo, memory }).engine });
    assert.equal(JSON.parse(json.stdout).length, 52);
  });

  test("are shown whole, by an id or its beginning, as they were printed", async () => {
    const { engine, endedId, endedJson } = await journal();
    assert.match((await deputy(["show", endedId], { engine: engine() })).stdout, /\[1\/1\] Say done\n.*\n\ndone\n/);
    assert.equal((await deputy(["show", endedId.slice(0, -1), "--json"], { engine: engine() })).stdout, endedJson);
  });

  test("are shown with the head of their chain of events", async () => {
    const { engine, endedId } = await journal();
    const head = await engine().head(endedId);
    const { stdout } = await deputy(["show", endedId], { engine: engine() });
    assert.match(stdout, new RegExp(`\n${head?.ordinal} events, head ${head?.sha256}\n$`));
    assert.match(head?.sha256 ?? "", /^[0-9a-f]{64}$/);
  });

  test("tell of a child its route, attempts and conversation", async () => {
    const { engine, endedId } = await journal();
    const { stdout } = await deputy(["show", `${endedId}.1`], { engine: engine() });
    assert.match(stdout, /^chosen by +model: task, provider: task$/m);
    assert.match(stdout, /^endpoint +zai\.test, key ZAI_API_KEY$/m);
    assert.match(stdout, /^attempt +m @ zai, 1 request$/m);
    assert.match(stdout, /── task\n.*Say done[\s\S]*── answer\ndone/);
    const { result, events } = JSON.parse(
      (await deputy(["show", `${endedId}.1`, "--json"], { engine: engine() })).stdout,
    );
    assert.equal(result.summary, "done");
    assert.equal(events.at(-1).kind, "child-end");
  });

  test("are resumed to the end, without running what is finished again", async () => {
    const { engine, deadId } = await journal();
    const { code, stdout, stderr } = await deputy(["resume", deadId], { engine: engine() });
    assert.equal(code, 0);
    assert.match(stderr, /2 tasks · run \w+ resumed · 1 finished before/);
    assert.doesNotMatch(stderr, /✓ \[1\/2\]/);
    assert.match(stderr, /✓ \[2\/2\] Say two/);
    assert.equal(stdout, "[1/2] Say one\n\none\n\n[2/2] Say two\n\ntwo\n");
    assert.match(stderr, /2 of 2 tasks completed/);
  });

  test("that have ended are printed again by resume", async () => {
    const { engine, endedId, endedJson } = await journal();
    const { code, stdout } = await deputy(["resume", endedId, "--json"], { engine: engine() });
    assert.equal(code, 0);
    assert.equal(stdout, endedJson);
  });

  test("include the cost so far of unfinished children, in the run's total and in the list", async () => {
    const memory = createMemory();
    let asked = 0;
    const dying = createTestEngine({
      memory,
      route: (provider, model) => route(provider, model, { facts: { price: { input: 1, output: 10 } } }),
      script: async () => {
        asked += 1;
        return asked === 1 ? calls(["list_dir", { path: "." }]) : new Promise(() => {});
      },
    });
    const dead = start(["run", "-"], { stdin: "- Look around", engine: dying.engine });
    await until(() => asked === 2);
    dying.die();
    const engine = () => createTestEngine({ script: echo, memory }).engine;
    const [{ known_cost_usd }] = JSON.parse((await deputy(["runs", "--json"], { engine: engine() })).stdout);
    const id = /run (run\w+)/.exec(dead.stderr())?.[1] ?? "";
    const shown = JSON.parse((await deputy(["show", id, "--json"], { engine: engine() })).stdout) as DelegationResult;
    assert.deepEqual(shown.results, []);
    assert.ok(known_cost_usd > 0);
    assert.equal(shown.total_cost_usd, known_cost_usd);
  });

  test("are stopped by id, and a child that has ended is not asked to stop", async () => {
    const { engine, deadId } = await journal();
    assert.match((await deputy(["stop", `${deadId}.1`], { engine: engine() })).stdout, /\.1 has ended already/);
    const { code, stdout } = await deputy(["stop", deadId], { engine: engine() });
    assert.equal(code, 0);
    assert.match(stdout, new RegExp(`Asked ${deadId} to stop`));
    assert.match((await deputy(["show", deadId], { engine: engine() })).stdout, /interrupted: deputy stop/);
    assert.match((await deputy(["stop", deadId], { engine: engine() })).stdout, /has ended already/);
  });

  test("that are not known are refused with exit code 2", async () => {
    const { code, stderr } = await deputy(["show", "zzz"]);
    assert.equal(code, 2);
    assert.match(stderr, /Expected the id of a run; found zzz/);
  });
});
