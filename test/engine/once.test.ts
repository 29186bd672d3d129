/** Each stored event is folded once, and a followed run is read once. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { systemClock } from "../../src/clock.ts";
import { waitForRun } from "../../src/engine/control/wait.ts";
import type { Engine } from "../../src/engine/engine.ts";
import { type Event, isStored, type StoredEvent } from "../../src/event.ts";
import type { EntryFilter, Journal } from "../../src/journal/journal.ts";
import { createMemory, type Memory } from "../../src/journal/memory.ts";
import type { Report } from "../../src/report.ts";
import { foldRun, isChildEvent, type Run } from "../../src/run/run.ts";
import { countCalls } from "../support/call-counts.ts";
import { calls, says, tool } from "../support/child-stage.ts";
import { deputy, until } from "../support/command-line.ts";
import { createTestEngine, type ModelScript } from "../support/engine-stage.ts";
import { onMcpStage } from "../support/mcp-stage.ts";

const options = { surface: "library", workspace: "/work", answersFromElsewhere: true } as const;
const never = new AbortController().signal;

const asksOnce: ModelScript = async ({ messages }) =>
  messages.at(-1)?.role === "tool" ? says("done") : calls(["act", { word: "a" }]);

/** A tool that waits for `release`, and for approval if `asks` is set. */
function heldTool(asks: boolean) {
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  const held = tool("act", "write", async () => {
    await released;
    return "ran";
  });
  const subject = () => ({ target: "a", otherwise: asks ? ("ask" as const) : ("allow" as const) });
  return { release, tools: [{ ...held, subject }] };
}

/** An engine of another process, and how often it reads a run from its first event. */
function otherProcess(memory: Memory) {
  const passes: EntryFilter[] = [];
  const count = (filter: EntryFilter) => {
    if (filter.within !== undefined && filter.kinds === undefined && filter.after === undefined) passes.push(filter);
  };
  const wrapJournal = (journal: Journal): Journal => ({
    ...journal,
    read(filter) {
      count(filter);
      return journal.read(filter);
    },
    watch(filter, signal) {
      count(filter);
      return journal.watch(filter, signal);
    },
  });
  const { engine } = createTestEngine({
    memory,
    wrapJournal,
    tools: [tool("act", "write", () => "ran")],
    script: asksOnce,
  });
  return { engine, passes };
}

/** A run in this process, and a second process. */
async function atWork(asks = false) {
  const memory = createMemory();
  const { tools, release } = heldTool(asks);
  const owner = createTestEngine({ memory, tools, script: asksOnce });
  const { id, result } = await owner.engine.submit({ tasks: [{ goal: "Act." }] }, options);
  const isUnderWay = ({ kind }: Event) => kind === (asks ? "approval-ask" : "tool-start");
  await until(async () => (await Array.fromAsync(owner.engine.events(id))).some(isUnderWay));
  const other = otherProcess(memory);
  const close = async () => {
    release();
    await result;
    await owner.engine.close();
    await other.engine.close();
  };
  return { id, owner, other, release, close, memory };
}

function storedBy(engine: Engine, id: string): Promise<StoredEvent[]> {
  return Array.fromAsync(engine.events(id));
}

/** The owner also folds what is only live; a client's receipt of the end is folded by nobody. */
function assertFolded(folds: number, stored: readonly StoredEvent[], times: number): void {
  const expected = stored.filter(({ kind }) => kind !== "call-close").length * times;
  assert.ok(stored.length > 10);
  assert.ok(folds >= expected && folds <= expected + 8, `${folds} folds of ${expected} stored events`);
}

type Joined = { state: Run; seen: StoredEvent[]; done: Promise<void> };

/** Joins a run: its state at that time, and the stored events that it sees from then on. */
async function join(engine: Engine, id: string): Promise<Joined> {
  const found = await engine.run(id);
  const seen: StoredEvent[] = [];
  const state = stateOf(found.run);
  const done = engine.follow(found, ({ event }) => void (isStored(event) && seen.push(event)), never);
  return { state, seen, done };
}

/** What stored events alone say of a run. */
function stateOf(run: Run | undefined): Run {
  assert.ok(run);
  const copy = structuredClone(run);
  for (const child of copy.children) child.activity = "";
  return { ...copy, lastEventAt: 0 };
}

describe("each stored event is folded once", () => {
  test("into the run and into its child's conversation, in a run that is followed at the command line", async () => {
    let stdout = "";
    const names = ["result.ts:applyToStats", "child/conversation.ts:applyEvent", "run/run.ts:foldRun"];
    const counts = await countCalls(names, async () => {
      const { engine } = createTestEngine({ script: asksOnce, tools: [tool("act", "write", () => "ran")] });
      ({ stdout } = await deputy(["run", "-", "--ndjson"], { engine, stdin: "- one\n- two\n" }));
    });
    const lines: StoredEvent[] = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    const events = lines.filter((event) => isStored(event));
    const ofChildren = events.filter(isChildEvent).length;
    const live = (counts[2] ?? 0) - events.length;
    assert.ok(ofChildren > 10);
    assert.deepEqual(counts.slice(0, 2), [ofChildren, ofChildren]);
    assert.ok(live >= 0 && live <= 8, `${live} folds beside those of ${events.length} stored events`);
  });
});

describe("a run that its own process follows", () => {
  test("over MCP is folded once, also for a call that repeats the first", async () => {
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const script = async () => {
      await released;
      return { text: "done" };
    };
    await onMcpStage({ script }, async ({ client, engine }) => {
      const agent = await client("2.x");
      const call = { tasks: [{ goal: "one" }, { goal: "two" }] };
      let reports: Report[] = [];
      const [folds = 0] = await countCalls(["run/run.ts:foldRun"], async () => {
        const answers = [agent.call("delegate_task", call), agent.call("delegate_task", call)];
        await until(async () => (await engine.runCount()) > 0);
        release();
        reports = (await Promise.all(answers)).map(({ data }) => data as Report);
      });
      const [first, second] = reports;
      assert.deepEqual([first?.state, first?.delegation_id], ["ended", second?.delegation_id]);
      const events = await storedBy(engine, first?.delegation_id ?? "");
      assertFolded(folds, events, 1);
    });
  });

  for (const where of ["here", "elsewhere"] as const) {
    test(`${where} is joined in the middle: its state, then each later event once`, async () => {
      const { id, owner, other, release, close } = await atWork();
      const { engine } = where === "here" ? owner : other;
      const joined: Joined[] = [await join(engine, id)];
      const late: Promise<unknown>[] = [];
      const found = await engine.run(id);
      const following = engine.follow(found, ({ event }) => void (isStored(event) && late.push(joinAgain())), never);
      const joinAgain = async () => joined.push(await join(engine, id));
      release();
      await following;
      await Promise.all(late);
      const all = await storedBy(engine, id);
      assert.ok(joined.length > 5, `${joined.length} joined`);
      for (const { state, seen, done } of joined) {
        await done;
        const before = all.slice(0, all.length - seen.length);
        assert.deepEqual(seen, all.slice(before.length));
        assert.deepEqual(state, stateOf(before.reduce<Run | undefined>(foldRun, undefined)));
      }
      await close();
    });
  }

  test("is joined before its first event is published, which it contains already", async () => {
    const { tools, release } = heldTool(false);
    const { engine } = createTestEngine({ tools, script: asksOnce });
    const { id, result, follow } = await engine.submit({ tasks: [{ goal: "Act." }] }, options);
    const fromFirst: StoredEvent[] = [];
    const all = follow(({ event }) => void (isStored(event) && fromFirst.push(event)));
    const { seen, done } = await join(engine, id);
    release();
    await Promise.all([all, done, result]);
    assert.deepEqual(fromFirst, await storedBy(engine, id));
    assert.deepEqual(seen, fromFirst.slice(1));
    await engine.close();
  });

  test("is found as it is where another process has continued it since", async () => {
    const { id, owner, other, release, close } = await atWork();
    const found = await owner.engine.run(id);
    await owner.engine.stop(id, "test");
    release();
    await owner.engine.follow(found, () => {}, never);
    assert.deepEqual([found.owner, found.run.children[0]?.tally.ending?.status], ["none", "interrupted"]);
    const { result } = await other.engine.resume(id, options);
    await owner.engine.refresh(found);
    assert.equal(found.run.endedAt, undefined);
    await owner.engine.follow(found, () => {}, never);
    assert.deepEqual([found.owner, found.run.children[0]?.tally.ending?.status], ["none", "completed"]);
    await result;
    await close();
  });
});

describe("a run whose journal fails", () => {
  test("is as it was stored to whoever waited for it: nothing that was only seen remains", async () => {
    const { tools, release } = heldTool(false);
    const beforeCommit = (events: readonly StoredEvent[]) => {
      if (events.some(({ kind }) => kind === "tool-end")) throw new Error("no space");
    };
    const { engine } = createTestEngine({ tools, script: asksOnce, beforeCommit });
    const { id, result } = await engine.submit({ tasks: [{ goal: "Act." }] }, options);
    const found = await engine.run(id);
    const seen: Event["kind"][] = [];
    const following = engine.follow(found, ({ event }) => void seen.push(event.kind), never);
    const waiting = waitForRun(engine, await engine.run(id), { ms: 60_000, clock: systemClock }, never);
    release();
    await assert.rejects(result, /no space/);
    await following;
    const { run } = await waiting;
    const stored = (await storedBy(engine, id)).reduce<Run | undefined>(foldRun, undefined);
    assert.ok(seen.includes("tool-end"));
    assert.deepEqual([stateOf(found.run), stateOf(run)], [stateOf(stored), stateOf(stored)]);
    assert.equal(run.children[0]?.openCalls.size, 1);
    await engine.close();
  });
});

describe("another process reads a run once", () => {
  test("and folds each event once, while it waits", async () => {
    const { id, other, release, close } = await atWork();
    let before: StoredEvent[] = [];
    const [folds = 0] = await countCalls(["run/run.ts:foldRun"], async () => {
      before = await storedBy(other.engine, id);
      const found = await other.engine.run(id);
      const waiting = waitForRun(other.engine, found, { ms: 60_000, clock: systemClock }, never);
      release();
      await waiting;
    });
    const all = await storedBy(other.engine, id);
    assertFolded(folds - (all.length - before.length), all, 1);
    await close();
  });

  test("to wait for its end", async () => {
    const { id, other, release, close } = await atWork();
    const waiting = waitForRun(other.engine, await other.engine.run(id), { ms: 60_000, clock: systemClock }, never);
    release();
    const { run, owner } = await waiting;
    assert.deepEqual([run.children[0]?.tally.ending?.status, owner], ["completed", "none"]);
    assert.equal(other.passes.length, 1);
    await close();
  });

  test("to steer a child and learn that the message arrived", async () => {
    const { id, other, release, close } = await atWork();
    const receipt = await other.engine.steer(id, "Be brief.", "test");
    const settled = other.engine.settleSteer(receipt, never);
    release();
    assert.deepEqual([receipt.state, (await settled).state], ["queued", "delivered"]);
    assert.equal(other.passes.length, 1);
    await close();
  });

  test("to answer an approval request and learn that the answer counted", async () => {
    const { id, other, close } = await atWork(true);
    const { counted } = await other.engine.answer({ id, allowed: true, reason: "fine", by: "test" });
    assert.equal(counted, true);
    assert.equal(other.passes.length, 1);
    await close();
  });

  test("to watch it from its first event, with and without its state", async () => {
    for (const follow of ["watch", "replay"] as const) {
      const { id, other, release, close } = await atWork();
      release();
      let events = 0;
      for await (const _ of other.engine[follow](id, never)) events += 1;
      assert.equal(events, (await Array.fromAsync(other.engine.events(id))).length);
      assert.equal(other.passes.length, 2, "one to follow it, one to count its events here");
      await close();
    }
  });

  test("to resume it", async () => {
    const { id, owner, other, release } = await atWork();
    owner.die();
    const resumed = await other.engine.resume(id, options);
    assert.equal((await resumed.result).results[0]?.status, "completed");
    assert.equal(other.passes.length, 1);
    release();
    await other.engine.close();
  });
});
