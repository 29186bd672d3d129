/** The list that a child keeps of its work. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Reply } from "../../src/child/wire/reply/reply.ts";
import { foldRun } from "../../src/run/run.ts";
import { todoInShort } from "../../src/todo.ts";
import { parseArguments } from "../../src/tool-arguments.ts";
import { createTodo } from "../../src/tools/todo.ts";
import { calls, play, ready, says } from "../support/child-stage.ts";

const LIST = [
  { text: "Read the code", status: "done" },
  { text: "Write the tests", status: "active" },
  { text: "Run them", status: "open" },
] as const;

describe("the list", () => {
  test("is answered as it stands, and kept with the call's end", async () => {
    const { stored, requests, result } = await play([calls(["todo", { items: LIST }]), says("done")], {
      tools: [createTodo()],
    });
    assert.equal(result.status, "completed");
    const last = requests[1]?.messages.at(-1);
    assert.equal(last?.role === "tool" && last.text, "[x] Read the code\n[>] Write the tests\n[ ] Run them");
    const end = stored.find(({ kind }) => kind === "tool-end");
    assert.deepEqual(end?.kind === "tool-end" && end.todo, LIST);
  });

  test("is part of the run that people watch", async () => {
    const { stored } = await play([calls(["todo", { items: LIST }]), says("done")], { tools: [createTodo()] });
    const start = { at: 1, delegationId: "d", call: { tasks: [{ goal: "Do it." }] }, surface: "library", warnings: [] };
    const run = stored.reduce(foldRun, foldRun(undefined, { kind: "delegation-start", ...start, planned: [ready()] }));
    assert.deepEqual(run.children[0]?.todo, LIST);
    assert.equal(todoInShort(LIST), "1/3 · Write the tests");
    assert.equal(todoInShort(LIST.map(({ text }) => ({ text, status: "done" }))), "3/3");
  });

  test("stays word for word in every request through compactions", async () => {
    const long = {
      ...createTodo(),
      name: "look",
      run: async () => ({ ok: true, text: `${Math.random()} `.repeat(400) }),
    };
    const route = { ...ready().route, facts: { contextWindow: 8_000 } };
    const step = (index: number) =>
      index === 0 ? ["todo", { items: LIST }] : ["look", { items: [{ text: `${index}` }] }];
    const { requests, result } = await play(
      (request, index) => {
        const { usage: _, ...uncounted } = index < 40 ? calls(step(index) as [string, unknown]) : says("done");
        return request.tools.length === 0 ? says("Done: looked. Open: answer.") : (uncounted as Reply);
      },
      { planned: { route, compaction: { at: 0.8, keep: 0.3 } }, tools: [createTodo(), long] },
    );
    assert.equal(result.status, "completed");
    assert.ok((result.compactions ?? 0) > 1, "expected compactions");
    for (const request of requests.slice(1).filter(({ tools }) => tools.length > 0)) {
      const said = request.messages.map((message) => ("text" in message ? message.text : "")).join("\n");
      assert.match(said, /\[x\] Read the code\n\[>\] Write the tests\n\[ \] Run them/);
    }
  });
});

test("a list with a long line, or too many items, is rejected", () => {
  const tool = createTodo();
  for (const items of [
    [{ text: "x".repeat(301) }],
    [{ text: "" }],
    Array(51).fill({ text: "a" }),
    [{ text: "a", status: "later" }],
  ])
    assert.equal(parseArguments(tool as never, { items }).success, false);
  assert.equal(parseArguments(tool as never, { items: [] }).success, true);
});
