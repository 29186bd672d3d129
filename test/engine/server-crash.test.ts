/** Runs of a server that died: which of them its next process continues. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ModelCall } from "../../src/child/wire/request/request.ts";
import type { Engine } from "../../src/engine/engine.ts";
import type { StoredEvent } from "../../src/event.ts";
import { createMemory, type Memory } from "../../src/journal/memory.ts";
import { setAsideReason } from "../../src/run/crash-loop.ts";
import { reportOf } from "../../src/run/run-report.ts";
import { fails, says } from "../support/child-stage.ts";
import { createTestEngine, type ModelScript } from "../support/engine-stage.ts";

const OPTIONS = { surface: "mcp", workspace: "/work", answersFromElsewhere: true } as const;
const SERVER = { server: "serve" };

const answers: ModelScript = async () => says("done");
const never: ModelScript = (_, signal) =>
  new Promise((resolve) => signal.addEventListener("abort", () => resolve(fails("aborted"))));

/** The record of a run of two tasks after its process died. */
async function dead(owner: { server?: string }, before: (engine: Engine, id: string) => Promise<void>) {
  const memory = createMemory();
  const { engine, die } = createTestEngine({ script: never, memory });
  const call = { tasks: [{ goal: "one" }, { goal: "two" }] };
  const { id, events } = await engine.submit(call, { ...OPTIONS, ...owner });
  let asking = 0;
  for await (const { kind } of events) if (kind === "step-start" && ++asking === 2) break;
  await before(engine, id);
  die();
  return { id, memory, next: createTestEngine({ script: answers, memory }).engine };
}

const nothing = async () => {};
const first: (request: ModelCall) => boolean = ({ messages }) => JSON.stringify(messages).includes("one");

function add(memory: Memory, event: StoredEvent): void {
  memory.log.push(JSON.stringify(event));
}

/** The next server resumes a run, and dies when the run has reached this point. */
async function diesAgain(memory: Memory, id: string, { server }: { server?: string }, model = never): Promise<void> {
  const { engine, die } = createTestEngine({ script: model, memory });
  const options = { answersFromElsewhere: true };
  await (server === undefined
    ? engine.resume(id, options)
    : engine.resumeAfterCrash(await engine.run(id), server, options));
  for await (const { kind } of engine.watch(id, new AbortController().signal)) if (kind === "delegation-resume") break;
  await new Promise((resolve) => setTimeout(resolve, 30));
  die();
}

async function reasonIn(memory: Memory, id: string): Promise<string | undefined> {
  const { engine } = createTestEngine({ script: answers, memory });
  const [listed] = await engine.runs();
  const shown = setAsideReason(await engine.run(id));
  assert.equal(listed && setAsideReason(listed), shown, "runs and show say the same");
  return shown;
}

async function endings(engine: Engine, id: string): Promise<string[]> {
  const { result } = await engine.resumeAfterCrash(await engine.run(id), SERVER.server, { answersFromElsewhere: true });
  return (await result).results.map(({ status, exit_reason }) => `${status} ${exit_reason}`);
}

describe("the next process of a server", () => {
  test("finds interrupted runs, and continues them", async () => {
    const { id, next } = await dead(SERVER, nothing);
    assert.deepEqual(await next.orphanedRuns("serve"), [id]);
    assert.deepEqual(await endings(next, id), ["completed answered", "completed answered"]);
    assert.deepEqual(await next.orphanedRuns("serve"), []);
  });

  test("finds it again where it died itself in the middle", async () => {
    const { id, memory } = await dead(SERVER, nothing);
    const { engine, die } = createTestEngine({ script: never, memory });
    await engine.resumeAfterCrash(await engine.run(id), SERVER.server, { answersFromElsewhere: true });
    assert.deepEqual(await engine.orphanedRuns("serve"), []);
    die();
    const { engine: third } = createTestEngine({ script: answers, memory });
    assert.deepEqual(await third.orphanedRuns("serve"), [id]);
  });

  test("leaves runs of others alone, those that a command took over too", async () => {
    for (const owner of [{}, { server: "another" }]) {
      const { next } = await dead(owner, nothing);
      assert.deepEqual(await next.orphanedRuns("serve"), []);
    }
    const { id, memory } = await dead(SERVER, nothing);
    const { engine, die } = createTestEngine({ script: never, memory });
    await engine.resume(id, { answersFromElsewhere: true });
    die();
    const { engine: third } = createTestEngine({ script: answers, memory });
    assert.deepEqual(await third.orphanedRuns("serve"), []);
  });

  test("does not continue a stopped child", async () => {
    const { id, next } = await dead(SERVER, async (engine, id) => {
      await engine.stop(`${id}.1`, "a person");
      for await (const { kind } of engine.watch(id, new AbortController().signal)) if (kind === "child-end") break;
    });
    assert.deepEqual(await endings(next, id), ["interrupted a person", "completed answered"]);
  });

  test("does not continue a child, or a run, with a pending stop request", async () => {
    const child = await dead(SERVER, nothing);
    const stop = { kind: "stop-request", at: Date.now(), by: "a person" } as const;
    add(child.memory, { ...stop, delegationId: child.id, target: `${child.id}.2` });
    assert.deepEqual(await endings(child.next, child.id), ["completed answered", "interrupted a person"]);
    const whole = await dead(SERVER, nothing);
    add(whole.memory, { ...stop, delegationId: whole.id });
    assert.deepEqual(await endings(whole.next, whole.id), []);
    assert.equal((await whole.next.run(whole.id)).owner, "dead");
  });

  test("gives a run its end where only that was missing", async () => {
    const { id, memory, next } = await dead(SERVER, async (engine, id) => {
      await engine.stop(`${id}.1`, "a person");
      for await (const { kind } of engine.watch(id, new AbortController().signal)) if (kind === "child-end") break;
    });
    const ending = { status: "completed", text: "done" } as const;
    add(memory, { kind: "child-end", at: Date.now(), delegationId: id, childId: `${id}.2`, ending, durationMs: 1 });
    assert.deepEqual(await endings(next, id), ["interrupted a person", "completed answered"]);
    assert.notEqual((await next.run(id)).run.endedAt, undefined);
  });
});

describe("a run that was under way at a crash", () => {
  test("is set aside after the second crash at the same place, and explains what to do", async () => {
    const { id, memory } = await dead(SERVER, nothing);
    assert.equal(await reasonIn(memory, id), undefined);
    await diesAgain(memory, id, SERVER);
    const reason = `${id} is not resumed automatically: the server crashed more than once at the same place`;
    assert.equal(
      await reasonIn(memory, id),
      `${reason} (${id}.1: thinking and 1 more). Try again with: deputy resume ${id}`,
    );
    const { engine } = createTestEngine({ script: answers, memory });
    assert.deepEqual(reportOf(await engine.run(id), 0).warnings.length, 1);
  });

  test("continues if it progressed between two crashes", async () => {
    const { id, memory } = await dead(SERVER, nothing);
    await diesAgain(memory, id, SERVER, async (request, signal) =>
      first(request) ? says("done") : never(request, signal),
    );
    assert.equal(await reasonIn(memory, id), undefined);
  });

  test("is set aside after three crashes of one child, whatever the others did", async () => {
    const { id, memory } = await dead(SERVER, nothing);
    await diesAgain(memory, id, SERVER);
    add(memory, {
      kind: "message-add",
      at: Date.now(),
      delegationId: id,
      childId: `${id}.1`,
      reason: "repair",
      text: "x",
    });
    assert.equal(await reasonIn(memory, id), undefined);
    const resumed = {
      kind: "delegation-resume",
      at: Date.now(),
      delegationId: id,
      pid: 1,
      renewed: {},
      ...SERVER,
    } as const;
    add(memory, resumed);
    add(memory, {
      kind: "message-add",
      at: Date.now(),
      delegationId: id,
      childId: `${id}.1`,
      reason: "repair",
      text: "x",
    });
    assert.match((await reasonIn(memory, id)) ?? "", new RegExp(`\\(${id}\\.2: `));
  });

  test("counts anew when a user resumes it, and while a process works on it", async () => {
    const { id, memory } = await dead(SERVER, nothing);
    await diesAgain(memory, id, SERVER);
    await diesAgain(memory, id, {});
    assert.equal(await reasonIn(memory, id), undefined);
    const { engine, die } = createTestEngine({ script: never, memory });
    await engine.resumeAfterCrash(await engine.run(id), SERVER.server, { answersFromElsewhere: true });
    assert.equal(setAsideReason(await engine.run(id)), undefined);
    die();
  });

  test("continues if all of it sleeps until a quota is available again, or was stopped", async () => {
    const { id, memory } = await dead(SERVER, nothing);
    await diesAgain(memory, id, SERVER);
    const failure = { kind: "quota-exhausted", message: "used up" } as const;
    for (const childId of [`${id}.1`, `${id}.2`])
      add(memory, { kind: "pause-start", at: Date.now(), delegationId: id, childId, until: Date.now() + 1e6, failure });
    assert.equal(await reasonIn(memory, id), undefined);
    const stopped = await dead(SERVER, nothing);
    await diesAgain(stopped.memory, stopped.id, SERVER);
    add(stopped.memory, { kind: "stop-request", at: Date.now(), delegationId: stopped.id, by: "a person" });
    assert.equal(await reasonIn(stopped.memory, stopped.id), undefined);
  });
});
