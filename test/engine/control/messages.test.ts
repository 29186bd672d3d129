/** Messages to running children: they arrive with the next request, once, and the receipt is always true. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { ModelCall } from "../../../src/child/wire/request/request.ts";
import type { Engine, SteerReceipt } from "../../../src/engine/engine.ts";
import { DeputyError } from "../../../src/errors.ts";
import type { Event, StoredEvent } from "../../../src/event.ts";
import { createMemory } from "../../../src/journal/memory.ts";
import { calls, says, tool } from "../../support/child-stage.ts";
import { createTestEngine, type ModelScript, type Staged } from "../../support/engine-stage.ts";

const options = { surface: "library", workspace: "/work" } as const;
const never = new AbortController().signal;

function heardIn({ messages }: ModelCall): string[] {
  return messages.flatMap((message) => (message.role === "user" ? [message.text] : []));
}

function code(expected: DeputyError["code"]) {
  return (error: unknown) => error instanceof DeputyError && error.code === expected;
}

/** A child that calls `look` twice, then answers, with all of its requests. */
function busyChild(more: Partial<Staged> = {}) {
  const requests: string[][] = [];
  const script: ModelScript = async (request) => {
    requests.push(heardIn(request));
    const looks = request.messages.filter(({ role }) => role === "tool").length;
    return looks < 2 ? calls(["look", { word: `${looks}` }]) : says("the answer");
  };
  const staged = createTestEngine({ script, tools: [tool("look", "read", () => "seen")], ...more });
  return { ...staged, requests };
}

/** Children that answer only once `stop` has aborted; until then each request waits to be stopped. */
function stoppedChild(more: Partial<Staged> = {}) {
  const requests: string[][] = [];
  const stop = new AbortController();
  const script: ModelScript = async (request, signal) => {
    requests.push(heardIn(request));
    if (stop.signal.aborted) return says("done");
    await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
    return { ok: false, failure: { kind: "aborted", message: "stopped" }, partialText: "", charged: false };
  };
  return { ...createTestEngine({ script, ...more }), requests, stop };
}

async function submit(engine: Engine, ...goals: string[]) {
  return engine.submit({ tasks: goals.map((goal) => ({ goal })) }, options);
}

describe("a message to a child", () => {
  test("sent while its tool runs, arrives with its next request and no sooner or later", async () => {
    let receipt: SteerReceipt | undefined;
    const look = tool("look", "read", async (word) => {
      if (word === "0") receipt = await engine.steer(delegation.id, "Look left.", "test");
      return "seen";
    });
    const { engine, requests } = busyChild({ tools: [look] });
    const delegation = await submit(engine, "Look.");
    await delegation.result;
    assert.equal(receipt?.state, "queued");
    assert.equal(receipt?.childId, `${delegation.id}.1`);
    assert.deepEqual(
      requests.map((texts) => texts.filter((text) => text === "Look left.").length),
      [0, 1, 1],
    );
    assert.equal((await engine.settleSteer(receipt as SteerReceipt, never)).state, "delivered");
    await engine.close();
  });

  test("sent from another process, reaches the process that owns the run", async () => {
    const memory = createMemory();
    const elsewhere = createTestEngine({ script: async () => says(""), memory }).engine;
    const look = tool("look", "read", async (word) => {
      if (word === "0") await elsewhere.steer(`${delegation.id}.1`, "Look left.", "test");
      return "seen";
    });
    const { engine, requests } = busyChild({ memory, tools: [look] });
    const delegation = await submit(engine, "Look.");
    await delegation.result;
    assert.deepEqual(requests.at(-1)?.filter((text) => text === "Look left.").length, 1);
    await engine.close();
    await elsewhere.close();
  });

  test("sent while the model gives its last answer, makes the child continue with one more step", async () => {
    let answers = 0;
    const { engine } = createTestEngine({
      script: async (request) => {
        answers += 1;
        if (answers === 1) await engine.steer(delegation.id, "And the moon?", "test");
        return says(heardIn(request).includes("And the moon?") ? "sun and moon" : "sun");
      },
    });
    const delegation = await submit(engine, "What shines?");
    const { results } = await delegation.result;
    assert.deepEqual([answers, results[0]?.status, results[0]?.summary], [2, "completed", "sun and moon"]);
    await engine.close();
  });

  test("for a child that waits its turn, is there when it begins", async () => {
    const requests: string[][] = [];
    const { engine } = createTestEngine({
      script: async (request) => {
        requests.push(heardIn(request));
        if (requests.length === 1) await engine.steer(`${delegation.id}.2`, "Be brief.", "test");
        return says("done");
      },
    });
    const tasks = [{ goal: "one" }, { goal: "two" }];
    const delegation = await engine.submit({ tasks }, { ...options, concurrency: 1 });
    await delegation.result;
    assert.deepEqual([requests.length, requests[1]?.at(-1)], [2, "Be brief."]);
    await engine.close();
  });

  test("for a run needs a child to be named where more than one is open", async () => {
    const { engine } = createTestEngine({ script: async () => says("done") });
    const delegation = await submit(engine, "one", "two");
    await assert.rejects(engine.steer(delegation.id, "Hello.", "test"), (error: DeputyError) => {
      assert.match(error.message, /2 are open\. Choose one: \w+\.1, \w+\.2\./);
      return error.code === "usage";
    });
    await delegation.result;
    await assert.rejects(engine.steer(delegation.id, "Hello.", "test"), code("run-ended"));
    await assert.rejects(engine.steer(`${delegation.id}.1`, "Hello.", "test"), code("run-ended"));
    await assert.rejects(engine.steer(`${delegation.id}.3`, "Hello.", "test"), code("run-unknown"));
    await assert.rejects(engine.steer(delegation.id, "  ", "test"), code("usage"));
    await engine.close();
  });

  test("that a child did not receive before it was stopped stays queued, and a resume delivers it", async () => {
    const { engine, requests, stop } = stoppedChild();
    const delegation = await submit(engine, "Wait.", "Wait too.");
    while (requests.length < 2) await new Promise((resolve) => setImmediate(resolve));
    const receipt = await engine.steer(`${delegation.id}.1`, "Hurry.", "test");
    const settled = engine.settleSteer(receipt, never);
    await engine.stop(`${delegation.id}.1`, "test");
    assert.deepEqual(await settled, { ...receipt, state: "queued", owner: "dead" });
    await engine.stop(delegation.id, "test");
    await delegation.result;
    stop.abort();
    const { results } = await (await engine.resume(delegation.id, {})).result;
    assert.deepEqual(
      results.map(({ status }) => status),
      ["completed", "completed"],
    );
    assert.equal(requests.filter((texts) => texts.includes("Hurry.")).length, 1);
    assert.equal((await engine.settleSteer(receipt, never)).state, "delivered");
    await engine.close();
  });

  test("queued on a run whose process has died stays queued when the run is stopped, and a resume delivers it", async () => {
    const memory = createMemory();
    const first = stoppedChild({ memory });
    const { id } = await submit(first.engine, "Wait.");
    while (first.requests.length < 1) await new Promise((resolve) => setImmediate(resolve));
    first.die();
    const { engine, requests } = busyChild({ memory });
    const receipt = await engine.steer(id, "Look left.", "test");
    await engine.stop(id, "test");
    assert.equal((await engine.settleSteer(receipt, never)).state, "queued");
    await (await engine.resume(id, {})).result;
    assert.deepEqual(
      requests.map((texts) => texts.filter((text) => text === "Look left.").length),
      [1, 1, 1],
    );
    assert.equal((await engine.settleSteer(receipt, never)).state, "delivered");
    await engine.close();
  });

  test("that came too late for the turn of a conversation is missed: the next turn has a message of its own", async () => {
    const { engine, requests, stop } = stoppedChild();
    const { id, result } = await engine.submit({ tasks: [{ goal: "Wait." }] }, { ...options, surface: "chat" });
    while (requests.length < 1) await new Promise((resolve) => setImmediate(resolve));
    const receipt = await engine.steer(id, "Hurry.", "test");
    await engine.stop(id, "test");
    await result;
    stop.abort();
    assert.equal((await engine.settleSteer(receipt, never)).state, "missed");
    await (await engine.converse(id, "Next.", {})).result;
    assert.deepEqual(requests.at(-1), ["Wait.", "Next."]);
    await engine.close();
  });

  test("survives the death of the process that was to deliver it, and is delivered once", async () => {
    const memory = createMemory();
    const asked = Promise.withResolvers<void>();
    const first = createTestEngine({
      memory,
      script: () => {
        asked.resolve();
        return new Promise(() => {});
      },
    });
    const { id } = await submit(first.engine, "Look.");
    await asked.promise;
    const receipt = await first.engine.steer(id, "Look left.", "test");
    first.die();
    const second = busyChild({ memory });
    assert.deepEqual(await second.engine.settleSteer(receipt, never), { ...receipt, owner: "dead" });
    await (await second.engine.resume(id, {})).result;
    assert.deepEqual(
      second.requests.map((texts) => texts.filter((text) => text === "Look left.").length),
      [1, 1, 1],
    );
    assert.equal((await second.engine.settleSteer(receipt, never)).state, "delivered");
    await second.engine.close();
  });
});

test("whenever it is sent and whenever the process dies, a receipt is true: delivered arrived once, missed never", async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(24), fc.option(fc.nat(24)), async (saidAt, diesAt) => {
      const memory = createMemory();
      const requests: string[][] = [];
      const look = tool("look", "read", () => "seen");
      const first = busyChild({ memory, tools: [look] });
      const { id, events, result } = await submit(first.engine, "Look.");
      const speaker = createTestEngine({ script: async () => says(""), memory });
      let receipt: Promise<SteerReceipt | "ended"> | undefined;
      let at = 0;
      let died = false;
      for await (const _ of events) {
        if (at === saidAt) receipt = say(speaker.engine, id);
        if (at === diesAt) {
          await receipt;
          first.die();
          died = true;
          break;
        }
        at += 1;
      }
      if (!died) await result;
      result.catch(() => {});
      receipt ??= say(speaker.engine, id);
      const sent = await receipt;
      requests.push(...first.requests);
      const second = busyChild({ memory, tools: [look] });
      await (await second.engine.resume(id, {})).result;
      requests.push(...second.requests);
      const times = requests.at(-1)?.filter((text) => text === "Look left.").length ?? 0;
      const stored = await Array.fromAsync(speaker.engine.events(id));
      if (sent === "ended") assert.equal(times, 0);
      else {
        const { state } = await speaker.engine.settleSteer(sent, never);
        assert.equal(state, times === 1 ? "delivered" : "missed", JSON.stringify(stored.map(({ kind }) => kind)));
      }
      assert.equal(stored.filter(isDelivery).length, times);
      await second.engine.close();
      await speaker.engine.close();
      if (!died) await first.engine.close();
    }),
    { numRuns: 60 },
  );
});

function say(engine: Engine, id: string): Promise<SteerReceipt | "ended"> {
  return engine.steer(`${id}.1`, "Look left.", "test").catch((error: unknown) => {
    if (error instanceof DeputyError && error.code === "run-ended") return "ended";
    throw error;
  });
}

function isDelivery(event: Event | StoredEvent): boolean {
  return event.kind === "message-add" && event.reason === "steer";
}
