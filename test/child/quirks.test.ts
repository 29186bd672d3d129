/** What models get wrong on their way, and what Deputy makes of it: recorded, counted, and bounded. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Reply } from "../../src/child/wire/reply/reply.ts";
import type { ChildEvent } from "../../src/event.ts";
import { calls, fails, play, says, tool } from "../support/child-stage.ts";

const list = tool("list_dir", "read", (word) => `files of ${word}`);
let turn = 0;
const look = () => calls(["list_dir", { word: `folder ${turn++}` }]);
const empty: Reply = fails("malformed-response", { isEmpty: true, charged: true });

const said = (events: readonly ChildEvent[]) =>
  events.flatMap((event) => (event.kind === "message-add" ? [event.reason] : []));

describe("an empty answer to tool results", () => {
  test("is followed by one message, and the child goes on", async () => {
    const { result, stored, requests } = await play([look(), empty, says("done")], { tools: [list] });
    assert.deepEqual([result.status, result.summary, said(stored)], ["completed", "done", ["empty_answer"]]);
    assert.deepEqual(requests[2]?.messages.at(-1), {
      role: "user",
      text: "Your answer was empty. Continue the task. When it is done, answer with what you found.",
    });
    assert.deepEqual(result.quirks, { empty_answer: 1 });
    assert.equal(result.api_calls, 3);
  });

  test("is a failure if it comes again, and if no tool was called before", async () => {
    const twice = await play([look(), empty, empty], { tools: [list] });
    assert.deepEqual([twice.result.status, twice.result.exit_reason], ["failed", "malformed-response"]);
    const first = await play([empty], { tools: [list] });
    assert.deepEqual([first.result.status, said(first.stored)], ["failed", []]);
  });

  test("gets another message after the child has worked on", async () => {
    const { result } = await play([look(), empty, look(), empty, says("done")], { tools: [list] });
    assert.deepEqual([result.status, result.quirks], ["completed", { empty_answer: 2 }]);
  });

  test("leads to the same requests if the process dies after it", async () => {
    turn = 100;
    const whole = await play([look(), empty, says("done")], { tools: [list] });
    for (let cut = 1; cut < whole.stored.length; cut++) {
      const past = whole.stored.slice(0, cut);
      const ended = past.filter(({ kind }) => kind === "step-end" || kind === "step-fail").length;
      turn = 100;
      const replies = [look(), empty, says("done")].slice(ended);
      const rest = await play(replies, { tools: [list], past });
      if (ended === 3) assert.equal(rest.requests.length, 0);
      else assert.deepEqual(rest.requests.at(-1)?.messages, whole.requests.at(-1)?.messages, `cut after ${cut} events`);
    }
  });
});

describe("a call in a text that cannot be read", () => {
  const unreadable = says("<tool_call>\n{broken", { textCalls: "unreadable" });

  test("is answered with how to call, twice, and then counts as the answer", async () => {
    const { result, stored } = await play([unreadable, unreadable, unreadable], { tools: [list] });
    assert.deepEqual(said(stored), ["text_call", "text_call"]);
    assert.deepEqual([result.status, result.quirks], ["completed", { unreadable_call: 3 }]);
  });

  test("is forgotten once the model calls", async () => {
    const { result, stored } = await play([unreadable, look(), says("done")], { tools: [list] });
    assert.deepEqual([result.summary, said(stored)], ["done", ["text_call"]]);
  });
});

test("a call in a text that was read is counted", async () => {
  const { result } = await play([{ ...look(), textCalls: 1 } as Reply, says("done")], { tools: [list] });
  assert.deepEqual([result.status, result.quirks], ["completed", { text_call: 1 }]);
});

describe("a tool that there is not", () => {
  const offered = ["read_file", "list_dir", "terminal", "grep"].map((name) => tool(name, "read", () => "x"));
  const answers: Record<string, string> = {
    bash: "There is no tool bash. Did you mean terminal? Your tools: read_file, list_dir, terminal, grep.",
    readfile: "There is no tool readfile. Did you mean read_file? Your tools: read_file, list_dir, terminal, grep.",
    Read: "There is no tool Read. Did you mean read_file? Your tools: read_file, list_dir, terminal, grep.",
    launch_rocket: "There is no tool launch_rocket. Your tools: read_file, list_dir, terminal, grep.",
  };
  for (const [name, text] of Object.entries(answers))
    test(`${name}: the nearest names`, async () => {
      const { result, requests } = await play([calls([name, {}]), says("done")], { tools: offered });
      const message = requests[1]?.messages.at(-1);
      assert.equal(message?.role === "tool" && message.text, text);
      assert.deepEqual(result.quirks, { unknown_tool: 1 });
    });
});

describe("limits that run low", () => {
  const limits = { maxIterations: 20, timeoutMs: 0, stallMs: 0 };

  test("are named once, when a tenth of the requests is left", async () => {
    const { requests, stored } = await play((_, index) => (index < 19 ? look() : says("done")), {
      planned: { limits },
      tools: [list],
    });
    assert.deepEqual(said(stored), ["limits"]);
    assert.deepEqual(requests[18]?.messages.at(-1), {
      role: "user",
      text: "This task is near its limits. Left: 2 of 20 requests. Do what matters most, then answer.",
    });
  });

  test("money and time are named too, together", async () => {
    const limitsLeft = () => [
      { name: "cost", left: 0.004, limit: 0.1 } as const,
      { name: "time", left: 30_000, limit: 600_000 } as const,
    ];
    const { requests, stored } = await play([look(), says("done")], { tools: [list], deps: { limitsLeft } });
    assert.deepEqual(said(stored), ["limits"]);
    const told = requests[0]?.messages.at(-1);
    assert.match(told?.role === "user" ? told.text : "", /Left: \$0\.0040 of \$0\.1000, 30 of 600 seconds\./);
  });

  test("are not named with few requests, or enough left", async () => {
    const few = { ...limits, maxIterations: 3 };
    const { stored } = await play([look(), look(), says("done")], { planned: { limits: few }, tools: [list] });
    assert.deepEqual(said(stored), []);
  });
});

test("an answer of reasoning alone, at the output limit, ends the child at that limit", async () => {
  const reply = says("", { parts: [{ type: "reasoning", text: "hm ".repeat(50) }], finish: "length" });
  const { result, requests } = await play([reply]);
  assert.deepEqual([result.status, result.exit_reason, result.summary], ["incomplete", "output_cut", ""]);
  assert.equal(requests.length, 1);
});
