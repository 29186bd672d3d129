/**
 * Approval requests, answered from anywhere: the first answer counts, and every other one is rejected with a message.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { Answered, Asker, Engine, SubmitOptions } from "../../../src/engine/engine.ts";
import { DeputyError } from "../../../src/errors.ts";
import type { Event } from "../../../src/event.ts";
import { createMemory, type Memory } from "../../../src/journal/memory.ts";
import type { Tool } from "../../../src/tool.ts";
import { calls, says, tool } from "../../support/child-stage.ts";
import { createTestEngine } from "../../support/engine-stage.ts";

const options = { surface: "library", workspace: "/work" } as const;

/** A tool that always needs approval. */
function guarded(run: (word: string) => string): Tool {
  return {
    ...tool("act", "write", run),
    subject: (input) => ({ target: (input as { word: string }).word, otherwise: "ask" }),
  };
}

/** A child that makes one call, and answers with its result. */
function cautiousChild(memory: Memory, ran: string[] = []) {
  return createTestEngine({
    memory,
    tools: [guarded((word) => `ran ${ran.push(word)}`)],
    script: async ({ messages }) => {
      const last = messages.at(-1);
      return last?.role === "tool" ? says(last.text) : calls(["act", { word: "rm -r build" }]);
    },
  });
}

async function start(engine: Engine, more: Partial<SubmitOptions>) {
  const delegation = await engine.submit({ tasks: [{ goal: "Clean up." }] }, { ...options, ...more });
  return { ...delegation, asked: see(delegation.events, "approval-ask") };
}

async function see(events: AsyncIterable<Event>, kind: Event["kind"]): Promise<Event> {
  for await (const event of events) if (event.kind === kind) return event;
  throw new Error(`never seen: ${kind}`);
}

/** Waits until the journal contains it: a request is stored with the next commit. */
async function firstQuestion(engine: Engine) {
  for (const deadline = Date.now() + 10_000; ; ) {
    const [question] = await engine.questions();
    if (question !== undefined) return question;
    assert.ok(Date.now() < deadline, "nothing was asked");
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const yes = { allowed: true, reason: "fine", by: "test" };
const no = { allowed: false, reason: "not today", by: "test" };

describe("a question that may be answered from elsewhere", () => {
  test("is listed in every process with what would run, and allowed from another", async () => {
    const memory = createMemory();
    const ran: string[] = [];
    const { engine } = cautiousChild(memory, ran);
    const elsewhere = cautiousChild(memory).engine;
    const delegation = await start(engine, { answersFromElsewhere: true });
    const question = await firstQuestion(elsewhere);
    assert.equal(question.childId, `${delegation.id}.1`);
    assert.deepEqual([question.goal, question.toolName, question.target], ["Clean up.", "act", "rm -r build"]);
    const patienceMs = (question.answerBy ?? 0) - question.askedAt;
    assert.ok(Math.abs(patienceMs - 300_000) < 1_000, `${patienceMs} ms`);
    const { counted, end } = await elsewhere.answer({ id: delegation.id, ...yes });
    assert.deepEqual([counted, end], [true, { allowed: true, by: "test", reason: "fine" }]);
    assert.deepEqual([(await delegation.result).results[0]?.summary, ran], ["ran 1", ["rm -r build"]]);
    assert.deepEqual(await elsewhere.questions(), []);
    await engine.close();
    await elsewhere.close();
  });

  test("of a conversation shows the message it is working on, here and elsewhere", async () => {
    const { engine } = cautiousChild(createMemory());
    const goals: string[] = [];
    const asker: Asker = async ({ goal }) => {
      const [waiting] = await engine.questions();
      goals.push(goal, waiting?.goal ?? "");
      return { allowed: true, reason: "fine" };
    };
    const first = await start(engine, { surface: "chat", asker });
    await first.result;
    await (await engine.converse(first.id, "Clean up again.", { asker })).result;
    assert.deepEqual(goals, ["Clean up.", "Clean up.", "Clean up again.", "Clean up again."]);
    await engine.close();
  });

  test("is denied with words that the child reads", async () => {
    const { engine } = cautiousChild(createMemory());
    const delegation = await start(engine, { answersFromElsewhere: true });
    const { childId, callId } = await firstQuestion(engine);
    await engine.answer({ id: childId, callId: callId.slice(0, 6), ...no });
    assert.equal((await delegation.result).results[0]?.summary, "Not allowed: not today");
    await engine.close();
  });

  test("is withdrawn from the user here once it is answered there", async () => {
    const { engine } = cautiousChild(createMemory());
    const withdrawn = Promise.withResolvers<void>();
    const asker: Asker = (_question, signal) =>
      new Promise(() => signal.addEventListener("abort", () => withdrawn.resolve(), { once: true }));
    const delegation = await start(engine, { asker });
    const { childId } = await firstQuestion(engine);
    assert.equal((await engine.answer({ id: childId, ...yes })).counted, true);
    await withdrawn.promise;
    assert.equal((await delegation.result).results[0]?.summary, "ran 1");
    await engine.close();
  });

  test("keeps waiting if the approval handler here fails", async () => {
    const { engine } = cautiousChild(createMemory());
    const asker: Asker = async () => {
      throw new Error("no terminal");
    };
    const delegation = await start(engine, { asker, answersFromElsewhere: true });
    const { childId } = await firstQuestion(engine);
    await engine.answer({ id: childId, ...yes });
    assert.equal((await delegation.result).results[0]?.summary, "ran 1");
    await engine.close();
  });

  test("is over when its child is stopped, and a later answer is rejected", async () => {
    const { engine } = cautiousChild(createMemory());
    const delegation = await start(engine, { answersFromElsewhere: true });
    const { childId } = await firstQuestion(engine);
    await engine.stop(childId, "test");
    await delegation.result;
    assert.deepEqual(await engine.questions(), []);
    await assert.rejects(engine.answer({ id: childId, ...yes }), (error: DeputyError) => {
      assert.match(
        error.message,
        /has no pending approval request: its last request was denied by stop \(the child was stopped\.\)/,
      );
      return error.code === "question-closed";
    });
    await engine.close();
  });

  test("is asked again by a resume if its run was stopped before anybody decided", async () => {
    const memory = createMemory();
    const ran: string[] = [];
    const { engine } = cautiousChild(memory, ran);
    const { id, result } = await start(engine, { answersFromElsewhere: true });
    await firstQuestion(engine);
    await engine.stop(id, "test");
    const [stopped] = (await result).results;
    assert.deepEqual([stopped?.status, stopped?.tool_trace], ["interrupted", []]);
    const resumed = await engine.resume(id, { answersFromElsewhere: true });
    await firstQuestion(engine);
    await engine.answer({ id, ...yes });
    assert.deepEqual([(await resumed.result).results[0]?.status, ran], ["completed", ["rm -r build"]]);
    await engine.close();
  });

  test("is not open while no process works on the run, and is asked again by a resume", async () => {
    const memory = createMemory();
    const first = cautiousChild(memory);
    const { id } = await start(first.engine, { answersFromElsewhere: true });
    await firstQuestion(first.engine);
    first.die();
    const ran: string[] = [];
    const second = cautiousChild(memory, ran);
    assert.deepEqual(await second.engine.questions(), []);
    await assert.rejects(second.engine.answer({ id, ...yes }), { code: "question-closed" });
    const resumed = await second.engine.resume(id, { answersFromElsewhere: true });
    await firstQuestion(second.engine);
    await second.engine.answer({ id, ...yes });
    assert.deepEqual([(await resumed.result).results[0]?.status, ran], ["completed", ["rm -r build"]]);
    await second.engine.close();
  });
});

test("a child of a child is steered and allowed by its own id, as any other is", async () => {
  const memory = createMemory();
  const heard: string[][] = [];
  const { engine } = createTestEngine({
    memory,
    delegation: { max_spawn_depth: 2 },
    tools: [guarded(() => "ran")],
    script: async ({ messages }) => {
      const told = messages.flatMap((message) => (message.role === "assistant" ? [] : [message.text]));
      const isLeaf = told[0]?.includes("leaf") === true;
      if (told.length > 1) {
        if (isLeaf) heard.push(told);
        return says(told.slice(1).join(" | "));
      }
      return isLeaf ? calls(["act", { word: "x" }]) : calls(["delegate_task", { tasks: [{ goal: "leaf" }] }]);
    },
  });
  const tasks = [{ goal: "top", role: "orchestrator" as const }];
  const { id, result } = await engine.submit({ tasks }, { ...options, answersFromElsewhere: true });
  const { childId } = await firstQuestion(engine);
  assert.equal(childId, `${id}.1.1.1`);
  const elsewhere = cautiousChild(memory).engine;
  const receipt = await elsewhere.steer(childId, "Look left.", "test");
  assert.deepEqual([receipt.childId, receipt.state, receipt.owner], [childId, "queued", "alive"]);
  assert.equal((await elsewhere.answer({ id: childId, ...yes })).counted, true);
  assert.equal((await result).results[0]?.status, "completed");
  assert.deepEqual(heard, [["leaf", "ran", "Look left."]]);
  assert.equal((await elsewhere.settleSteer(receipt, new AbortController().signal)).state, "delivered");
  await engine.close();
  await elsewhere.close();
});

test("a question that nobody can answer is denied at once and never listed", async () => {
  const { engine } = cautiousChild(createMemory());
  const delegation = await start(engine, {});
  assert.match((await delegation.result).results[0]?.summary ?? "", /^Not allowed: .*nobody can answer here/);
  const asked = await delegation.asked;
  assert.ok(asked.kind === "approval-ask" && asked.answerBy === undefined);
  assert.deepEqual(await engine.questions(), []);
  await engine.close();
});

test("of several concurrent answers exactly one counts and takes effect, and the others are rejected", async () => {
  const given = fc.array(fc.boolean(), { minLength: 1, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(given, fc.option(fc.boolean()), async (answers, here) => {
      const memory = createMemory();
      const ran: string[] = [];
      const { engine } = cautiousChild(memory, ran);
      const asker: Asker = async () => ({ allowed: here === true, reason: "here" });
      const delegation = await start(engine, { answersFromElsewhere: true, ...(here !== null && { asker }) });
      await delegation.asked;
      const others = answers.map(() => cautiousChild(memory).engine);
      const told = await Promise.all(
        answers.map((allowed, at) =>
          (others[at] as Engine)
            .answer({ id: delegation.id, allowed, reason: `${at}`, by: `process ${at}` })
            .catch((error: unknown) => {
              if (error instanceof DeputyError && error.code === "question-closed") return undefined;
              throw error;
            }),
        ),
      );
      await delegation.result;
      const counted = told.filter((answered): answered is Answered => answered?.counted === true);
      assert.ok(counted.length <= 1);
      if (here === null) assert.equal(counted.length, 1);
      const events = await Array.fromAsync(engine.events(delegation.id));
      const ends = events.filter((event) => event.kind === "approval-end");
      assert.equal(ends.length, 1);
      assert.equal(ran.length, ends[0]?.allowed ? 1 : 0);
      for (const answered of counted) assert.equal(answered.end?.allowed, ends[0]?.allowed);
      await Promise.all([engine, ...others].map((each) => each.close()));
    }),
    { numRuns: 40 },
  );
});
