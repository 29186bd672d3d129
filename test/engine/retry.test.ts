/** A retry: what did not complete runs again in a new run, and what completed is carried over without a request. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ModelCall } from "../../src/child/wire/request/request.ts";
import type { Engine } from "../../src/engine/engine.ts";
import { DeputyError } from "../../src/errors.ts";
import type { StoredEvent } from "../../src/event.ts";
import { createRunInvariants, invariantError } from "../../src/journal/invariants.ts";
import { createMemory } from "../../src/journal/memory.ts";
import type { DelegationResult } from "../../src/result.ts";
import { fails, route, says } from "../support/child-stage.ts";
import { createTestEngine, type ModelScript } from "../support/engine-stage.ts";

const options = { surface: "library", workspace: "/work" } as const;

function priced(provider: string, model: string) {
  return route(provider, model, { facts: { price: { input: 1, output: 1 } } });
}

/** Requests of all its engines, as their goals. Goals that begin with “Fail” fail until `mended`. */
function stage() {
  const memory = createMemory();
  const asked: string[] = [];
  const state = { mended: false };
  const script: ModelScript = async (request) => {
    const goal = goalIn(request);
    asked.push(`${goal} on ${request.route.model}`);
    return goal.startsWith("Fail") && !state.mended ? fails("refused") : says(`answer to ${goal}`);
  };
  const open = () => createTestEngine({ script, memory });
  return { open, asked, state, memory };
}

function goalIn({ messages }: ModelCall): string {
  const [first] = messages;
  return first?.role === "user" ? first.text : "";
}

async function runTo(engine: Engine, ...tasks: { goal: string; model?: string; provider?: string }[]) {
  const { id, result } = await engine.submit({ tasks }, options);
  await result;
  return id;
}

function statusesOf({ results }: DelegationResult): string[] {
  return results.map(({ status, summary, carried_from: from = "own" }) => `${status} ${summary} (${from})`);
}

function refusal(code: DeputyError["code"], message: RegExp) {
  return (error: unknown) => error instanceof DeputyError && error.code === code && message.test(error.message);
}

describe("a retry", () => {
  test("runs only what did not complete, and has the results of all tasks in their order", async () => {
    const { open, asked, state } = stage();
    const { engine } = open();
    const id = await runTo(
      engine,
      { goal: "One" },
      { goal: "Fail" },
      { goal: "Three" },
      { goal: "Four", provider: "nowhere" },
    );
    asked.length = 0;
    state.mended = true;
    const again = await engine.retry(id, options);
    assert.deepEqual(statusesOf(await again.result), [
      `completed answer to One (${id}.1)`,
      "completed answer to Fail (own)",
      `completed answer to Three (${id}.3)`,
      "rejected  (own)",
    ]);
    assert.deepEqual(asked, ["Fail on m"]);
    assert.notEqual(again.id, id);
    assert.equal((await again.result).retry_of, id);
    await engine.close();
  });

  test("costs only what it requests", async () => {
    const state = { mended: false };
    const { engine } = createTestEngine({
      script: async (request) => (goalIn(request) === "Fail" && !state.mended ? fails("refused") : says("done")),
      route: priced,
    });
    const id = await runTo(engine, { goal: "One" }, { goal: "Fail" });
    state.mended = true;
    const { results, total_cost_usd } = await (await engine.retry(id, options)).result;
    const [carried, own] = results;
    assert.deepEqual([carried?.api_calls, carried?.cost_usd, own?.api_calls], [0, 0, 1]);
    assert.ok(own?.cost_usd && total_cost_usd === own.cost_usd, JSON.stringify(results));
    await engine.close();
  });

  test("runs on the chosen model, which replaces that of every task that runs again and of no other", async () => {
    const { open, asked, state } = stage();
    const { engine } = open();
    const id = await runTo(engine, { goal: "One", model: "a" }, { goal: "Fail", model: "b" });
    state.mended = true;
    const { results } = await (await engine.retry(id, { ...options, route: { model: "c" } })).result;
    assert.deepEqual(
      results.map(({ model }) => model),
      ["a", "c"],
    );
    assert.deepEqual(asked, ["One on a", "Fail on b", "Fail on c"]);
    await engine.close();
  });

  test("of a retry names the child that answered first", async () => {
    const { open, state, asked } = stage();
    const { engine } = open();
    const id = await runTo(engine, { goal: "One" }, { goal: "Fail" });
    const second = await engine.retry(id, options);
    assert.equal((await second.result).results[1]?.status, "failed");
    state.mended = true;
    const third = await engine.retry(second.id, options);
    assert.deepEqual(statusesOf(await third.result), [
      `completed answer to One (${id}.1)`,
      "completed answer to Fail (own)",
    ]);
    assert.equal(asked.filter((goal) => goal.startsWith("One")).length, 1);
    await engine.close();
  });

  test("whose process dies is resumed, and what was carried over stays so", async () => {
    const { open, asked, memory } = stage();
    const first = open();
    const id = await runTo(first.engine, { goal: "One" }, { goal: "Fail" });
    const hung = Promise.withResolvers<void>();
    const dying = createTestEngine({
      memory,
      script: () => {
        hung.resolve();
        return new Promise(() => {});
      },
    });
    const again = await dying.engine.retry(id, options);
    await hung.promise;
    dying.die();
    const last = createTestEngine({ memory, script: async () => says("late") });
    const { results } = await (await last.engine.resume(again.id, {})).result;
    assert.deepEqual(
      results.map(({ summary, carried_from }) => [summary, carried_from]),
      [
        ["answer to One", `${id}.1`],
        ["late", undefined],
      ],
    );
    assert.equal(asked.length, 2);
    const stored: StoredEvent[] = await Array.fromAsync(last.engine.events(again.id));
    const invariants = createRunInvariants();
    assert.deepEqual(stored.map((event) => invariantError(invariants, event)).filter(Boolean), []);
    await last.engine.close();
    await first.engine.close();
  });

  test("has a budget of its own", async () => {
    const { state, memory, asked } = stage();
    const { engine } = createTestEngine({
      memory,
      script: async (request) => {
        asked.push(goalIn(request));
        return goalIn(request) === "Fail" && !state.mended ? fails("refused") : says("done");
      },
      route: priced,
    });
    const { id, result } = await engine.submit(
      { tasks: [{ goal: "One" }, { goal: "Fail" }] },
      { ...options, maxCostUsd: 50 },
    );
    await result;
    state.mended = true;
    const again = await engine.retry(id, { ...options, maxCostUsd: 40 });
    await again.result;
    assert.equal((await engine.run(id)).run.call.max_cost_usd, 50);
    assert.equal((await engine.run(again.id)).run.call.max_cost_usd, 40);
    assert.equal((await engine.run((await engine.retry(id, options)).id)).run.call.max_cost_usd, 50);
    await engine.close();
  });
});

describe("nothing is run again", () => {
  test("if every task completed", async () => {
    const { engine } = stage().open();
    const id = await runTo(engine, { goal: "One" });
    await assert.rejects(engine.retry(id, options), refusal("nothing-to-run", /Every task of \w+ completed/));
    assert.equal((await engine.runs()).length, 1);
    await engine.close();
  });

  test("of a run that has not ended, of one child, or of a conversation", async () => {
    const hung = Promise.withResolvers<void>();
    const { engine } = createTestEngine({
      script: async () => {
        await hung.promise;
        return fails("refused");
      },
    });
    const { id, result } = await engine.submit({ tasks: [{ goal: "Fail" }] }, options);
    await assert.rejects(engine.retry(id, options), refusal("run-owned", /still active.*deputy stop/));
    hung.resolve();
    await result;
    await assert.rejects(engine.retry(`${id}.1`, options), refusal("usage", /deputy retry \w+\./));
    const chat = await engine.submit({ tasks: [{ goal: "Fail" }] }, { ...options, surface: "chat" });
    await chat.result;
    await assert.rejects(engine.retry(chat.id, options), refusal("usage", /deputy chat --resume/));
    await assert.rejects(engine.retry("nothere", options), refusal("run-unknown", /Expected the id of a run/));
    await engine.close();
  });
});
