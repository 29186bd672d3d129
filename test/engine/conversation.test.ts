/** A conversation is a run, and a turn is a resume with a message: the same loop, the same fold, the same journal. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Reply } from "../../src/child/wire/reply/reply.ts";
import type { ModelCall } from "../../src/child/wire/request/request.ts";
import type { Delegation, Engine } from "../../src/engine/engine.ts";
import type { Event, StoredEvent } from "../../src/event.ts";
import { createMemory } from "../../src/journal/memory.ts";
import { foldRun, type Run, resultsOf } from "../../src/run/run.ts";
import { calls, fails, ready, route, says, tool } from "../support/child-stage.ts";
import { createTestEngine, type Staged } from "../support/engine-stage.ts";

const asChat = { surface: "chat", workspace: "/work" } as const;

type Reaction = (lastUserText: string, request: ModelCall, signal: AbortSignal) => Reply | Promise<Reply>;

/** An engine whose model reacts to the user's last message. */
function stage(react: Reaction, staged: Partial<Staged> = {}) {
  const requests: ModelCall[] = [];
  const script: Staged["script"] = async (request, signal) => {
    requests.push({ ...request, messages: [...request.messages] });
    return react(userText(request), request, signal);
  };
  return { ...createTestEngine({ script, ...staged }), requests };
}

function userText({ messages }: ModelCall): string {
  const last = messages.findLast((message) => message.role === "user");
  return last?.text ?? "";
}

function open(engine: Engine, text: string): Promise<Delegation> {
  return engine.submit({ tasks: [{ goal: text }] }, asChat);
}

async function told({ result }: Delegation): Promise<string> {
  const [turn] = (await result).results;
  return turn?.status === "completed" ? turn.summary : `${turn?.status}: ${turn?.exit_reason}`;
}

const said = ({ messages }: ModelCall) =>
  messages.map((message) =>
    message.role === "assistant"
      ? `assistant: ${message.parts.map((part) => (part.type === "tool-call" ? part.name : part.text)).join("")}`
      : `${message.role}: ${message.text}`,
  );

test("a message continues everything before it, under the same id", async () => {
  const { engine, requests } = stage((text) => says(`You said ${text}`));
  const first = await open(engine, "one");
  assert.equal(await told(first), "You said one");
  const second = await engine.converse(first.id, "two", {});
  assert.equal(second.id, first.id);
  assert.equal(await told(second), "You said two");
  assert.deepEqual(requests.map(said), [["user: one"], ["user: one", "assistant: You said one", "user: two"]]);
  assert.deepEqual(new Set(requests.map(({ system }) => system)).size, 1);
  assert.equal((await engine.run(first.id)).owner, "none");
  await engine.close();
});

test("another route holds from its message on; cost and tokens are those of the whole conversation", async () => {
  const { engine, requests } = stage(() => says("ok"));
  const { id } = await begun(engine);
  await told(await engine.converse(id, "two", { route: route("anthropic", "x") }));
  const { results } = await (await engine.converse(id, "three", {})).result;
  assert.deepEqual(
    requests.map(({ route: { model, provider } }) => `${model} @ ${provider}`),
    ["m @ zai", "x @ anthropic", "x @ anthropic"],
  );
  const [session] = results;
  assert.deepEqual([session?.model, session?.api_calls, session?.tokens.input], ["x", 3, 30]);
  assert.deepEqual(
    session?.route?.attempts.map(({ model, requests: count }) => [model, count]),
    [
      ["m", 1],
      ["x", 2],
    ],
  );
  await engine.close();
});

test("if its route is unavailable, a message is rejected and not sent", async () => {
  const { engine, requests } = stage((text) => says(text), { gone: ["zai"] });
  const { id } = await begun(engine);
  await assert.rejects(engine.converse(id, "two", {}), { code: "nothing-to-run", message: "No provider zai." });
  assert.equal(await told(await engine.converse(id, "three", { route: route("anthropic", "x") })), "three");
  assert.deepEqual(said(requests.at(-1) as ModelCall), ["user: one", "assistant: one", "user: three"]);
  await engine.close();
});

test("each message has the whole limit of iterations before it", async () => {
  const once = tool("look", "read", () => "seen");
  const { engine, requests } = stage(
    (_, { messages }) => {
      const asked = messages.findLastIndex((message) => message.role === "user" && /^(loop|on)$/.test(message.text));
      const isLoop = messages[asked]?.role === "user" && messages[asked].text === "loop";
      return isLoop || asked === messages.length - 1 ? calls(["look", { word: `${messages.length}` }]) : says("done");
    },
    { tools: [once] },
  );
  const first = await open(engine, "loop");
  assert.equal(await told(first), "incomplete: max_iterations");
  const asked = requests.length;
  assert.equal(await told(await engine.converse(first.id, "on", {})), "done");
  assert.equal(requests.length - asked, 2);
  await engine.close();
});

test("a stopped turn keeps what was read of its answer; open tool calls are settled before the next message", async () => {
  const under = Promise.withResolvers<void>();
  const write = tool("write", "write", async () => {
    under.resolve();
    await new Promise((resolve) => setTimeout(resolve, 30));
    return "written";
  });
  const { engine, requests } = stage(
    (text) => (text === "go" ? calls(["write", { word: "a" }], ["write", { word: "b" }]) : says("fine")),
    { tools: [write] },
  );
  const first = await open(engine, "go");
  await under.promise;
  await first.stop("Ctrl-C");
  assert.equal(await told(first), "interrupted: Ctrl-C");
  assert.equal(await told(await engine.converse(first.id, "and now?", {})), "fine");
  assert.deepEqual(requests.at(-1) && said(requests.at(-1) as ModelCall), [
    "user: go",
    "assistant: writewrite",
    "tool: written",
    "tool: Not run: the turn was stopped (Ctrl-C).",
    "user: and now?",
  ]);
  await engine.close();
});

test("a turn that a crash cut short is not reported as stopped by anybody", async () => {
  const memory = createMemory();
  const under = Promise.withResolvers<void>();
  const write = tool("write", "write", () => {
    under.resolve();
    return new Promise(() => {});
  });
  const two = calls(["write", { word: "a" }], ["write", { word: "b" }]);
  const dying = stage(() => two, { memory, tools: [write] });
  const { id } = await open(dying.engine, "go");
  await under.promise;
  dying.die();
  const { engine, requests } = stage(() => says("fine"), { memory, tools: [write] });
  assert.equal(await told(await engine.converse(id, "and now?", {})), "fine");
  assert.deepEqual(said(requests[0] as ModelCall).slice(2), [
    "tool: While this ran, Deputy exited before the turn ended: it may or may not have taken effect. Check before you repeat it.",
    "tool: Not run: Deputy exited before the turn ended.",
    "user: and now?",
  ]);
  await engine.close();
});

test("the beginning of an answer that was stopped is part of the conversation", async () => {
  const asked = Promise.withResolvers<void>();
  const { engine, requests } = stage((text, _, signal) => {
    if (text !== "long") return says("yes");
    asked.resolve();
    return new Promise((resolve) =>
      signal.addEventListener("abort", () => resolve(fails("aborted", { partialText: "Once upon" }))),
    );
  });
  const first = await open(engine, "long");
  await asked.promise;
  await first.stop("Ctrl-C");
  assert.equal(await told(first), "interrupted: Ctrl-C");
  await told(await engine.converse(first.id, "go on", {}));
  assert.deepEqual(said(requests.at(-1) as ModelCall), ["user: long", "assistant: Once upon", "user: go on"]);
  await engine.close();
});

test("a turn that fails does not answer with the words of an earlier one", async () => {
  const { engine } = stage((text) => (text === "one" ? says("a fine answer") : fails("context-overflow")));
  const { id } = await begun(engine);
  const { results } = await (await engine.converse(id, "two", {})).result;
  assert.deepEqual(
    results.map(({ status, exit_reason, summary }) => [status, exit_reason, summary]),
    [["failed", "context-overflow", ""]],
  );
  await engine.close();
});

test("a turn whose process died continues with a resume, or is replaced by the next message", async () => {
  for (const next of ["resume", "message"] as const) {
    const memory = createMemory();
    const asked = Promise.withResolvers<void>();
    const dying = stage(
      (text) => {
        if (text === "one") return says("1");
        asked.resolve();
        return new Promise(() => {});
      },
      { memory },
    );
    const { id } = await begun(dying.engine);
    await dying.engine.converse(id, "two", {});
    await asked.promise;
    dying.die();
    const { engine, requests } = stage((text) => says(`to ${text}`), { memory });
    const goesOn = next === "resume" ? engine.resume(id, {}) : engine.converse(id, "three", {});
    assert.equal(await told(await goesOn), next === "resume" ? "to two" : "to three");
    assert.deepEqual(said(requests[0] as ModelCall), [
      "user: one",
      "assistant: 1",
      "user: two",
      ...(next === "message" ? ["user: three"] : []),
    ]);
    await engine.close();
  }
});

test("while a turn runs, the run has an owner and takes no second message; between turns any process may", async () => {
  const memory = createMemory();
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<void>();
  const here = stage(
    async (text) => {
      asked.resolve();
      await answer.promise;
      return says(text);
    },
    { memory },
  );
  const elsewhere = stage((text) => says(`elsewhere: ${text}`), { memory });
  const first = await open(here.engine, "one");
  await asked.promise;
  for (const { engine } of [here, elsewhere])
    await assert.rejects(engine.converse(first.id, "two", {}), { code: "run-owned" });
  answer.resolve();
  await told(first);
  // A claim belongs to a process, and both of these engines are in this one: the second journal must be allowed.
  assert.equal(await told(await elsewhere.engine.converse(first.id, "two", {})), "elsewhere: two");
  await Promise.all([here.engine.close(), elsewhere.engine.close()]);
});

test("time between turns does not count", () => {
  const of = { delegationId: "r", childId: "r.1" };
  const story: StoredEvent[] = [
    {
      kind: "delegation-start",
      at: 1_000,
      delegationId: "r",
      call: { tasks: [{ goal: "one" }] },
      planned: [ready()],
      surface: "chat",
      warnings: [],
    },
    { kind: "child-start", at: 1_000, ...of, taskIndex: 0, prompt: { system: "", user: "one" } },
    { kind: "child-end", at: 2_000, ...of, ending: { status: "completed", text: "1" }, durationMs: 1_000 },
    { kind: "delegation-end", at: 2_000, delegationId: "r" },
    { kind: "delegation-resume", at: 62_000, delegationId: "r", pid: 1, renewed: {} },
    { kind: "message-add", at: 62_000, ...of, reason: "user", text: "two" },
    { kind: "delegation-end", at: 65_000, delegationId: "r" },
  ];
  const run = story.reduce<Run | undefined>(foldRun, undefined);
  assert.ok(run);
  assert.equal(run.children[0]?.tally.startedAt, 61_000);
  assert.equal(resultsOf(run).total_duration_seconds, 4);
});

test("a limit in USD applies to all turns, and a new one replaces it", async () => {
  const price = { input: 100_000, output: 0 };
  const { engine } = stage(() => says("ok", { usage: { input: 10, output: 1, cached: 0, reasoning: 0 } }), {
    route: (provider, model) => route(provider, model, { facts: { price, maxOutputTokens: 10 } }),
  });
  const first = await engine.submit({ tasks: [{ goal: "one" }], max_cost_usd: 1500 }, asChat);
  assert.equal(await told(first), "ok");
  const spent = (await first.result).total_cost_usd;
  assert.equal(spent, 1);
  const limited = await engine.converse(first.id, "two", { maxCostUsd: 2 });
  assert.equal(await told(limited), "incomplete: max_cost");
  assert.equal(await told(await engine.converse(first.id, "three", {})), "incomplete: max_cost");
  assert.equal(await told(await engine.converse(first.id, "four", { maxCostUsd: 1500 })), "ok");
  await engine.close();
});

test("whoever watches a turn sees its message first", async () => {
  const { engine } = stage(() => says("ok"));
  const { id } = await begun(engine);
  const second = await engine.converse(id, "two", {});
  const events: Event[] = [];
  for await (const event of second.events) events.push(event);
  assert.deepEqual(
    events.slice(0, 2).map(({ kind }) => kind),
    ["delegation-resume", "message-add"],
  );
  assert.equal(events.at(-1)?.kind, "delegation-end");
  await engine.close();
});

test("a delegation is not a conversation", async () => {
  const { engine } = stage(() => says("ok"));
  const delegation = await engine.submit({ tasks: [{ goal: "x" }] }, { ...asChat, surface: "cli" });
  await delegation.result;
  await assert.rejects(engine.converse(delegation.id, "more", {}), /Expected a conversation; run\w+ is a delegation/);
  await engine.close();
});

async function begun(engine: Engine): Promise<{ id: string }> {
  const first = await open(engine, "one");
  await first.result;
  return first;
}
