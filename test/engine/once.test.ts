/** Each stored event is folded once, and a followed run is read once. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { systemClock } from "../../src/clock.ts";
import { waitForRun } from "../../src/engine/control/wait.ts";
import { type Event, isStored, type StoredEvent } from "../../src/event.ts";
import type { EntryFilter, Journal } from "../../src/journal/journal.ts";
import { createMemory, type Memory } from "../../src/journal/memory.ts";
import { isChildEvent } from "../../src/run/run.ts";
import { countCalls } from "../support/call-counts.ts";
import { calls, says, tool } from "../support/child-stage.ts";
import { deputy, until } from "../support/command-line.ts";
import { createTestEngine, type ModelScript } from "../support/engine-stage.ts";

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

describe("another process reads a run once", () => {
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
      assert.equal(other.passes.length, 3, "one to follow it, two to count its events here");
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
