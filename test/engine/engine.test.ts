import assert from "node:assert/strict";
import { test } from "node:test";
import { type Clock, systemClock } from "../../src/clock.ts";
import { DeputyError } from "../../src/errors.ts";
import type { Event } from "../../src/event.ts";
import { createMemory } from "../../src/journal/memory.ts";
import type { RunChild } from "../../src/run/run.ts";
import { calls, fails, route, says, tool } from "../support/child-stage.ts";
import { until } from "../support/command-line.ts";
import { createTestEngine, type ModelScript } from "../support/engine-stage.ts";

const task = (goal: string, provider = "zai") => ({ goal, model: "m", provider });
const options = { surface: "library", workspace: "/work" } as const;
const answer: ModelScript = async (request) => says(`answer to ${JSON.stringify(request.messages[0])}`);

function hasEnded(child: RunChild | undefined): boolean {
  return child?.tally.ending !== undefined;
}

async function collect(events: AsyncIterable<Event>): Promise<Event[]> {
  const all: Event[] = [];
  for await (const event of events) all.push(event);
  return all;
}

test("a delegation's results come in task order, each on its own route, whatever order they ended in", async () => {
  const { engine } = createTestEngine({
    script: async ({ route: { provider } }) => {
      if (provider === "zai") await new Promise((resolve) => setTimeout(resolve, 20));
      return says(`from ${provider}`);
    },
  });
  const delegation = await engine.submit(
    { tasks: [task("a"), task("b", "openrouter"), task("c", "anthropic")] },
    options,
  );
  const { results } = await delegation.result;
  assert.deepEqual(
    results.map(({ task_index, summary, provider }) => [task_index, summary, provider]),
    [
      [0, "from zai", "zai"],
      [1, "from openrouter", "openrouter"],
      [2, "from anthropic", "anthropic"],
    ],
  );
  await engine.close();
});

test("whoever iterates at once sees every event from the first to the last", async () => {
  const { engine } = createTestEngine({ script: answer });
  const delegation = await engine.submit({ tasks: [task("a")] }, options);
  const kinds = (await collect(delegation.events)).map(({ kind }) => kind);
  assert.equal(kinds[0], "delegation-start");
  assert.ok(kinds.includes("text-delta"));
  assert.equal(kinds.at(-1), "delegation-end");
  await engine.close();
});

test("no more children run at once than the cap, and the others know their position", async () => {
  let running = 0;
  let most = 0;
  const { engine } = createTestEngine({
    script: async () => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
      return says("ok");
    },
  });
  const tasks = Array.from({ length: 12 }, (_, index) => task(`task ${index}`));
  const delegation = await engine.submit({ tasks }, { ...options, concurrency: 3 });
  const events = await collect(delegation.events);
  assert.equal(most, 3);
  assert.ok(events.some((event) => event.kind === "queue-move" && event.place === 9));
  assert.equal((await delegation.result).results.filter(({ status }) => status === "completed").length, 12);
  await engine.close();
});

test("a task without a route is rejected with its problem and costs the others nothing", async () => {
  const { engine } = createTestEngine({ script: answer });
  const delegation = await engine.submit({ tasks: [task("a", "nowhere"), task("b")] }, options);
  const { results } = await delegation.result;
  assert.deepEqual(
    results.map(({ status, exit_reason }) => [status, exit_reason]),
    [
      ["rejected", "unknown-provider"],
      ["completed", "answered"],
    ],
  );
  await engine.close();
});

test("if no task can start, or with strict one cannot, nothing starts and every problem is reported", async () => {
  const { engine } = createTestEngine({ script: answer });
  const none = { tasks: [task("first", "nowhere"), task("second", "nowhere")] };
  await assert.rejects(engine.submit(none, options), (error) => {
    assert.ok(error instanceof DeputyError && error.code === "nothing-to-run");
    assert.match(error.message, /task 1 \(first\)[\s\S]*task 2 \(second\)/);
    return true;
  });
  const one = { tasks: [task("first", "nowhere"), task("second")] };
  await assert.rejects(engine.submit(one, { ...options, strict: true }), /Nothing was started/);
  assert.deepEqual(await engine.runs(), []);
  await engine.close();
});

test("an invalid output_schema is rejected before anything starts", async () => {
  const { engine } = createTestEngine({ script: answer });
  const broken = { ...task("a"), output_schema: { type: "nonsense" } };
  await assert.rejects(engine.submit({ tasks: [broken] }, options), /task 1, output_schema/);
  await engine.close();
});

test("a failing child does not touch its siblings", async () => {
  const { engine } = createTestEngine({
    script: async ({ route: { provider } }) => (provider === "zai" ? fails("invalid-request") : says("fine")),
  });
  const { results } = await (await engine.submit({ tasks: [task("a"), task("b", "anthropic")] }, options)).result;
  assert.deepEqual(
    results.map(({ status }) => status),
    ["failed", "completed"],
  );
  await engine.close();
});

test("a bug in Deputy costs the child that met it, and no other; its stack goes to the log and nowhere else", async () => {
  const memory = createMemory();
  const logged: [string, unknown][] = [];
  const bug = new TypeError("undefined is not a function with sk-secret\n    at line two of the message");
  const { engine } = createTestEngine({
    script: async ({ route: { provider } }) => {
      if (provider === "zai") throw bug;
      return says("fine");
    },
    memory,
    logError: (where, error) => logged.push([where, error]),
  });
  const delegation = await engine.submit({ tasks: [task("a"), task("b", "anthropic")] }, options);
  const { results } = await delegation.result;
  const [first, second] = results;
  assert.deepEqual([first?.status, first?.exit_reason], ["failed", "internal"]);
  assert.match(first?.error?.message ?? "", /^Internal error.*undefined is not a function with \[secret\]\)/);
  assert.equal(second?.status, "completed");
  assert.deepEqual(logged, [[`${delegation.id}.1`, bug]]);
  assert.doesNotMatch(JSON.stringify([results, memory.log]), /\bat line two|engine\.test\.ts|sk-secret/);
  await engine.close();
});

test("a tool that throws gives the model one line; its stack goes to the log", async () => {
  const memory = createMemory();
  const logged: string[] = [];
  const told: string[] = [];
  const { engine } = createTestEngine({
    script: async ({ messages }) => {
      const text = JSON.stringify(messages);
      if (!text.includes("broken failed")) return calls(["broken", { word: "x" }]);
      told.push(text);
      return says("It failed.");
    },
    tools: [
      tool("broken", "read", () => {
        throw new RangeError("out of range\n    at somewhere");
      }),
    ],
    memory,
    logError: (where, error) => logged.push(`${where}: ${error}`),
  });
  const delegation = await engine.submit({ tasks: [task("a")] }, options);
  assert.equal((await delegation.result).results[0]?.status, "completed");
  assert.match(told.join(), /broken failed\. Internal error in Deputy \(out of range\)/);
  assert.deepEqual(logged, [`${delegation.id}.1 broken: RangeError: out of range\n    at somewhere`]);
  assert.doesNotMatch(JSON.stringify(memory.log), /at somewhere/);
  await engine.close();
});

test("a child that waits for money its siblings have reserved reports it once, live only, and continues on release", async () => {
  const memory = createMemory();
  const { promise: opened, resolve: open } = Promise.withResolvers<void>();
  const priced = (provider: string, model: string) =>
    route(provider, model, { facts: { price: { input: 1, output: 10 } } });
  const { engine } = createTestEngine({
    script: async () => {
      await opened;
      return says("done");
    },
    memory,
    route: priced,
  });
  const call = { tasks: [task("a"), task("b"), task("c")], max_cost_usd: 0.06 };
  const delegation = await engine.submit(call, options);
  const waits: Event[] = [];
  for await (const event of delegation.events) {
    if (event.kind !== "budget-wait") continue;
    assert.ok(event.heldUsd > 0 && event.heldUsd <= 0.06, `${event.heldUsd}`);
    waits.push(event);
    if (waits.length === 2) open();
  }
  const { results } = await delegation.result;
  assert.deepEqual(
    results.map(({ status }) => status),
    ["completed", "completed", "completed"],
  );
  assert.deepEqual(new Set(waits.map((event) => "childId" in event && event.childId)).size, waits.length);
  assert.doesNotMatch(JSON.stringify(memory.log), /budget-wait/);
  await engine.close();
});

test("children whose budget has room for all never wait for it", async () => {
  const { engine } = createTestEngine({
    script: answer,
    route: (provider, model) => route(provider, model, { facts: { price: { input: 1, output: 10 } } }),
  });
  const delegation = await engine.submit({ tasks: [task("a"), task("b")], max_cost_usd: 100 }, options);
  const events = await collect(delegation.events);
  assert.ok(!events.some(({ kind }) => kind === "budget-wait"));
  await engine.close();
});

test("a child that retries gives its place to another while it waits", async () => {
  const order: string[] = [];
  let failed = false;
  const { engine } = createTestEngine({
    script: async ({ route: { provider } }) => {
      order.push(provider);
      if (provider !== "zai" || failed) return says("ok");
      failed = true;
      return fails("rate-limited", { failure: { kind: "rate-limited", message: "slow down", retryAfterMs: 30 } });
    },
  });
  const delegation = await engine.submit(
    { tasks: [task("a"), task("b", "anthropic")] },
    { ...options, concurrency: 1 },
  );
  const { results } = await delegation.result;
  assert.deepEqual(order, ["zai", "anthropic", "zai"]);
  assert.ok(results.every(({ status }) => status === "completed"));
  await engine.close();
});

test("a wall-time limit ends a child that runs on, and counts from its start", async () => {
  const { engine } = createTestEngine({
    script: (_, signal) => new Promise((resolve) => signal.addEventListener("abort", () => resolve(fails("aborted")))),
  });
  const delegation = await engine.submit({ tasks: [{ ...task("a"), timeout_seconds: 0.02 }] }, options);
  const { results } = await delegation.result;
  assert.equal(results[0]?.status, "timeout");
  await engine.close();
});

test("stopping one child leaves its siblings alone; stopping all ends those that wait before they start", async () => {
  const started: string[] = [];
  const hang: ModelScript = (request, signal) => {
    started.push(request.route.provider);
    return new Promise((resolve) =>
      signal.addEventListener("abort", () => resolve(fails("aborted", { partialText: "half" }))),
    );
  };
  const { engine } = createTestEngine({ script: hang });
  const tasks = [task("a"), task("b", "anthropic"), task("c", "openrouter")];
  const delegation = await engine.submit({ tasks }, { ...options, concurrency: 2 });
  const seen = collect(delegation.events);
  await until(() => started.length >= 2);
  assert.deepEqual(started, ["zai", "anthropic"]);
  await engine.stop(`${delegation.id}.1`, "person");
  await until(() => started.length >= 3);
  assert.deepEqual(started, ["zai", "anthropic", "openrouter"]);
  await delegation.stop("Ctrl-C");
  const { results } = await delegation.result;
  assert.deepEqual(
    results.map(({ status, exit_reason, summary }) => [status, exit_reason, summary]),
    [
      ["interrupted", "person", "half"],
      ["interrupted", "Ctrl-C", "half"],
      ["interrupted", "Ctrl-C", "half"],
    ],
  );
  assert.equal((await seen).filter(({ kind }) => kind === "stop-request").length, 2);
  await engine.close();
});

test("a budget of the call is shared by its children, and its end is reported", async () => {
  const priced = { facts: { price: { input: 1, output: 10 }, maxOutputTokens: 2_000 } };
  const { engine } = createTestEngine({
    script: async ({ mustAnswer, maxOutputTokens = 0 }) =>
      mustAnswer
        ? says("last words", { usage: { input: 100, output: Math.min(50, maxOutputTokens), cached: 0, reasoning: 0 } })
        : {
            ...calls(["look", { word: "x" }]),
            usage: { input: 1_000, output: maxOutputTokens, cached: 0, reasoning: 0 },
          },
    tools: [tool("look", "read", (word) => word)],
    route: (provider, model) => route(provider, model, priced),
  });
  const call = { tasks: [task("a"), task("b"), task("c")], max_cost_usd: 0.2 };
  const { results, total_cost_usd } = await (await engine.submit(call, options)).result;
  assert.ok(total_cost_usd !== null && total_cost_usd <= 0.2 && total_cost_usd > 0.1, String(total_cost_usd));
  assert.ok(results.every(({ status, exit_reason }) => status === "incomplete" && exit_reason === "max_cost"));
  await engine.close();
});

test("a run whose owner died is resumed: finished children do not run again, finished steps are not requested again", async () => {
  const memory = createMemory();
  const asked: string[] = [];
  const look = tool("look", "read", (word) => word);
  const script: ModelScript = async ({ messages, route: { provider } }) => {
    asked.push(`${provider} ${messages.length}`);
    if (provider === "anthropic" && messages.length === 1) return calls(["look", { word: "x" }]);
    if (provider === "anthropic" && asked.length < 4) return new Promise(() => {});
    return says(`done by ${provider}`);
  };
  const first = createTestEngine({ script, memory, tools: [look] });
  const delegation = await first.engine.submit({ tasks: [task("a"), task("b", "anthropic")] }, options);
  const hasFirstEnded = async () => hasEnded((await first.engine.run(delegation.id)).run.children[0]);
  await until(async () => asked.length === 3 && (await hasFirstEnded()));
  assert.deepEqual([...asked].sort(), ["anthropic 1", "anthropic 3", "zai 1"]);
  first.die();

  const second = createTestEngine({ script, memory, tools: [look] });
  assert.equal((await second.engine.run(delegation.id)).owner, "dead");
  const { results } = await (await second.engine.resume(delegation.id, {})).result;
  assert.deepEqual(asked.slice(3), ["anthropic 3"]);
  assert.deepEqual(
    results.map(({ summary, api_calls }) => [summary, api_calls]),
    [
      ["done by zai", 1],
      ["done by anthropic", 3],
    ],
  );
  assert.equal((await second.engine.run(delegation.id)).owner, "none");
  await second.engine.close();
});

test("a stopped run is resumed where it was: interrupted work is open again, downtime is not counted", async () => {
  const memory = createMemory();
  let patient = false;
  let hanging = 0;
  const script: ModelScript = async ({ messages, route: { provider } }, signal) => {
    if (provider === "zai") return says("done at once");
    if (messages.length === 1) return calls(["look", { word: "x" }]);
    if (patient) return says("done in the end");
    hanging += 1;
    return new Promise((resolve) => signal.addEventListener("abort", () => resolve(fails("aborted"))));
  };
  let downtimeMs = 0;
  const clock: Clock = {
    ...systemClock,
    now: () => systemClock.now() + downtimeMs,
    elapsed: () => systemClock.elapsed() + downtimeMs,
  };
  const staged = { script, memory, clock, tools: [tool("look", "read", (word) => word)] };
  const first = createTestEngine(staged);
  const delegation = await first.engine.submit(
    { tasks: [task("a"), task("b", "anthropic"), task("c", "openrouter")] },
    { ...options, concurrency: 2 },
  );
  await until(() => hanging === 2);
  await delegation.stop("Ctrl-C");
  const stopped = await delegation.result;
  assert.deepEqual(
    stopped.results.map(({ status }) => status),
    ["completed", "interrupted", "interrupted"],
  );
  await first.engine.close();
  downtimeMs = 3_600_000;

  patient = true;
  const second = createTestEngine(staged);
  const resumed = await second.engine.resume(delegation.id, {});
  const watched = collect(second.engine.watch(delegation.id, new AbortController().signal));
  const { results, total_duration_seconds } = await resumed.result;
  assert.deepEqual(
    results.map(({ status, summary }) => [status, summary]),
    [
      ["completed", "done at once"],
      ["completed", "done in the end"],
      ["completed", "done in the end"],
    ],
  );
  assert.ok(total_duration_seconds < 600, `downtime was counted: ${total_duration_seconds}`);
  assert.ok(results.every(({ duration_seconds }) => duration_seconds < 600));
  assert.equal((await watched).filter(({ kind }) => kind === "delegation-end").length, 2);
  assert.equal((await second.engine.run(delegation.id)).owner, "none");
  await second.engine.close();
});

test("a run with a live owner is not resumed by another", async () => {
  const memory = createMemory();
  const script: ModelScript = () => new Promise(() => {});
  const first = createTestEngine({ script, memory });
  const delegation = await first.engine.submit({ tasks: [task("a")] }, options);
  const second = createTestEngine({ script, memory });
  await assert.rejects(second.engine.resume(delegation.id, {}), (error) => {
    assert.ok(error instanceof DeputyError && error.code === "run-owned");
    return true;
  });
  first.die();
  second.die();
});

test("resuming a run that has ended returns its results again and starts nothing", async () => {
  const { engine } = createTestEngine({ script: answer });
  const delegation = await engine.submit({ tasks: [task("a")] }, options);
  const first = await delegation.result;
  const again = await engine.resume(delegation.id, {});
  assert.deepEqual((await again.result).results, first.results);
  assert.deepEqual(await collect(again.events), []);
  await engine.close();
});

test("a child whose route is missing stays interrupted with the reason; its siblings continue, and so does it later", async () => {
  const memory = createMemory();
  const first = createTestEngine({ script: () => new Promise(() => {}), memory });
  const delegation = await first.engine.submit({ tasks: [task("a"), task("b", "anthropic")] }, options);
  await new Promise((resolve) => setTimeout(resolve, 10));
  first.die();
  const second = createTestEngine({ script: answer, memory, gone: ["zai"] });
  const { results, warnings } = await (await second.engine.resume(delegation.id, {})).result;
  assert.deepEqual(
    results.map(({ status, exit_reason }) => [status, exit_reason]),
    [
      ["interrupted", "route-gone"],
      ["completed", "answered"],
    ],
  );
  assert.match(warnings.at(-1)?.message ?? "", new RegExp(`^${delegation.id}.1 stays interrupted.*No provider zai`));
  const written = memory.log.length;
  await assert.rejects(second.engine.resume(delegation.id, {}), { code: "nothing-to-run" });
  assert.deepEqual([memory.log.length, memory.owners.size], [written, 0]);
  await second.engine.close();
  const third = createTestEngine({ script: answer, memory });
  const whole = await (await third.engine.resume(delegation.id, {})).result;
  assert.deepEqual(
    whole.results.map(({ status }) => status),
    ["completed", "completed"],
  );
  assert.deepEqual(whole.warnings, []);
  await third.engine.close();
});

test("stopping a run whose owner died ends it", async () => {
  const memory = createMemory();
  const first = createTestEngine({ script: () => new Promise(() => {}), memory });
  const delegation = await first.engine.submit({ tasks: [task("a"), task("b")] }, options);
  await new Promise((resolve) => setTimeout(resolve, 10));
  first.die();
  const second = createTestEngine({ script: answer, memory });
  await second.engine.stop(`${delegation.id}.2`, "person");
  assert.equal((await second.engine.run(delegation.id)).owner, "dead");
  await second.engine.stop(delegation.id, "person");
  const { run, owner } = await second.engine.run(delegation.id);
  assert.equal(owner, "none");
  assert.ok(run.children.every(({ tally }) => tally.ending?.status === "interrupted"));
  await second.engine.close();
});

test("a stop asked for in another process reaches the owner, and a watcher there sees the end", async () => {
  const memory = createMemory();
  const owner = createTestEngine({
    script: (_, signal) => new Promise((resolve) => signal.addEventListener("abort", () => resolve(fails("aborted")))),
    memory,
  });
  const other = createTestEngine({ script: answer, memory });
  const delegation = await owner.engine.submit({ tasks: [task("a")] }, options);
  const watched = collect(other.engine.watch(delegation.id, new AbortController().signal));
  await new Promise((resolve) => setTimeout(resolve, 10));
  await other.engine.stop(delegation.id, "another process");
  assert.equal((await delegation.result).results[0]?.exit_reason, "another process");
  assert.equal((await watched).at(-1)?.kind, "delegation-end");
  await owner.engine.close();
  await other.engine.close();
});

test("when the journal fails, the run ends with that error, and nothing unrecorded happens", async () => {
  let commits = 0;
  let asked = 0;
  const { engine } = createTestEngine({
    script: async () => {
      asked += 1;
      return calls(["look", { word: "x" }]);
    },
    tools: [tool("look", "read", (word) => word)],
    beforeCommit: () => {
      if (++commits > 4) throw new DeputyError("journal-full", "The disk is full.");
    },
  });
  const delegation = await engine.submit({ tasks: [task("a")] }, options);
  await assert.rejects(delegation.result, /The disk is full/);
  assert.ok(asked <= 2);
});

test("runs are listed newest first and found by the beginning of their id", async () => {
  const { engine } = createTestEngine({ script: answer });
  const ids: string[] = [];
  for (const goal of ["a", "b"]) {
    const delegation = await engine.submit({ tasks: [task(goal)] }, options);
    await delegation.result;
    ids.unshift(delegation.id);
  }
  assert.deepEqual(
    (await engine.runs()).map(({ run }) => run.delegationId),
    ids,
  );
  const { run: found } = await engine.run(ids[0]?.slice(0, 6) ?? "");
  assert.equal(found.delegationId, ids[0]);
  await assert.rejects(engine.run("zzzz"), /found zzzz, which matches no run\. See: deputy runs/);
  await assert.rejects(engine.run(`${ids[0]}.7`), /has 1 child;/);
  await engine.close();
});

test("notes that are never read to their end keep no child from being stopped or running out of time", async () => {
  const { engine } = createTestEngine({ script: answer, readNotes: () => new Promise(() => {}) });
  const tasks = [{ ...task("a"), timeout_seconds: 0.02 }, task("b")];
  const delegation = await engine.submit({ tasks }, options);
  for await (const event of delegation.events)
    if (event.kind === "child-end" && event.childId === `${delegation.id}.1`) await delegation.stop("Ctrl-C");
  const { results } = await delegation.result;
  assert.deepEqual(
    results.map(({ status }) => status),
    ["timeout", "interrupted"],
  );
  await engine.close();
});

test("a warning about notes is emitted once, after the child's start", async () => {
  const warning = { code: "notes-unreadable", message: "AGENTS.md: it is a pipe." };
  const { engine } = createTestEngine({ script: answer, readNotes: async () => ({ warnings: [warning] }) });
  const delegation = await engine.submit({ tasks: [task("a")] }, options);
  const kinds = (await collect(delegation.events)).map(({ kind }) => kind);
  assert.equal(kinds[kinds.indexOf("child-start") + 1], "child-warn");
  assert.deepEqual((await delegation.result).results[0]?.warnings, [warning]);
  await engine.close();
});
