/** Several `delegate_task` calls in one answer: concurrent, as one tree with one cap, budget, stop and journal. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ModelCall } from "../../src/child/wire/request/request.ts";
import type { Delegation, Engine } from "../../src/engine/engine.ts";
import type { Event, StoredEvent } from "../../src/event.ts";
import { createMemory, createMemoryJournal, type Memory } from "../../src/journal/memory.ts";
import { allChildren, ancestorPrefix } from "../../src/run/run.ts";
import { calls, fails, route, says } from "../support/child-stage.ts";
import { createTestEngine, type ModelScript, type Staged } from "../support/engine-stage.ts";
import { mistakesIn } from "../support/journal-events.ts";

/** The calls of each orchestrator in its one answer: the goals of each call. */
const CALLS: Record<string, string[][]> = {
  top: [["a", "b"], ["mid"], ["e"]],
  mid: [["c"], ["d"]],
};

function goalOf({ messages: [first] }: ModelCall): string {
  return first?.role === "user" ? first.text : "";
}

function toldTo({ messages }: ModelCall): string[] {
  return messages.flatMap((message) => (message.role === "tool" ? [message.text] : []));
}

/** Orchestrators delegate and answer with the goals they were told of, in that order; leaves answer with their own. */
const tree: ModelScript = async (request) => {
  const goal = goalOf(request);
  const asked = CALLS[goal];
  if (asked === undefined) return says(`${goal}.`);
  const told = toldTo(request);
  if (told.length > 0) return says(told.flatMap((text) => text.match(/\b[a-z]\./g) ?? []).join(""));
  const tasks = (goals: string[]) =>
    goals.map((name) => ({ goal: name, ...(CALLS[name] && { role: "orchestrator" }) }));
  return calls(...asked.map((goals): [string, unknown] => ["delegate_task", { tasks: tasks(goals) }]));
};

/** As `tree`, but the named ones answer only when the request is aborted. */
function hanging(...names: string[]): ModelScript {
  return async (request, signal) => {
    if (!names.includes(goalOf(request))) return tree(request, signal);
    const { promise, resolve } = Promise.withResolvers<void>();
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
    await promise;
    return fails("aborted");
  };
}

/** As `tree`, but each named one answers only when `turn` allows it. */
function waiting(turn: Record<string, Promise<void>>): ModelScript {
  return async (request, signal) => {
    await turn[goalOf(request)];
    return tree(request, signal);
  };
}

function stage(staged: Omit<Staged, "delegation">) {
  return createTestEngine({ ...staged, delegation: { max_spawn_depth: 3 } });
}

async function run(engine: Engine, concurrency = 20, more: object = {}): Promise<Delegation> {
  const tasks = [{ goal: "top", role: "orchestrator" as const }];
  return engine.submit({ tasks, ...more }, { surface: "cli", workspace: "/work", concurrency });
}

async function seen(events: AsyncIterable<Event>, fits: (event: Event) => boolean): Promise<void> {
  for await (const event of events) if (fits(event)) return;
  throw new Error("it never happened");
}

function asks(childId: string): (event: Event) => boolean {
  return (event) => event.kind === "step-start" && event.childId === childId;
}

function endsOf(childId: string): (event: Event) => boolean {
  return (event) => event.kind === "child-end" && event.childId === childId;
}

test("delegations of one answer run at the same time, and their results come in the model's order", async () => {
  const last = Promise.withResolvers<void>();
  // The first request is answered last: the run ends only if they do not wait for each other.
  const { engine } = stage({ script: waiting({ a: last.promise, b: last.promise }) });
  const delegation = await run(engine);
  const { id } = delegation;
  const over = (nestedId: string) => (event: Event) =>
    event.kind === "delegation-end" && event.delegationId === nestedId;
  await Promise.all([2, 3].map((at) => seen(delegation.events, over(`${id}.1.${at}`))));
  last.resolve();
  const { results } = await delegation.result;
  assert.deepEqual(
    results.map(({ status, summary, delegations, tool_trace }) => [status, summary, delegations, tool_trace.length]),
    [["completed", "a.b.c.d.e.", [1, 2, 3].map((at) => `${id}.1.${at}`), 3]],
  );
  const runs = allChildren((await engine.run(id)).run).flatMap(({ delegations }) => delegations);
  assert.deepEqual(runs.map(ancestorPrefix), ["1›", "1.2›", "1.3›", "1.2›1›", "1.2›1.2›"]);
  const events = await Array.fromAsync(engine.events(`${id}.1`));
  const order = events.flatMap((event) => ("callId" in event ? [`${event.kind} ${event.callId}`] : []));
  assert.deepEqual(
    order.slice(0, 3).map((line) => line.replace("start", "end")),
    order.slice(3),
  );
  await engine.close();
});

test("they hold no more slots than exist, and one is enough", async () => {
  for (const places of [1, 2]) {
    let atOnce = 0;
    let most = 0;
    const script: ModelScript = async (request, signal) => {
      most = Math.max(most, ++atOnce);
      for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
      atOnce -= 1;
      return tree(request, signal);
    };
    const { engine } = stage({ script });
    const { results } = await (await run(engine, places)).result;
    assert.deepEqual([most, results[0]?.api_calls, results[0]?.summary], [places, 9, "a.b.c.d.e."]);
    await engine.close();
  }
});

test("a child that is stopped stops all of them; one that is stopped alone leaves the others at work", async () => {
  const { engine } = stage({ script: hanging("a", "d", "e") });
  const delegation = await run(engine);
  const { id } = delegation;
  const [a, d, e] = [`${id}.1.1.1`, `${id}.1.2.1.2.1`, `${id}.1.3.1`];
  await Promise.all([a, d, e].map((childId) => seen(delegation.events, asks(childId ?? ""))));
  await engine.stop(`${id}.1.3`, "somebody");
  await seen(delegation.events, endsOf(e));
  const stillOpen = allChildren((await engine.run(id)).run).filter(({ tally }) => tally.ending === undefined);
  assert.deepEqual(
    stillOpen.map(({ tally }) => tally.childId),
    [`${id}.1`, a, `${id}.1.2.1`, d],
  );
  await engine.stop(`${id}.1`, "somebody else");
  const { results } = await delegation.result;
  // Two of their own requests, and those of a, b, c, d, e.
  assert.deepEqual(
    results.map(({ status, exit_reason, api_calls }) => [status, exit_reason, api_calls]),
    [["interrupted", "somebody else", 7]],
  );
  assert.deepEqual(
    allChildren((await engine.run(id)).run).map(({ tally }) => tally.ending?.status ?? "open"),
    ["interrupted", "interrupted", "completed", "interrupted", "completed", "interrupted", "interrupted"],
  );
  await engine.close();
});

test("one budget holds for all of them", async () => {
  const prices = { facts: { price: { input: 0, output: 1_000 }, maxOutputTokens: 2_000 } };
  const script: ModelScript = async (request, signal) => {
    const reply = await tree(request, signal);
    const output = Math.min(1_000, request.maxOutputTokens ?? 0);
    return reply.ok ? { ...reply, usage: { input: 0, output, cached: 0, reasoning: 0 } } : reply;
  };
  for (const limit of [3, 5, 8]) {
    const { engine } = stage({ script, route: (provider, model) => route(provider, model, prices) });
    const { total_cost_usd } = await (await run(engine, 20, { max_cost_usd: limit })).result;
    assert.ok((total_cost_usd ?? Number.NaN) <= limit, `${total_cost_usd} of ${limit}`);
    assert.ok((total_cost_usd ?? 0) > limit - 2, `${total_cost_usd} of ${limit}: money was left that a request needed`);
    await engine.close();
  }
});

function eventsIn(memory: Memory): Promise<StoredEvent[]> {
  return Array.fromAsync(createMemoryJournal({ memory }).read({}), ({ event }) => event);
}

test("wherever delegations side by side are cut off, each is found again, and nothing is asked twice", async () => {
  const asked: string[] = [];
  const script: ModelScript = (request, signal) => {
    asked.push(`${goalOf(request)} ${toldTo(request).length}`);
    return tree(request, signal);
  };
  const priced = { facts: { price: { input: 1, output: 1_000_000 } } };
  const staged = { script, route: (provider: string, model: string) => route(provider, model, priced) };
  const memory = createMemory();
  const first = stage({ ...staged, memory });
  const whole = await run(first.engine);
  const uncut = await whole.result;
  await first.engine.close();
  const events = await eventsIn(memory);
  const needed = asked.toSorted();
  assert.deepEqual([needed.length, new Set(needed).size], [9, 9]);
  for (let count = 1; count < events.length; count++) {
    const said = `cut after ${count}: ${JSON.stringify(events[count - 1])}`;
    asked.length = 0;
    const cut = createMemory();
    const before = createMemoryJournal({ memory: cut });
    await before.append(events.slice(0, count));
    await before.close();
    const later = stage({ ...staged, memory: cut });
    const { results } = await (await later.engine.resume(whole.id, {})).result;
    const finished = events.slice(0, count).filter(({ kind }) => kind === "step-end").length;
    assert.equal(asked.length + finished, needed.length, said);
    assert.equal(new Set(asked).size, asked.length, said);
    const facts = ({ status, summary, delegations, cost_usd }: (typeof results)[number]) => {
      return [status, summary, delegations, cost_usd?.toFixed(6)];
    };
    assert.deepEqual(results.map(facts), uncut.results.map(facts), said);
    const { run: now } = await later.engine.run(whole.id);
    assert.deepEqual(
      now.children.flatMap(({ delegations }) => delegations.map(({ delegationId }) => delegationId)),
      uncut.results[0]?.delegations,
      said,
    );
    await later.engine.close();
    assert.deepEqual(mistakesIn(await eventsIn(cut)), [], said);
  }
});
