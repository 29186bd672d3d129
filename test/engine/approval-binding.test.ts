/** The scope of an approval: one request of one child, with its exact text, in one directory, at one time. */
import assert from "node:assert/strict";
import { mkdirSync, realpathSync, renameSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { type ApprovalFacts, requestCode } from "../../src/approval-request.ts";
import type { ApprovalQuestion, Asker, Engine } from "../../src/engine/engine.ts";
import { openDeputy } from "../../src/engine/setup/open-deputy.ts";
import { createMemory, createMemoryJournal, type Memory } from "../../src/journal/memory.ts";
import type { Task } from "../../src/task.ts";
import type { Script } from "../../src/testing/index.ts";
import type { Tool } from "../../src/tool.ts";
import { calls, says, tool } from "../support/child-stage.ts";
import { createTestEngine } from "../support/engine-stage.ts";
import { stage as onStage } from "../support/whole-stage.ts";

const guarded: Tool = {
  ...tool("act", "write", (word) => `ran ${word}`),
  subject: (input) => ({ target: (input as { word: string }).word, otherwise: "ask" }),
};

/** A child that makes one call after another, each of which needs approval, and reports the decisions. */
function stage(words: readonly string[], memory: Memory = createMemory()) {
  const { engine } = createTestEngine({
    memory,
    tools: [guarded],
    script: async ({ messages }) => {
      const heard = messages.flatMap((message) => (message.role === "tool" ? [message.text] : []));
      const word = words[heard.length];
      return word === undefined ? says(heard.join(" | ")) : calls(["act", { word }]);
    },
  });
  return { engine, memory };
}

async function pending(engine: Engine, isNew: (question: ApprovalQuestion) => boolean = () => true) {
  for (const deadline = Date.now() + 10_000; ; ) {
    const question = (await engine.questions()).find(isNew);
    if (question !== undefined) return question;
    assert.ok(Date.now() < deadline, "nothing was asked");
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const yes = { allowed: true, reason: "fine", by: "test" };
const options = { surface: "library", workspace: "/work", answersFromElsewhere: true } as const;

describe("a request's code", () => {
  const facts: ApprovalFacts = {
    childId: "abc.1",
    callId: "call-1",
    toolName: "terminal",
    target: "rm -r build",
    directory: "/work",
    askedAt: 1,
  };

  test("is the same for the same request, and another for any other", () => {
    assert.equal(requestCode({ ...facts }), requestCode(facts));
    const others: Partial<ApprovalFacts>[] = [
      { childId: "abd.1" },
      { childId: "abc.2" },
      { callId: "call-2" },
      { toolName: "edit_file" },
      { target: "rm -r build " },
      { directory: "/work/build" },
      { askedAt: 2 },
      { target: 'rm -r build","/work', directory: "" },
    ];
    const codes = [facts, ...others.map((other) => ({ ...facts, ...other }))].map(requestCode);
    assert.equal(new Set(codes).size, codes.length);
    for (const code of codes) assert.match(code, /^[0-9a-f]{12}$/);
  });
});

describe("an approval", () => {
  test("of a request that another has replaced changes nothing, and reports that", async () => {
    const { engine } = stage(["first", "second"]);
    const { id, result } = await engine.submit({ tasks: [{ goal: "Go." }] }, options);
    const first = await pending(engine);
    await engine.answer({ id, request: first.request, allowed: false, reason: "no", by: "test" });
    const second = await pending(engine, ({ request }) => request !== first.request);
    await assert.rejects(engine.answer({ id, request: first.request, ...yes }), {
      code: "question-closed",
      message: new RegExp(`Request ${first.request} is not open; ${id} has a different request now`),
    });
    assert.equal((await pending(engine)).request, second.request);
    assert.equal((await engine.answer({ id, request: second.request, ...yes })).counted, true);
    assert.equal((await result).results[0]?.summary, "Not allowed: no | ran second");
    await engine.close();
  });

  test("counts only where its event names child, call and request exactly", async () => {
    const { engine, memory } = stage(["first"]);
    const elsewhere = createMemoryJournal({ memory });
    const { id, result } = await engine.submit({ tasks: [{ goal: "Go." }] }, options);
    const { childId, callId, request } = await pending(engine);
    const answer = { kind: "approval-answer", at: 1, delegationId: id, id: "x", target: childId, callId } as const;
    const forged = [
      answer,
      { ...answer, request: "0".repeat(12) },
      { ...answer, request: request.slice(0, 8) },
      { ...answer, request, callId: "another" },
      { ...answer, request, target: `${id}.2` },
    ];
    for (const event of forged) await elsewhere.append([{ ...event, ...yes }]);
    await elsewhere.append([{ ...answer, request, allowed: false, reason: "the exact one", by: "test" }]);
    assert.equal((await result).results[0]?.summary, "Not allowed: the exact one");
    await engine.close();
  });

  test("is recorded with the code of what it answers, and by whom", async () => {
    const { engine } = stage(["first"]);
    const { id, result } = await engine.submit({ tasks: [{ goal: "Go." }] }, options);
    const { request } = await pending(engine);
    await engine.answer({ id, ...yes });
    await result;
    const events = await Array.fromAsync(engine.events(id));
    const [answer] = events.filter((event) => event.kind === "approval-answer");
    const [end] = events.filter((event) => event.kind === "approval-end");
    assert.deepEqual([answer?.request, answer?.by, end?.answerId, end?.by], [request, "test", answer?.id, "test"]);
    await engine.close();
  });

  test("by a program's approval handler counts as the library's, unless it names who decided", async () => {
    const { engine } = stage(["first", "second"]);
    const seen: ApprovalQuestion[] = [];
    const asker: Asker = async (question) => {
      seen.push(question);
      return { allowed: true, reason: "fine", ...(seen.length > 1 && { by: "our panel (alice)" }) };
    };
    const delegation = await engine.submit({ tasks: [{ goal: "Go." }] }, { ...options, asker });
    await delegation.result;
    const events = await Array.fromAsync(engine.events(delegation.id));
    const ends = events.filter((event) => event.kind === "approval-end");
    assert.deepEqual(
      ends.map(({ by }) => by),
      ["library", "our panel (alice)"],
    );
    assert.deepEqual(
      seen.map(({ directory, target }) => [directory, target]),
      [
        ["/work", "first"],
        ["/work", "second"],
      ],
    );
    await engine.close();
  });
});

describe("the directory of a request", () => {
  const script: Script = ({ messages }) => {
    const last = messages.at(-1);
    if (last?.role === "tool") return { text: last.toolResults[0]?.text ?? "" };
    return { toolCalls: [{ name: "terminal", input: { command: "pwd -P" } }] };
  };

  /**
   * Children with a real terminal.
   * @returns each child's answer
   */
  async function answers(asker: (root: string) => Asker, tasks: Task[]) {
    let summaries: string[] = [];
    await onStage({ script }, async ({ env, cwd }) => {
      const root = realpathSync(cwd);
      for (const name of ["one", "two"]) mkdirSync(join(root, name));
      symlinkSync(join(root, "two"), join(root, "link"));
      const { engine } = await openDeputy({ env, cwd, journal: createMemoryJournal() });
      const { result } = await engine.submit({ tasks }, { ...options, workspace: root, asker: asker(root) });
      summaries = (await result).results.map(({ summary }) => summary.replace(root, "ROOT"));
      await engine.close();
    });
    return summaries;
  }

  test("is the real path of its child's workspace, where the command then runs", async () => {
    const shown: string[] = [];
    const asker =
      (root: string): Asker =>
      async ({ directory }) => {
        shown.push(directory.replace(root, "ROOT"));
        return { allowed: true, reason: "fine" };
      };
    const ran = await answers(asker, [
      { goal: "a", workspace: "one" },
      { goal: "b", workspace: "link" },
    ]);
    assert.deepEqual([shown.sort(), ran], [ran, ["ROOT/one", "ROOT/two"]]);
  });

  test("has to be the same when the call runs: a link that was turned meanwhile is refused", async () => {
    const asker =
      (root: string): Asker =>
      async () => {
        symlinkSync(join(root, "one"), join(root, "next"));
        renameSync(join(root, "next"), join(root, "link"));
        return { allowed: true, reason: "fine" };
      };
    const [ran = ""] = await answers(asker, [{ goal: "b", workspace: "link" }]);
    assert.match(ran, /^Not allowed: the workspace leads to another directory/);
  });
});
