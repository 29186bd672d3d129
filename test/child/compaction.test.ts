/** A child goes on when its conversation reaches its model's context window: nothing that it needs is lost. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import type { ChildDeps } from "../../src/child/child.ts";
import { createReplay } from "../../src/child/compaction/replay.ts";
import type { SteerMessage } from "../../src/child/conversation.ts";
import type { Reply } from "../../src/child/wire/reply/reply.ts";
import type { ModelCall } from "../../src/child/wire/request/request.ts";
import { retryPolicy } from "../../src/engine/limits/retry-policy.ts";
import type { ChildEvent } from "../../src/event.ts";
import type { Ready } from "../../src/plan.ts";
import { calls, fails, type Played, play, route, says, tool } from "../support/child-stage.ts";

const WINDOW = 32_000;
const ON = { at: 0.8, keep: 0.3 };
const TASK = "Do it.";

/** Characters of a request as a model reads it, at four to a token. */
function tokensIn({ system, messages }: ModelCall): number {
  return Math.ceil((system.length + JSON.stringify(messages).length) / 4);
}

const isSummary = ({ system }: ModelCall) => system.startsWith("You summarize");

/** A model with a window that counts what it reads and refuses what is longer. */
function windowed(answer: (request: ModelCall, index: number) => Reply, window = WINDOW) {
  let index = 0;
  return (request: ModelCall): Reply => {
    const input = tokensIn(request);
    if (input > window) return fails("context-overflow");
    const usage = { input, output: 50, cached: 0, reasoning: 0 };
    if (isSummary(request)) return says(`Done: what took ${input} tokens to read.`, { usage });
    const reply = answer(request, index++);
    return reply.ok ? { ...reply, usage } : reply;
  };
}

function planned(more: Partial<Ready> = {}): Partial<Ready> {
  const facts = { contextWindow: WINDOW };
  return {
    route: route("zai", "glm-4.7", { facts }),
    compaction: ON,
    limits: { maxIterations: 2_000, timeoutMs: 0, stallMs: 0 },
    ...more,
  };
}

/** A result of about 4,000 characters with a fact in it. */
const page = (word: string) => `${`Page ${word}. `.repeat(300)}The secret of page ${word} is ${word}-${word.length}7.`;
const readPage = tool("read", "read", page);

const compactions = ({ stored }: Played) =>
  stored.flatMap((event) => (event.kind === "compact-end" && !("failure" in event) ? [event] : []));
const taskOf = (request: ModelCall) => request.messages[0];

describe("a child that works for longer than its window", () => {
  test("completes a thousand steps, with its task word for word in every request", async () => {
    const played = await play(
      windowed((_, index) => (index < 1_000 ? calls(["read", { word: String(index) }]) : says("All read."))),
      { planned: planned(), tools: [readPage] },
    );
    assert.equal(played.result.status, "completed");
    assert.equal(played.result.summary, "All read.");
    const own = played.requests.filter((request) => !isSummary(request));
    for (const request of own) assert.deepEqual(taskOf(request), { role: "user", text: TASK, isPinned: true });
    assert.ok(Math.max(...own.map(tokensIn)) <= WINDOW * 0.9, "the estimate keeps the conversation below the window");
    assert.ok(compactions(played).length < 250, `${compactions(played).length} compactions for 1,000 results`);
    assert.equal(played.result.compactions, compactions(played).length);
  });

  test("recalls every old result exactly", async () => {
    const facts = Array.from({ length: 50 }, (_, index) => String(index * 3));
    const played = await play(
      windowed((_, index) => {
        if (index < 200) return calls(["read", { word: String(index) }]);
        const word = facts[index - 200];
        return word === undefined ? says("Found.") : calls(["recall", { call_id: `call-read-0-{"word":"${word}"}` }]);
      }),
      { planned: planned(), tools: [readPage] },
    );
    const recalled = played.stored.flatMap((event) =>
      event.kind === "tool-end" && event.name === "recall" ? [event.text] : [],
    );
    assert.deepEqual(recalled, facts.map(page));
    assert.equal(played.result.status, "completed");
  });

  test("gets the same requests after a crash at any moment", async () => {
    const answer = (request: ModelCall) => {
      const steps = request.messages.filter(({ role }) => role === "assistant").length;
      const last = request.messages.at(-1);
      const next = last?.role === "tool" ? Number(/Page (\d+)/.exec(last.text)?.[1]) + 1 : 0;
      if (next === 16) return says(`All read after ${steps}.`);
      const thought = { type: "text", text: `Page ${next} comes next. `.repeat(50) } as const;
      const call = calls(["read", { word: String(next) }]);
      return call.ok ? { ...call, parts: [thought, ...call.parts] } : call;
    };
    const staged = {
      planned: planned({ route: route("zai", "glm-4.7", { facts: { contextWindow: 9_000 } }) }),
      tools: [readPage],
    };
    const whole = await play(windowed(answer), staged);
    assert.ok(
      compactions(whole).some(({ level }) => level === 0),
      "results became stubs",
    );
    assert.ok(
      compactions(whole).some(({ level }) => level === 1),
      "steps were summarized",
    );
    const seen = whole.requests.map(contentOf);
    for (let cut = 1; cut < whole.stored.length; cut++) {
      const past = whole.stored.slice(0, cut);
      const asked = past.filter(isAnswered).length;
      const rest = await play(windowed(answer), { ...staged, past });
      assert.ok(isDeepStrictEqual(rest.requests.map(contentOf), seen.slice(asked)), `cut after ${past.at(-1)?.kind}`);
    }
  });
});

describe("a result that the model has not seen", () => {
  const reading = (most: number) =>
    windowed((request, index) => {
      if (index === most) return says("Done.");
      const said = { type: "text", text: `I note ${index}. `.repeat(150) } as const;
      const call = calls(["read", { word: String(index) }]);
      const last = request.messages.at(-1);
      if (last?.role === "tool") seen.push(last.text);
      return call.ok ? { ...call, parts: [said, ...call.parts] } : call;
    }, 12_000);
  let seen: string[] = [];
  const small = planned({ route: route("zai", "glm-4.7", { facts: { contextWindow: 12_000 } }) });

  for (const [what, paging] of [
    ["short", page],
    ["of a third of the window", (word: string) => page(word).repeat(4)],
  ] as const)
    test(`stays, ${what}, while older steps can make the room`, async () => {
      seen = [];
      const played = await play(reading(60), { planned: small, tools: [tool("read", "read", paging)] });
      assert.equal(played.result.status, "completed");
      assert.ok(compactions(played).length > 3, `${compactions(played).length} compactions`);
      assert.deepEqual(
        seen,
        Array.from({ length: seen.length }, (_, index) => paging(String(index))),
      );
      assert.equal(seen.length, 59);
    });

  test("is removed if no older step could make the room", async () => {
    seen = [];
    await play(reading(3), { planned: small, tools: [tool("read", "read", (word) => page(word).repeat(12))] });
    assert.match(seen[0] ?? "", /^\[Deputy removed the result of read/);
  });
});

describe("a conversation that cannot be made short enough", () => {
  const rules = { planned: planned(), tools: [readPage] };

  test("ends with what the child has after three compactions without a new outcome", async () => {
    const huge = tool("read", "read", () => "x".repeat(90_000));
    const played = await play(
      windowed((request) => (request.mustAnswer ? says("I only saw x.") : calls(["read", { word: "all" }]))),
      { ...rules, tools: [huge] },
    );
    const { status, exit_reason, summary } = played.result;
    assert.deepEqual([status, exit_reason, summary], ["incomplete", "context_full", "I only saw x."]);
    assert.ok(played.stored.filter(({ kind }) => kind === "tool-end").length <= 4);
  });

  test("is not summarized to nothing: without a summary, the older steps are removed", async () => {
    const long = { type: "text", text: "thinking ".repeat(800) } as const;
    const model = windowed((_, index) => {
      const call = calls(["read", { word: String(index) }]);
      return index === 40 || !call.ok ? says("Read.") : { ...call, parts: [long, ...call.parts] };
    });
    const played = await play((request) => {
      const reply = model(request);
      return isSummary(request) && reply.ok ? { ...reply, parts: [{ type: "text", text: "  " }] } : reply;
    }, rules);
    assert.equal(played.result.status, "completed");
    assert.ok(compactions(played).some(({ level }) => level === 2));
    assert.ok(!compactions(played).some(({ level }) => level === 1));
  });

  test("gets no summary that is longer than what it stands for", async () => {
    const long = { type: "text", text: "thinking ".repeat(800) } as const;
    const model = windowed((_, index) => {
      const call = calls(["read", { word: String(index) }]);
      return index === 40 || !call.ok ? says("Read.") : { ...call, parts: [long, ...call.parts] };
    });
    const played = await play((request) => {
      const reply = model(request);
      return isSummary(request) && reply.ok
        ? { ...reply, parts: [{ type: "text", text: "Too long a summary. ".repeat(8_000) }] }
        : reply;
    }, rules);
    assert.equal(played.result.status, "completed");
    assert.ok(compactions(played).every(({ level, tokens }) => level !== 1 && tokens.after < tokens.before));
  });

  test("ends the child as before where compaction is off", async () => {
    const { compaction: _, ...off } = planned();
    const played = await play(
      windowed((_, index) => calls(["read", { word: String(index) }])),
      { ...rules, planned: off },
    );
    assert.equal(played.result.exit_reason, "context-overflow");
    assert.equal(compactions(played).length, 0);
  });
});

describe("a model that refuses a conversation as too long", () => {
  const unknown = planned({ route: route("zai", "glm-4.7") });
  const recover: ChildDeps["recover"] = (situation) => retryPolicy(situation, () => 0);

  test("gets a shorter one, whatever Deputy knew of its window", async () => {
    const played = await play(
      windowed((_, index) => (index < 60 ? calls(["read", { word: String(index) }]) : says("Read.")), 12_000),
      { planned: unknown, tools: [readPage], deps: { recover } },
    );
    assert.equal(played.result.status, "completed");
    assert.ok(compactions(played).length > 0);
  });

  test("is asked once more, then its fallback is", async () => {
    const fallback = route("beta", "large", { facts: { contextWindow: 100_000 } });
    const zai = windowed((_, index) => calls(["read", { word: String(index) }]), 30_000);
    let refused = 0;
    const played = await play(
      (request) => {
        if (request.route.provider === "beta") return says("Answered.");
        const isLong = request.messages.length > 8;
        if (isLong) refused++;
        return isLong ? fails("context-overflow") : zai(request);
      },
      {
        planned: planned({ route: route("zai", "glm-4.7", { fallbacks: [fallback] }) }),
        tools: [readPage],
        deps: { recover },
      },
    );
    assert.equal(played.result.summary, "Answered.");
    assert.equal(refused, 2);
  });

  test("passes its conversation on to a fallback with a smaller window", async () => {
    const small = route("beta", "small", { facts: { contextWindow: 8_000 } });
    const beta = windowed(() => says("Answered."), 8_000);
    const zai = windowed((_, index) => (index < 20 ? calls(["read", { word: String(index) }]) : fails("overloaded")));
    const facts = { contextWindow: WINDOW };
    const played = await play((request) => (request.route.provider === "beta" ? beta(request) : zai(request)), {
      planned: planned({ route: route("zai", "glm-4.7", { facts, fallbacks: [small] }) }),
      tools: [readPage],
      deps: { recover: (situation) => (situation.fallbacksLeft > 0 ? { action: "fallback" } : { action: "give-up" }) },
    });
    assert.equal(played.result.summary, "Answered.");
    assert.equal(played.result.route?.fallback_used, true);
  });
});

describe("a summary", () => {
  const long = { type: "text", text: "thinking ".repeat(800) } as const;
  const working = (request: ModelCall, index: number): Reply => {
    const call = calls(["read", { word: String(index) }]);
    return index === 60 || !call.ok || request.mustAnswer ? says("Read.") : { ...call, parts: [long, ...call.parts] };
  };

  test("is paid for, and is no iteration", async () => {
    const played = await play(windowed(working), { planned: planned(), tools: [readPage] });
    const summaries = played.requests.filter(isSummary);
    assert.ok(summaries.length > 0);
    assert.equal(played.result.api_calls, 61 + summaries.length);
    assert.equal(played.stored.filter(({ kind }) => kind === "step-end").length, 61);
    assert.ok(Math.abs((played.result.cost_usd ?? 0) - played.requests.length * 0.001) < 1e-9);
  });

  test("keeps what Deputy recorded: commands with their ends, calls to recall, requests left", async () => {
    const terminal = tool("terminal", "write", (word) => `${page(word)}`);
    const played = await play(
      windowed((request, index) => {
        const reply = working(request, index);
        return index === 3 ? calls(["terminal", { word: "npm test" }]) : reply;
      }),
      { planned: planned(), tools: [readPage, terminal], deps: { permissions: { rules: [], otherwise: "allow" } } },
    );
    const text = compactions(played).flatMap((event) => (event.level === 1 ? [event.text] : []))[0] ?? "";
    assert.match(text, /Done: what took \d+ tokens to read\./);
    assert.match(text, /- npm test \(exit code 0\)/);
    assert.match(text, /- call-read-0-\{"word":"1"\}: read 1/);
    assert.match(text, /Requests left: \d+\./);
  });

  test("keeps a message to the child word for word", async () => {
    let steer: SteerMessage | undefined = { id: "s", text: "Mind the gap.", by: "user" };
    const played = await play(windowed(working), {
      planned: planned(),
      tools: [readPage],
      deps: {
        steered: () => {
          const message = steer;
          steer = undefined;
          return message;
        },
      },
    });
    const last = played.requests.at(-1);
    assert.ok(last?.messages.some((message) => message.role === "user" && message.text === "Mind the gap."));
  });

  test("is asked of another model where the config says so, and that one gets nothing else", async () => {
    const writer = route("beta", "summarizer", { facts: { contextWindow: WINDOW } });
    const played = await play(windowed(working), {
      planned: planned({ compaction: { ...ON, route: writer } }),
      tools: [readPage],
    });
    for (const request of played.requests) {
      assert.equal(request.route.provider, isSummary(request) ? "beta" : "zai");
      if (isSummary(request)) assert.deepEqual([request.tools.length, request.messages.length], [0, 1]);
    }
  });

  test("that fails for a while is asked for again, and one that cannot be made is done without", async () => {
    let failures = 0;
    const flaky = (kind: "overloaded" | "unauthorized") => {
      const model = windowed(working);
      return (request: ModelCall) => {
        if (!isSummary(request) || (kind === "overloaded" && failures > 1)) return model(request);
        failures++;
        return fails(kind);
      };
    };
    const recover: ChildDeps["recover"] = (situation) => retryPolicy(situation, () => 0);
    const staged = { planned: planned(), tools: [readPage], deps: { recover } };
    const again = await play(flaky("overloaded"), staged);
    assert.ok(compactions(again).some(({ level }) => level === 1));
    assert.equal(failures, 2);
    const without = await play(flaky("unauthorized"), staged);
    assert.deepEqual([...new Set(compactions(without).map(({ level }) => level))].sort(), [0, 2]);
    assert.equal(without.result.status, "completed");
  });
});

test("what compactions replaced is derived again from the events, and another text is found", async () => {
  const { stored } = await play(
    windowed((_, index) => {
      const call = calls(["read", { word: String(index) }]);
      const thought = { type: "text", text: "thinking ".repeat(800) } as const;
      return index === 40 || !call.ok ? says("Read.") : { ...call, parts: [thought, ...call.parts] };
    }),
    { planned: planned(), tools: [readPage] },
  );
  const problemsIn = (events: readonly ChildEvent[]) => events.map(createReplay()).filter((each) => each !== undefined);
  assert.deepEqual(problemsIn(stored), []);
  const other = stored.map((event) =>
    event.kind === "tool-end" && event.target === "2"
      ? { ...event, text: event.text.replace("secret", "public") }
      : event,
  );
  assert.deepEqual(problemsIn(other), ["the messages before its compaction are not those that it replaced"]);
});

const contentOf = ({ system, messages, tools }: ModelCall) => ({
  system,
  messages,
  tools: tools.map(({ name }) => name),
});
const isAnswered = (event: ChildEvent) =>
  event.kind === "step-end" || (event.kind === "compact-end" && event.level === 1);
