/** Children that delegate: one cap, one budget, one stop and one journal for the tree. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Reply } from "../../../src/child/wire/reply/reply.ts";
import type { ModelCall } from "../../../src/child/wire/request/request.ts";
import type { Delegation, Engine } from "../../../src/engine/engine.ts";
import type { Event, StoredEvent } from "../../../src/event.ts";
import type { EntryFilter } from "../../../src/journal/journal.ts";
import { createMemory, createMemoryJournal } from "../../../src/journal/memory.ts";
import type { Result } from "../../../src/result.ts";
import { allChildren, foldRun, type Run, resultsOf, spentIn, workedMs } from "../../../src/run/run.ts";
import { listAllRuns, listRuns } from "../../../src/run/run-store.ts";
import type { Task } from "../../../src/task.ts";
import { createFakeClock } from "../../../src/testing/fake-clock.ts";
import { calls, fails, route, says } from "../../support/child-stage.ts";
import { createTestEngine, type ModelScript } from "../../support/engine-stage.ts";

const options = { surface: "cli", workspace: "/work" } as const;

/**
 * A goal is a tree: `top(a, b(c))` has the children `a` and `b(c)`. A goal without children answers with itself. An
 * orchestrator delegates all of its children at once, and answers with their answers.
 */
function parts(goal: string): { name: string; children: string[] } {
  const open = goal.indexOf("(");
  if (open < 0) return { name: goal, children: [] };
  const children: string[] = [];
  let depth = 0;
  let start = open + 1;
  for (let at = open; at < goal.length; at++) {
    if (goal[at] === "(") depth += 1;
    if (goal[at] === ")") depth -= 1;
    if ((goal[at] === "," && depth === 1) || depth === 0) {
      children.push(goal.slice(start, at).trim());
      start = at + 1;
    }
    if (depth === 0) break;
  }
  return { name: goal.slice(0, open), children };
}

function taskOf(goal: string, more: Partial<Task> = {}): Task {
  return { goal, ...(parts(goal).children.length > 0 && { role: "orchestrator" as const }), ...more };
}

function goalOf({ messages }: ModelCall): string {
  const [first] = messages;
  return first?.role === "user" ? first.text : "";
}

/** Orchestrators delegate once, then answer with the results; leaves answer with their name. */
const tree: ModelScript = async (request) => delegating(request) ?? says(parts(goalOf(request)).name);

function delegating(request: ModelCall): Reply | undefined {
  const { children } = parts(goalOf(request));
  if (children.length === 0) return undefined;
  const told = request.messages.find(({ role }) => role === "tool");
  if (told !== undefined) return says("text" in told ? told.text : "");
  return calls(["delegate_task", { tasks: children.map((goal) => taskOf(goal)) }]);
}

async function run(engine: Engine, ...goals: string[]): Promise<Delegation> {
  return engine.submit({ tasks: goals.map((goal) => taskOf(goal)) }, options);
}

async function collect(events: AsyncIterable<Event>): Promise<Event[]> {
  const all: Event[] = [];
  for await (const event of events) all.push(event);
  return all;
}

/** Runs everything that is ready now. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}

const DEEP = { max_spawn_depth: 9 };

test("a child that delegates gets the results, and its run is found by an id below its own", async () => {
  const { engine } = createTestEngine({ script: tree, delegation: DEEP });
  const delegation = await run(engine, "top(a, b)", "leaf");
  const events = await collect(delegation.events);
  const { results } = await delegation.result;
  const id = `${delegation.id}.1.1`;
  assert.deepEqual(
    results.map(({ delegations }) => delegations),
    [[id], []],
  );
  assert.match(results[0]?.summary ?? "", /2 of 2 done/);
  assert.match(results[0]?.summary ?? "", /completed: m @ zai.*\na\n/);
  const { run: nested } = await engine.run(id);
  assert.deepEqual([nested.depth, nested.parent?.childId, nested.surface], [2, `${delegation.id}.1`, "child"]);
  assert.deepEqual(
    (await engine.run(`${id}.2`)).run.children.map(({ tally }) => tally.ending?.text),
    ["a", "b"],
  );
  assert.ok(events.some((event) => event.kind === "child-end" && event.childId === `${id}.2`));
  assert.deepEqual(
    (await engine.runs()).map(({ run }) => run.delegationId),
    [delegation.id],
  );
  await engine.close();
});

test("only orchestrators can delegate, and only to the configured depth", async () => {
  const offered = new Map<string, string[]>();
  const script: ModelScript = async (request, signal) => {
    offered.set(
      parts(goalOf(request)).name,
      request.tools.map(({ name }) => name),
    );
    return tree(request, signal);
  };
  const { engine } = createTestEngine({ script, delegation: { max_spawn_depth: 2 } });
  await (await run(engine, "top(middle(low))", "leaf")).result;
  assert.deepEqual(Object.fromEntries(offered), { top: ["delegate_task", "list_models"], middle: [], leaf: [] });
  await engine.close();
});

test("with a cap of one, a tree three deep runs to its end: who waits for its children holds no place", async () => {
  let atOnce = 0;
  let most = 0;
  const script: ModelScript = async (request, signal) => {
    most = Math.max(most, ++atOnce);
    await settle();
    atOnce -= 1;
    return tree(request, signal);
  };
  const { engine } = createTestEngine({ script, delegation: DEEP });
  const delegation = await engine.submit(
    { tasks: [taskOf("a(b(c(d, e)), f)"), taskOf("g(h)")] },
    { ...options, concurrency: 1 },
  );
  const { results } = await delegation.result;
  assert.deepEqual(
    results.map(({ status }) => status),
    ["completed", "completed"],
  );
  assert.equal(most, 1);
  assert.deepEqual(
    results.map(({ api_calls }) => api_calls),
    [9, 3],
  );
  await engine.close();
});

test("fifty orchestrators of five children each share a cap of four", async () => {
  let atOnce = 0;
  let most = 0;
  const script: ModelScript = async (request, signal) => {
    most = Math.max(most, ++atOnce);
    await new Promise((resolve) => setImmediate(resolve));
    atOnce -= 1;
    return tree(request, signal);
  };
  const { engine } = createTestEngine({ script, delegation: DEEP });
  const tasks = Array.from({ length: 50 }, (_, at) => taskOf(`o${at}(a, b, c, d, e)`));
  const delegation = await engine.submit({ tasks }, { ...options, concurrency: 4 });
  const { results } = await delegation.result;
  assert.equal(results.filter(({ status, api_calls }) => status === "completed" && api_calls === 7).length, 50);
  assert.equal(most, 4);
  await engine.close();
});

// Watching -----------------------------------------------------------------------------------------------------------

test("a watcher in any process sees all stored events of the tree, once and in order", async () => {
  const memory = createMemory();
  const { engine } = createTestEngine({ script: tree, delegation: DEEP, memory });
  const elsewhere = createTestEngine({ script: tree, memory });
  const { id, result } = await run(engine, "top(a, mid(b, c))", "d");
  const { signal } = new AbortController();
  const watched = await collect(elsewhere.engine.watch(id, signal));
  await result;
  const stored = await Array.fromAsync(createMemoryJournal({ memory }).read({}), ({ event }) => event);
  assert.deepEqual(watched, stored);
  assert.ok(watched.some((event) => event.kind === "child-end" && event.childId === `${id}.1.1.2.1.2`));
  assert.deepEqual(await collect(engine.watch(id, signal)), stored);
  assert.deepEqual(await Array.fromAsync(engine.events(id)), stored);
  const below = stored.filter(({ delegationId }) => delegationId.startsWith(`${id}.1.1`));
  assert.deepEqual(await collect(elsewhere.engine.watch(`${id}.1.1`, signal)), below);
  await engine.close();
  await elsewhere.engine.close();
});

test("a listing asks the journal once for each run it lists, however many runs its children have made", async () => {
  const memory = createMemory();
  const { engine } = createTestEngine({ script: tree, delegation: DEEP, memory });
  for (let count = 0; count < 3; count++) await (await run(engine, "top(a, mid(b, c))", "other(d)")).result;
  await engine.close();
  const journal = createMemoryJournal({ memory });
  let reads = 0;
  const read = (filter: EntryFilter) => {
    reads += 1;
    return journal.read(filter);
  };
  const counted = { ...journal, read };
  const listings = await listRuns(counted, process.pid);
  assert.equal(reads, 1 + listings.length);
  assert.deepEqual(
    listings.map(({ run: listed }) => allChildren(listed).map(({ tally }) => tally.ending?.status)),
    Array.from({ length: 3 }, () => Array.from({ length: 7 }, () => "completed")),
  );
  assert.equal((await listAllRuns(counted, process.pid)).length, 12);
});

// Stops --------------------------------------------------------------------------------------------------------------

/** As `tree`, but goals named `hang…` answer only when their request is aborted. */
const hanging: ModelScript = async (request, signal) => {
  if (!parts(goalOf(request)).name.startsWith("hang")) return tree(request, signal);
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
  return fails("aborted");
};

/** Resolves with the first matching event. */
async function seen(events: AsyncIterable<Event>, fits: (event: Event) => boolean): Promise<void> {
  for await (const event of events) if (fits(event)) return;
  throw new Error("it never happened");
}

function asks(childId: string): (event: Event) => boolean {
  return (event) => event.kind === "step-start" && event.childId === childId;
}

function statuses(results: Result[]): string[] {
  return results.map(({ status, exit_reason }) => `${status}: ${exit_reason}`);
}

test("a stopped child stops its delegations, and its siblings continue", async () => {
  const { engine } = createTestEngine({ script: hanging, delegation: DEEP });
  const delegation = await run(engine, "top(a, hang, mid(hang2))", "other(b)");
  const { id } = delegation;
  await Promise.all([`${id}.1.1.2`, `${id}.1.1.3.1.1`].map((childId) => seen(delegation.events, asks(childId))));
  await engine.stop(`${id}.1`, "somebody");
  const { results } = await delegation.result;
  assert.deepEqual(statuses(results), ["interrupted: somebody", "completed: answered"]);
  const { children } = (await engine.run(`${id}.1.1`)).run;
  assert.deepEqual(
    children.map(({ tally }) => tally.ending?.status),
    ["completed", "interrupted", "interrupted"],
  );
  // Two requests of the orchestrator, one each of a, mid and hang, one of hang2; the two that hung are counted.
  assert.deepEqual([results[0]?.api_calls, results[0]?.delegations], [5, [`${id}.1.1`]]);
  await engine.close();
});

test("a delegation that is stopped by its own id is reported to its parent, which continues", async () => {
  const { engine } = createTestEngine({ script: hanging, delegation: DEEP });
  const delegation = await run(engine, "top(a, hang)");
  await seen(delegation.events, asks(`${delegation.id}.1.1.2`));
  await engine.stop(`${delegation.id}.1.1`, "somebody");
  const { results } = await delegation.result;
  assert.deepEqual(statuses(results), ["completed: answered"]);
  assert.match(results[0]?.summary ?? "", /interrupted \(somebody\)/);
  await engine.close();
});

test("one grandchild can be stopped alone", async () => {
  const { engine } = createTestEngine({ script: hanging, delegation: DEEP });
  const delegation = await run(engine, "top(hang1, hang2)");
  const { id } = delegation;
  await Promise.all([1, 2].map((at) => seen(delegation.events, asks(`${id}.1.1.${at}`))));
  await engine.stop(`${id}.1.1.2`, "somebody");
  await seen(delegation.events, (event) => event.kind === "child-end" && event.childId === `${id}.1.1.2`);
  assert.equal((await engine.run(`${id}.1.1`)).run.children[0]?.tally.ending, undefined);
  await engine.stop(id, "somebody else");
  assert.deepEqual(statuses((await delegation.result).results), ["interrupted: somebody else"]);
  await engine.close();
});

test("a grandchild that waits its turn when its parent is stopped never starts", async () => {
  const { engine } = createTestEngine({ script: hanging, delegation: DEEP });
  const tasks = [taskOf("top(hang, late)")];
  const delegation = await engine.submit({ tasks }, { ...options, concurrency: 1 });
  await seen(delegation.events, asks(`${delegation.id}.1.1.1`));
  await engine.stop(`${delegation.id}.1`, "somebody");
  await delegation.result;
  const events = await Array.fromAsync(engine.events(`${delegation.id}.1.1.2`));
  assert.deepEqual(
    events.map(({ kind }) => kind),
    ["child-end"],
  );
  await engine.close();
});

test("a child that times out ends its delegations, and their usage is counted", async () => {
  const clock = createFakeClock();
  const { engine } = createTestEngine({ script: hanging, delegation: DEEP, clock });
  const delegation = await engine.submit({ tasks: [taskOf("top(a, hang)", { timeout_seconds: 60 })] }, options);
  const { id } = delegation;
  await Promise.all([
    seen(delegation.events, asks(`${id}.1.1.2`)),
    seen(delegation.events, (event) => event.kind === "child-end" && event.childId === `${id}.1.1.1`),
  ]);
  await clock.advance(60_000);
  const { results } = await delegation.result;
  assert.deepEqual(statuses(results), ["timeout: timeout_seconds"]);
  const { children } = (await engine.run(`${delegation.id}.1.1`)).run;
  assert.deepEqual(
    children.map(({ tally }) => tally.ending?.status),
    ["completed", "interrupted"],
  );
  assert.equal(results[0]?.api_calls, 3);
  assert.equal(clock.pending, 0);
  await engine.close();
});

test("what a child delegated cannot be resumed without it", async () => {
  const { engine } = createTestEngine({ script: tree, delegation: DEEP });
  const delegation = await run(engine, "top(a)");
  await delegation.result;
  await assert.rejects(engine.resume(`${delegation.id}.1.1`, {}), /is part of .*deputy resume/s);
  await engine.close();
});

test("a stopped tree continues where it was, including grandchildren", async () => {
  let hangs = true;
  const script: ModelScript = (request, signal) => (hangs ? hanging(request, signal) : tree(request, signal));
  const { engine } = createTestEngine({ script, delegation: DEEP });
  const delegation = await run(engine, "top(a, hang)");
  await seen(delegation.events, asks(`${delegation.id}.1.1.2`));
  await delegation.stop("somebody");
  assert.deepEqual(statuses((await delegation.result).results), ["interrupted: somebody"]);
  hangs = false;
  const { results } = await (await engine.resume(delegation.id, {})).result;
  assert.deepEqual(statuses(results), ["completed: answered"]);
  assert.match(results[0]?.summary ?? "", /2 of 2 done.*\na\n.*\nhang\n?/s);
  // top twice, a once, hang twice, of which one failed.
  assert.deepEqual([results[0]?.api_calls, results[0]?.delegations], [5, [`${delegation.id}.1.1`]]);
  await engine.close();
});

test("a conversation whose turn was stopped gets the outcome of its delegation", async () => {
  const heard: string[] = [];
  const script: ModelScript = (request, signal) => {
    const last = request.messages.at(-1);
    if (goalOf(request) === "chat(a, hang)" && request.messages.length > 1) {
      heard.push(...request.messages.flatMap((message) => (message.role === "tool" ? [message.text] : [])));
      return Promise.resolve(says(last?.role === "user" ? "I see." : ""));
    }
    return hanging(request, signal);
  };
  const { engine } = createTestEngine({ script });
  const chat = await engine.submit({ tasks: [{ goal: "chat(a, hang)" }] }, { ...options, surface: "chat" });
  const { id } = chat;
  await Promise.all([
    seen(chat.events, asks(`${id}.1.1.2`)),
    seen(chat.events, (event) => event.kind === "child-end" && event.childId === `${id}.1.1.1`),
  ]);
  await chat.stop("Ctrl-C");
  await chat.result;
  const { results } = await (await engine.converse(id, "what now?", {})).result;
  assert.equal(heard.length, 1);
  assert.match(heard[0] ?? "", /^While this ran, the turn was stopped \(Ctrl-C\)\..*completed.*\na\n.*interrupted/s);
  assert.deepEqual(
    results.map(({ summary, api_calls, delegations }) => [summary, api_calls, delegations]),
    [["I see.", 4, [`${id}.1.1`]]],
  );
  await engine.close();
});

// Crashes ------------------------------------------------------------------------------------------------------------

const PRICED = { facts: { price: { input: 1, output: 1_000_000 } } };

/** The journal of a process that died after this many events. */
async function cutAfter(count: number, events: readonly StoredEvent[]) {
  const memory = createMemory();
  const journal = createMemoryJournal({ memory });
  await journal.append(events.slice(0, count));
  await journal.close();
  return memory;
}

test("wherever a tree is cut off, a resume repeats no finished step and costs no more than an undisturbed run", async () => {
  const asked: string[] = [];
  const script: ModelScript = (request, signal) => {
    asked.push(goalOf(request));
    return tree(request, signal);
  };
  const staged = {
    script,
    delegation: DEEP,
    route: (provider: string, model: string) => route(provider, model, PRICED),
  };
  const goals = ["top(a, mid(b, c))", "d"];
  const memory = createMemory();
  const { engine } = createTestEngine({ ...staged, memory });
  const whole = await run(engine, ...goals);
  const uncut = await whole.result;
  const events = await Array.fromAsync(createMemoryJournal({ memory }).read({}), ({ event }) => event);
  await engine.close();
  const total = asked.length;
  assert.equal(total, 8);
  for (let count = 1; count < events.length; count++) {
    asked.length = 0;
    const later = createTestEngine({ ...staged, memory: await cutAfter(count, events) });
    const { results } = await (await later.engine.resume(whole.id, {})).result;
    const finished = events.slice(0, count).filter(({ kind }) => kind === "step-end").length;
    assert.equal(asked.length + finished, total, `cut after ${count}: ${JSON.stringify(events[count - 1])}`);
    for (const [index, result] of results.entries()) {
      const { summary, cost_usd, delegations, status } = uncut.results[index] ?? assert.fail();
      // What a request that was cut off cost is an estimate.
      const shown = ({ summary: text }: { summary: string }) => text.replace(/\d+\.\d s/g, "").replaceAll("~$", "$");
      assert.deepEqual([result.status, result.delegations], [status, delegations], `cut after ${count}`);
      assert.equal(shown(result), shown({ summary }), `cut after ${count}`);
      assert.ok(Math.abs((result.cost_usd ?? 0) - (cost_usd ?? 0)) < 1e-9, `cut after ${count}`);
    }
    await later.engine.close();
  }
});

test("stopping a tree whose process has died records its end and its usage", async () => {
  const memory = createMemory();
  const first = createTestEngine({ script: hanging, delegation: DEEP, memory });
  const { id, events } = await run(first.engine, "top(a, hang, mid(hang2))");
  const ended = seen(events, (event) => event.kind === "child-end" && event.childId === `${id}.1.1.1`);
  await Promise.all([ended, ...[`${id}.1.1.2`, `${id}.1.1.3.1.1`].map((childId) => seen(events, asks(childId)))]);
  first.die();
  const { engine } = createTestEngine({ script: tree, delegation: DEEP, memory });
  await engine.stop(id, "somebody");
  const { run: whole, owner } = await engine.run(id);
  assert.equal(owner, "none");
  assert.deepEqual(
    allChildren(whole).map(({ tally }) => tally.ending?.status),
    ["interrupted", "completed", "interrupted", "interrupted", "interrupted"],
  );
  assert.deepEqual(
    resultsOf(whole).results.map(({ api_calls, delegations }) => [api_calls, delegations]),
    [[5, [`${id}.1.1`]]],
  );
  await engine.close();
});

test("the time that nested children worked before a crash is time of the run above, and no time is after it", async () => {
  const { engine } = createTestEngine({ script: tree, delegation: DEEP });
  const delegation = await engine.submit({ tasks: [taskOf("top(a, b)")] }, options);
  await delegation.result;
  const { id: delegationId } = delegation;
  const told = await Array.fromAsync(engine.events(delegationId), (event, second) => ({
    ...event,
    at: second * 1_000,
  }));
  const ended = told.findLastIndex(({ kind, delegationId: id }) => kind === "child-end" && id !== delegationId);
  const resume = { kind: "delegation-resume", at: 900_000, delegationId, pid: 1, renewed: {} } as const;
  const run = [...told.slice(0, ended + 1), resume].reduce<Run | undefined>(foldRun, undefined);
  assert.equal(run && workedMs(run), ended * 1_000);
  await engine.close();
});

test("what nested children spent before a crash counts against the budget afterwards", async () => {
  const memory = createMemory();
  const prices = { facts: { price: { input: 0, output: 1000 }, maxOutputTokens: 2_000 } };
  // Each answer costs a dollar and a half.
  const script: ModelScript = async (request, signal) => {
    const reply = await hanging(request, signal);
    return reply.ok ? { ...reply, usage: { input: 0, output: 1_500, cached: 0, reasoning: 0 } } : reply;
  };
  const staged = { script, memory, delegation: DEEP, route: (p: string, m: string) => route(p, m, prices) };
  const first = createTestEngine(staged);
  const call = { tasks: [taskOf("top(a, hang)")], max_cost_usd: 7 };
  const delegation = await first.engine.submit(call, options);
  const ended = `${delegation.id}.1.1.1`;
  await seen(delegation.events, (event) => event.kind === "child-end" && event.childId === ended);
  first.die();
  const limits: (number | undefined)[] = [];
  const second = createTestEngine({
    ...staged,
    script: (request, signal) => {
      limits.push(request.maxOutputTokens);
      return tree(request, signal);
    },
  });
  await (await second.engine.resume(delegation.id, {})).result;
  // Three dollars are known to be spent, two are reserved for the request in flight. Two are left, which are 2,000
  // tokens, and 256 of them are reserved for a final answer.
  assert.equal(limits[0], 1_744);
  await second.engine.close();
});

// Money --------------------------------------------------------------------------------------------------------------

test("over any tree, no budget is ever exceeded, of the run, of a child or of a delegation in it", async () => {
  const goal = fc.letrec<{ node: string }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 3 },
      fc.constant("leaf"),
      fc.array(tie("node"), { minLength: 1, maxLength: 4 }).map((children) => `node(${children.join(",")})`),
    ),
  })).node;
  const property = fc.asyncProperty(
    fc.array(fc.record({ goal, limit: fc.option(fc.integer({ min: 1, max: 12 })) }), { minLength: 1, maxLength: 4 }),
    fc.integer({ min: 1, max: 30 }),
    fc.array(fc.integer({ min: 0, max: 4_000 }), { minLength: 1, maxLength: 12 }),
    async (wanted, limit, outputs) => {
      const prices = { facts: { price: { input: 1, output: 1000 }, maxOutputTokens: 4_000 } };
      let asked = 0;
      const script: ModelScript = async (request, signal) => {
        const wish = outputs[asked++ % outputs.length] ?? 0;
        await settle();
        const reply = await tree(request, signal);
        const output = Math.min(wish, request.maxOutputTokens ?? Number.POSITIVE_INFINITY);
        return reply.ok ? { ...reply, usage: { input: 10, output, cached: 0, reasoning: 0 } } : reply;
      };
      const { engine } = createTestEngine({ script, delegation: DEEP, route: (p, m) => route(p, m, prices) });
      const tasks = wanted.map((task) => taskOf(task.goal, task.limit === null ? {} : { max_cost_usd: task.limit }));
      const delegation = await engine.submit({ tasks, max_cost_usd: limit }, options);
      const { results, total_cost_usd } = await delegation.result;
      assert.ok((total_cost_usd ?? Number.NaN) <= limit + 1e-9, `${total_cost_usd} of ${limit}`);
      for (const [index, { cost_usd, child_id }] of results.entries()) {
        assert.ok((cost_usd ?? Number.NaN) <= (wanted[index]?.limit ?? limit) + 1e-9, `${child_id}: ${cost_usd}`);
      }
      // The tree costs what its requests cost, each counted once.
      const { run: whole } = await engine.run(delegation.id);
      assert.ok(Math.abs(spentIn(whole.children) - (total_cost_usd ?? 0)) < 1e-9);
      await engine.close();
    },
  );
  await fc.assert(property, { numRuns: 40, seed: 20 });
});

test("where a grandchild's cost is an estimate, so is that of those above it", async () => {
  const script: ModelScript = async (request, signal) => {
    const reply = await tree(request, signal);
    if (!reply.ok || parts(goalOf(request)).name !== "a") return reply;
    const { usage: _, ...rest } = reply;
    return rest;
  };
  const { engine } = createTestEngine({ script, delegation: DEEP, route: (p, m) => route(p, m, PRICED) });
  const { results, total_cost_usd } = await (await run(engine, "top(mid(a))", "b")).result;
  assert.deepEqual(
    results.map(({ cost_status }) => cost_status),
    ["estimated", "known"],
  );
  assert.equal(typeof total_cost_usd, "number");
  await engine.close();
});
