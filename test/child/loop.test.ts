import assert from "node:assert/strict";
import { test } from "node:test";
import type { StopReason } from "../../src/child/child.ts";
import type { Reply } from "../../src/child/wire/reply/reply.ts";
import type { ChildEvent } from "../../src/event.ts";
import type { Tool } from "../../src/tool.ts";
import { calls, fails, play, route, says, stopSignal, tool } from "../support/child-stage.ts";

const kinds = (events: { kind: string }[]) => events.map(({ kind }) => kind);

test("a child that answers at once is completed, with its words, tokens and cost", async () => {
  const { result, stored } = await play([says("A haiku.")]);
  assert.equal(result.status, "completed");
  assert.equal(result.summary, "A haiku.");
  assert.equal(result.exit_reason, "answered");
  assert.deepEqual(result.tokens, { input: 10, output: 5, cached: 0, reasoning: 0 });
  assert.equal(result.cost_usd, 0.001);
  assert.equal(result.cost_status, "known");
  assert.equal(result.api_calls, 1);
  assert.deepEqual(kinds(stored), ["child-start", "attempt-start", "step-start", "step-end", "child-end"]);
});

test("a child that repeats a call is told so, then has to answer; one whose outcomes differ goes on", async () => {
  const same = tool("look", "read", () => "nothing new");
  const played = await play((request) => (request.mustAnswer ? says("Nothing.") : calls(["look", { word: "x" }])), {
    tools: [same],
  });
  const { status, exit_reason, limit, summary } = played.result;
  assert.deepEqual([status, exit_reason, limit, summary], ["incomplete", "looping", 6, "Nothing."]);
  const reasons = played.stored.flatMap((event) => (event.kind === "message-add" ? [event.reason] : []));
  assert.deepEqual(reasons, ["repeated_call", "looping"]);
  let looks = 0;
  const other = tool("look", "read", () => `${++looks} of 10`);
  const going = await play((_, index) => (index < 10 ? calls(["look", { word: "x" }]) : says("All.")), {
    tools: [other],
  });
  assert.equal(going.result.status, "completed");
});

test("the model reads a called tool's output next, and the trace contains it", async () => {
  const shout = tool("shout", "write", (word) => word.toUpperCase());
  const { result, requests } = await play([calls(["shout", { word: "hey" }]), says("Done.")], { tools: [shout] });
  assert.deepEqual(requests[1]?.messages.at(-1), {
    role: "tool",
    callId: 'call-shout-0-{"word":"hey"}',
    ref: 'call-shout-0-{"word":"hey"}',
    name: "shout",
    target: "hey",
    text: "HEY",
    ok: true,
  });
  assert.deepEqual(result.tool_trace, [{ name: "shout", target: "hey", bytes: 3, ok: true }]);
});

test("reads of one answer run together, as do delegations; a write waits for those before it and holds up those after it", async () => {
  let running = 0;
  const seen: string[] = [];
  const slow = async (word: string) => {
    running += 1;
    seen.push(`${word}:${running}`);
    await new Promise((resolve) => setImmediate(resolve));
    running -= 1;
    return word;
  };
  const tools = [tool("read", "read", slow), tool("write", "write", slow), tool("hand", "delegate", slow)];
  const wanted = [
    ["read", { word: "a" }],
    ["read", { word: "b" }],
    ["write", { word: "c" }],
    ["read", { word: "d" }],
    ["hand", { word: "e" }],
    ["hand", { word: "f" }],
    ["write", { word: "g" }],
    ["hand", { word: "h" }],
  ] as [string, unknown][];
  const { result } = await play([calls(...wanted), says("Done.")], { tools });
  assert.deepEqual(seen, ["a:1", "b:2", "c:1", "d:1", "e:1", "f:2", "g:1", "h:1"]);
  assert.deepEqual(
    result.tool_trace.map(({ target }) => target),
    ["a", "b", "c", "d", "e", "f", "g", "h"],
  );
});

for (const [effect, most] of [
  ["read", 8],
  ["delegate", 40],
] as const) {
  test(`of 40 calls of one response that ${effect}, ${most} are under way at once, and their ends come in order`, async () => {
    const words = Array.from({ length: 40 }, (_, at) => String(at));
    const open: { word: string; end(): void }[] = [];
    let highest = 0;
    const slow = tool("slow", effect, async (word) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      open.push({ word, end: resolve });
      highest = Math.max(highest, open.length);
      // Calls end newest first, once no more of them start.
      if (open.length === 1) setImmediate(endNewest);
      await promise;
      return word;
    });
    const endNewest = () => {
      open.pop()?.end();
      if (open.length > 0) setImmediate(endNewest);
    };
    const wanted = words.map((word): [string, unknown] => ["slow", { word }]);
    const { result, stored } = await play([calls(...wanted), says("Done.")], { tools: [slow] });
    assert.equal(highest, most);
    assert.deepEqual(
      result.tool_trace.map(({ target }) => target),
      words,
    );
    const started = new Set<string>();
    for (const event of stored) {
      if (event.kind === "tool-start") started.add(event.callId);
      if (event.kind === "tool-end") assert.ok(started.has(event.callId), event.target);
    }
  });
}

test("a child that is stopped starts none of the calls that wait for others", async () => {
  const stop = new AbortController();
  const ran: string[] = [];
  const read = tool("read", "read", (word) => {
    ran.push(word);
    if (word === "3") stop.abort({ status: "interrupted", by: "test" } satisfies StopReason);
    return word;
  });
  const wanted = Array.from({ length: 40 }, (_, at): [string, unknown] => ["read", { word: String(at) }]);
  const { result } = await play([calls(...wanted)], { tools: [read], signal: stop.signal });
  assert.equal(result.status, "interrupted");
  assert.ok(ran.length <= 8, ran.join(" "));
});

test("an unknown tool and invalid arguments are reported to the model, and nothing runs", async () => {
  const ran: string[] = [];
  const known = tool("known", "write", (word) => {
    ran.push(word);
    return word;
  });
  const { requests, result } = await play(
    [calls(["unknown", {}], ["known", { word: 7 }], ["known", "half a JSON"]), says("Done.")],
    { tools: [known] },
  );
  const told = requests[1]?.messages.flatMap((message) => (message.role === "tool" ? [message.text] : [])) ?? [];
  assert.match(told[0] ?? "", /no tool unknown.*known/);
  assert.match(told[1] ?? "", /Invalid arguments for known:\n- word/);
  assert.match(told[2] ?? "", /Invalid arguments for known/);
  assert.deepEqual(ran, []);
  assert.deepEqual(
    result.tool_trace.map(({ ok }) => ok),
    [false, false, false],
  );
});

test("a tool that throws is reported to the model as a bug in the tool; the child continues", async () => {
  const broken = tool("broken", "write", () => {
    throw new Error("off by one");
  });
  const { result, requests } = await play([calls(["broken", { word: "x" }]), says("Done.")], { tools: [broken] });
  assert.equal(result.status, "completed");
  assert.match(JSON.stringify(requests[1]?.messages.at(-1)), /off by one/);
});

test("a call that needs approval where nobody can answer is denied with the reason, and the child continues", async () => {
  const ran: string[] = [];
  const risky = tool("terminal", "write", () => String(ran.push("ran")));
  risky.subject = () => ({ target: "rm -rf /", otherwise: "ask" });
  const { result, requests, stored } = await play([calls(["terminal", { word: "x" }]), says("Done.")], {
    tools: [risky],
  });
  assert.deepEqual(ran, []);
  assert.match(JSON.stringify(requests[1]?.messages.at(-1)), /Not allowed: nobody can answer/);
  assert.equal(result.status, "completed");
  const asked = stored.find((event) => event.kind === "approval-ask");
  assert.equal(asked?.kind === "approval-ask" && asked.target, "rm -rf /");
});

test("a rule that allows or denies is not asked about", async () => {
  const terminal = tool("terminal", "write", (word) => word);
  terminal.subject = (value) => ({ target: (value as { word: string }).word, otherwise: "ask" });
  const rules = [
    { tool: "terminal", match: "npm test", then: "allow" },
    { tool: "terminal", match: "rm *", then: "deny" },
  ] as const;
  const { requests, stored } = await play(
    [calls(["terminal", { word: "npm test" }], ["terminal", { word: "rm -rf x" }]), says("Done.")],
    { tools: [terminal], deps: { permissions: { rules: [...rules], otherwise: "ask" } } },
  );
  const told = requests[1]?.messages.flatMap((message) => (message.role === "tool" ? [message.text] : [])) ?? [];
  assert.equal(told[0], "npm test");
  assert.match(told[1] ?? "", /Not allowed/);
  assert.equal(stored.filter(({ kind }) => kind === "approval-ask").length, 0);
});

test("at the iteration limit the child is asked once more, may call nothing, and is incomplete", async () => {
  const again = tool("again", "read", (word) => word);
  const { result, requests } = await play(
    [calls(["again", { word: "1" }]), calls(["again", { word: "2" }]), says("This far.")],
    { tools: [again], planned: { limits: { maxIterations: 2, timeoutMs: 0, stallMs: 0 } } },
  );
  assert.deepEqual(
    requests.map(({ mustAnswer }) => mustAnswer),
    [false, false, true],
  );
  assert.equal(result.status, "incomplete");
  assert.equal(result.exit_reason, "max_iterations");
  assert.equal(result.summary, "This far.");
});

test("a child that answers within its last iteration is completed", async () => {
  const { result } = await play([says("Easy.")], {
    planned: { limits: { maxIterations: 1, timeoutMs: 0, stallMs: 0 } },
  });
  assert.equal(result.status, "completed");
});

test("a child that calls a tool in its final answer is not asked again", async () => {
  const again = tool("again", "read", (word) => word);
  const stubborn = calls(["again", { word: "2" }]);
  const { result } = await play([calls(["again", { word: "1" }]), stubborn], {
    tools: [again],
    planned: { limits: { maxIterations: 1, timeoutMs: 0, stallMs: 0 } },
  });
  assert.equal(result.status, "incomplete");
  assert.equal(result.summary, "");
});

test("if the budget allows no request, the child gives its final answer, if it can pay for that", async () => {
  const hold = { commit: () => {}, commitWorstCase: () => {}, release: () => {} };
  const poor = await play([says("Short of money.")], {
    deps: { reserve: async (_, last) => (last ? hold : undefined) },
  });
  assert.equal(poor.result.exit_reason, "max_cost");
  assert.equal(poor.result.summary, "Short of money.");
  const broke = await play([], { deps: { reserve: async () => undefined } });
  assert.equal(broke.result.status, "incomplete");
  assert.equal(broke.result.exit_reason, "max_cost");
  assert.equal(broke.result.api_calls, 0);
});

test("an answer cut at its length is incomplete and keeps its text", async () => {
  const { result } = await play([says("It was a dark and", { finish: "length" })]);
  assert.deepEqual(
    [result.status, result.exit_reason, result.summary],
    ["incomplete", "output_cut", "It was a dark and"],
  );
});

test("an answer that fits its schema is parsed; one that does not gets one repair turn", async () => {
  const schema = { type: "object", properties: { n: { type: "number" } }, required: ["n"] };
  const planned = { task: { goal: "Count.", output_schema: schema } };
  const good = await play([says('```json\n{"n": 3}\n```')], { planned });
  assert.deepEqual([good.result.status, good.result.output, good.result.schema_valid], ["completed", { n: 3 }, true]);

  const repaired = await play([says("three"), says('{"n": 3}')], { planned });
  assert.equal(repaired.result.status, "completed");
  assert.match(JSON.stringify(repaired.requests[1]?.messages.at(-1)), /does not fit the JSON Schema/);

  const hopeless = await play([says('{"n": "x"}'), says('{"n": "y"}')], { planned });
  assert.deepEqual([hopeless.result.status, hopeless.result.exit_reason], ["incomplete", "schema_invalid"]);
  assert.equal(hopeless.result.summary, '{"n": "y"}');
  assert.match(hopeless.result.schema_errors?.[0] ?? "", /\/n must be number/);
});

test("an answer that cannot be checked is kept, and no turn is spent on repairing it", async () => {
  const planned = { task: { goal: "Count.", output_schema: { pattern: "^(a+)+$" } } };
  const schemas = { check: async () => ({ unusable: "checking it takes more than 2 seconds" }) };
  const { result, requests } = await play([says('{"n": 1}')], { planned, deps: { schemas } });
  assert.equal(requests.length, 1);
  assert.deepEqual([result.status, result.exit_reason], ["incomplete", "schema_invalid"]);
  assert.deepEqual([result.summary, result.output, result.schema_valid], ['{"n": 1}', { n: 1 }, false]);
  assert.match(
    result.schema_errors?.[0] ?? "",
    /could not be checked.*takes more than 2 seconds\. It is kept unchecked/,
  );
});

test("a child that is stopped while its answer is checked ends as stopped, with the answer", async () => {
  const planned = { task: { goal: "Count.", output_schema: { type: "object" } } };
  const stop = new AbortController();
  const check = async () => {
    stop.abort({ status: "timeout" } satisfies StopReason);
    return { unusable: "the check was stopped" };
  };
  const { result } = await play([says('{"n": 1}')], { planned, deps: { schemas: { check } }, signal: stop.signal });
  assert.deepEqual([result.status, result.summary, result.output], ["timeout", '{"n": 1}', { n: 1 }]);
});

test("an answer is found in long texts and deep ones without a stall", async () => {
  const planned = { task: { goal: "List.", output_schema: { type: "array" } } };
  const fenced = await play([says(`${"```\nx".repeat(200_000)}\n[1]`)], { planned });
  assert.deepEqual(fenced.result.output, [1]);
  const deep = await play([says(`${"[".repeat(100_000)}${"]".repeat(100_000)}`), says("[[3]]")], { planned });
  assert.match(
    deep.requests[1]?.messages.at(-1) ? JSON.stringify(deep.requests[1].messages) : "",
    /nested more than 500/,
  );
  assert.deepEqual(deep.result.output, [[3]]);
  const plain = await play([says("Here:\n```json \n[4]\n ```\nDone.")], { planned });
  assert.deepEqual(plain.result.output, [4]);
});

test("a failed request is retried according to the table, and its failure stays in the record", async () => {
  const { result, stored } = await play([fails("overloaded"), says("Here.")], {
    deps: { recover: () => ({ action: "retry", delayMs: 10 }) },
  });
  assert.equal(result.status, "completed");
  assert.equal(result.api_calls, 2);
  assert.deepEqual(result.route?.attempts, [
    { provider: "zai", model: "glm-4.7", requests: 2, failures: ["overloaded"] },
  ]);
  const steps = stored.flatMap((event) => (event.kind === "step-start" ? [event.step] : []));
  assert.deepEqual(steps, [1, 1]);
});

test("a failure that is not recovered from ends the child with its kind, its cost and what had arrived", async () => {
  const usage = { input: 100, output: 50, cached: 0, reasoning: 0 };
  const { result } = await play([fails("refused", { partialText: "I cannot", usage, charged: true })]);
  assert.deepEqual([result.status, result.exit_reason, result.summary], ["failed", "refused", "I cannot"]);
  assert.equal(result.cost_usd, 0.001);
  assert.equal(result.error && "kind" in result.error && result.error.kind, "refused");
});

test("a request that broke off after it was charged makes the cost an estimate, not a lie", async () => {
  const broken = fails("network", { partialText: "Once", charged: true });
  const { result } = await play([broken, says("Done.")], {
    deps: { recover: () => ({ action: "retry", delayMs: 0 }) },
  });
  assert.deepEqual([result.cost_usd, result.cost_status], [0.001, "estimated"]);
  const nothingElse = await play([broken]);
  assert.deepEqual([nothingElse.result.cost_usd, nothingElse.result.cost_status], [null, "unknown"]);
});

test("an unknown price makes the cost unknown, never 0", async () => {
  const { result } = await play([says("Hi.")], { deps: { price: () => undefined } });
  assert.deepEqual([result.cost_usd, result.cost_status], [null, "unknown"]);
});

test("a declared fallback takes the conversation over, and the result names it", async () => {
  const planned = { route: route("zai", "glm-4.7", { fallbacks: [route("anthropic", "claude-haiku")] }) };
  const moved: string[] = [];
  const { result, requests } = await play([fails("quota-exhausted"), says("From the other one.")], {
    planned,
    deps: {
      recover: ({ fallbacksLeft }) => (fallbacksLeft > 0 ? { action: "fallback" } : { action: "give-up" }),
      admit: async (provider) => {
        moved.push(provider);
        return { accepted: () => {}, end: () => {} };
      },
    },
  });
  assert.equal(result.status, "completed");
  assert.equal(result.route?.fallback_used, true);
  assert.deepEqual([result.provider, result.model], ["anthropic", "claude-haiku"]);
  assert.equal(requests[1]?.route.provider, "anthropic");
  assert.deepEqual(moved, ["zai", "anthropic"]);
});

test("a served model of another name is a warning, or a failure if the operator configures that", async () => {
  const lies = says("Hi.", { servedModel: "glm-tiny" });
  const warned = await play([lies]);
  assert.equal(warned.result.status, "completed");
  assert.deepEqual(warned.result.route?.served_models, ["glm-tiny"]);
  assert.match(warned.result.warnings[0]?.message ?? "", /Asked zai for glm-4.7; its response names glm-tiny/);
  const failed = await play([lies], { deps: { onServedMismatch: "fail" } });
  assert.equal(failed.result.status, "failed");
  const dated = await play([says("Hi.", { servedModel: "z-ai/GLM-4.7-2026-01-31" })]);
  assert.deepEqual(dated.result.warnings, []);
});

test("a fallback that is served as another model is seen, though that name was right before; a resume sees it too", async () => {
  const fallback = route("zai", "glm-4.5", { chosenBy: { provider: "fallback", model: "fallback" } });
  const planned = { route: route("zai", "glm-4.7", { fallbacks: [fallback] }) };
  const look = tool("look", "read", (word) => word);
  const script = () => [
    { ...calls(["look", { word: "x" }]), servedModel: "glm-4.7" },
    fails("unauthorized"),
    says("From whom?", { servedModel: "glm-4.7" }),
  ];
  const deps = { recover: () => ({ action: "fallback" }) as const, onServedMismatch: "fail" as const };
  const { result, stored } = await play(script(), { planned, tools: [look], deps });
  assert.equal(result.status, "failed");
  assert.match(result.error?.message ?? "", /Asked zai for glm-4.5; its response names glm-4.7/);
  const past = stored.slice(0, stored.findLastIndex(({ kind }) => kind === "step-end") + 1);
  const resumed = await play([], { planned, tools: [look], deps, past });
  assert.equal(resumed.result.status, "failed");
});

test("a setting that the wire format cannot carry is reported once, not dropped silently", async () => {
  const warnings = [{ code: "setting-ignored", message: "m @ p does not take a setting: reasoning" }];
  const deaf = (reply: Reply) => ({ ...reply, warnings });
  const again = tool("again", "read", (word) => word);
  const { result } = await play([deaf(calls(["again", { word: "1" }])), deaf(says("Hi."))], { tools: [again] });
  assert.equal(result.warnings.filter(({ code }) => code === "setting-ignored").length, 1);
});

test("a stop keeps the text so far and records who stopped it", async () => {
  const controller = new AbortController();
  const look = tool("look", "read", (word) => word);
  const { result } = await play(
    [
      says("So far so good.", {
        parts: [{ type: "text", text: "Looking." }, ...partsOf(calls(["look", { word: "x" }]))],
      }),
    ],
    {
      tools: [look],
      signal: controller.signal,
      onRequest: () => controller.abort({ status: "interrupted", by: "person" } satisfies StopReason),
    },
  );
  assert.deepEqual([result.status, result.exit_reason, result.summary], ["interrupted", "person", "Looking."]);
});

function partsOf(reply: Reply) {
  return reply.ok ? reply.parts : [];
}

test("a wall-time limit ends the child as timeout, not as a failure", async () => {
  const { result } = await play([], { signal: stopSignal({ status: "timeout" }) });
  assert.deepEqual([result.status, result.exit_reason], ["timeout", "timeout_seconds"]);
});

test("a call is told what earlier calls showed of files, before and after a resume", async () => {
  const known: object[] = [];
  const looking: Tool = {
    ...tool("look", "read", () => ""),
    run: async (_, { seen = new Map() }) => {
      known.push(Object.fromEntries(seen));
      const from = seen.has("a") ? 3 : undefined;
      const file = { path: "a", sha256: "1", ...(from === undefined ? { to: 2 } : { from }) };
      return { ok: true, text: "Shown.", seen: [file] };
    },
  };
  const look = () => calls(["look", { word: "a" }]);
  const { stored } = await play([look(), look(), says("Done.")], { tools: [looking] });
  assert.deepEqual(known, [{}, { a: { path: "a", sha256: "1", to: 2 } }]);
  const past = stored.slice(
    0,
    stored.findLastIndex(({ kind }) => kind === "step-start"),
  );
  await play([look(), says("Done.")], { tools: [looking], past });
  assert.deepEqual(known.at(-1), { a: { path: "a", sha256: "1" } });
});

test("wherever a child is cut off, a resume requests no finished step again and repeats no write", async () => {
  const script = () => [
    calls(["look", { word: "a" }]),
    calls(["save", { word: "b" }], ["look", { word: "c" }]),
    says("Done."),
  ];
  const uncut = await play(script(), { tools: counted([]) });
  for (let cut = 0; cut < uncut.stored.length; cut++) {
    const past = uncut.stored.slice(0, cut);
    const finished = past.filter(({ kind }) => kind === "step-end").length;
    const saves: string[] = [];
    const resumed = await play(script().slice(finished), { past, tools: counted(saves) });
    const all = [...past, ...resumed.stored];
    assert.equal(all.filter(({ kind }) => kind === "step-end").length, 3, `cut at ${cut}`);
    assert.equal(resumed.result.status, "completed");
    assert.equal(resumed.result.summary, "Done.");
    assert.ok(savedBefore(past) + saves.length <= 1, `cut at ${cut}: a write ran twice`);
    const openStep = past.findLast(({ kind }) => kind === "step-start" || kind === "step-end")?.kind === "step-start";
    assert.equal(resumed.result.api_calls, openStep ? 4 : 3);
  }
});

function counted(saves: string[]) {
  return [
    tool("look", "read", (word) => word),
    tool("save", "write", (word) => {
      saves.push(word);
      return word;
    }),
  ];
}

function savedBefore(past: ChildEvent[]): number {
  return past.filter((event) => event.kind === "tool-start" && event.name === "save").length;
}

test("a write that was running at the crash has an unknown outcome; a read is run again", async () => {
  const looked: string[] = [];
  const tools = [
    tool("look", "read", (word) => (looked.push(word) ? word : "")),
    tool("save", "write", (word) => word),
  ];
  for (const [name, expected] of [
    ["look", "x"],
    ["save", "may or may not have taken effect"],
  ] as const) {
    const whole = await play([calls([name, { word: "x" }]), says("Done.")], { tools });
    const cut = whole.stored.findIndex(({ kind }) => kind === "tool-start") + 1;
    const { requests } = await play([says("Done.")], { past: whole.stored.slice(0, cut), tools });
    assert.match(JSON.stringify(requests[0]?.messages.at(-1)), new RegExp(expected));
  }
  assert.deepEqual(looked, ["x", "x"]);
});
