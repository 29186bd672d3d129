import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createFakeClock } from "../../src/testing/index.ts";

describe("a fake clock", () => {
  it("does not advance by itself", async () => {
    const clock = createFakeClock(1000);
    assert.equal(clock.now(), 1000);
    await clock.advance(250);
    assert.equal(clock.now(), 1250);
  });

  it("sets timers off in the order they are due, each at its own time", async () => {
    const clock = createFakeClock(0);
    const seen: [string, number][] = [];
    const note = (name: string) => () => seen.push([name, clock.now()]);
    clock.after(30, note("c"));
    clock.after(10, note("a"));
    clock.after(10, note("b"));
    clock.after(31, note("later"));
    assert.equal(clock.pending, 4);
    await clock.advance(30);
    assert.deepEqual(seen, [
      ["a", 10],
      ["b", 10],
      ["c", 30],
    ]);
    assert.equal(clock.pending, 1);
  });

  it("lets the effects of a timer finish, and set further timers, before the next is due", async () => {
    const clock = createFakeClock(0);
    const seen: string[] = [];
    async function twice(name: string, ms: number) {
      await clock.sleep(ms);
      await Promise.resolve().then(() => Promise.resolve());
      seen.push(`${name} ${clock.now()}`);
      await clock.sleep(ms);
      seen.push(`${name} ${clock.now()}`);
    }
    const both = Promise.all([twice("slow", 15), twice("quick", 10)]);
    await clock.advance(100);
    await both;
    assert.deepEqual(seen, ["quick 10", "slow 15", "quick 20", "slow 30"]);
  });

  it("forgets a timer that is called off", async () => {
    const clock = createFakeClock();
    const cancel = clock.after(10, () => assert.fail("called off"));
    cancel();
    assert.equal(clock.pending, 0);
    await clock.advance(20);
  });

  it("wakes a sleeper whose signal aborts, with the signal's reason", async () => {
    const clock = createFakeClock();
    const stop = new AbortController();
    const sleeping = clock.sleep(10, stop.signal);
    stop.abort(new Error("stopped"));
    await assert.rejects(sleeping, /stopped/);
    assert.equal(clock.pending, 0);
    await assert.rejects(clock.sleep(10, AbortSignal.abort(new Error("before"))), /before/);
  });
});
