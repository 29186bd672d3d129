/** When a request counts as stalled. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { startStallTimer } from "../../../src/child/wire/stall-timer.ts";
import { createFakeClock, type FakeClock } from "../../../src/testing/index.ts";

const STALL_MS = 10_000;

function start(): { clock: FakeClock; timer: ReturnType<typeof startStallTimer> } {
  const clock = createFakeClock();
  return { clock, timer: startStallTimer(clock, STALL_MS, new AbortController().signal) };
}

describe("silence", () => {
  test("of the whole time is a stall, not a moment earlier", async () => {
    const { clock, timer } = start();
    await clock.advance(STALL_MS - 1);
    assert.equal(timer.stalledFor(), undefined);
    await clock.advance(1);
    assert.deepEqual(timer.stalledFor(), { ms: STALL_MS, hadSignsOfLife: false });
    assert.ok(timer.signal.aborted);
  });

  test("counts from the last content", async () => {
    const { clock, timer } = start();
    for (let at = 0; at < 10 * STALL_MS; at += STALL_MS - 1) {
      await clock.advance(STALL_MS - 1);
      timer.onActivity(true);
    }
    assert.equal(timer.stalledFor(), undefined);
    await clock.advance(STALL_MS - 1);
    assert.equal(timer.stalledFor(), undefined);
    await clock.advance(1);
    assert.deepEqual(timer.stalledFor(), { ms: STALL_MS, hadSignsOfLife: false });
  });

  test("with signs of life is waited with for four times as long", async () => {
    const { clock, timer } = start();
    for (let at = 0; at < 4 * STALL_MS - 1_000; at += 1_000) {
      await clock.advance(1_000);
      timer.onActivity(false);
    }
    assert.equal(timer.stalledFor(), undefined);
    await clock.advance(1_000);
    assert.deepEqual(timer.stalledFor(), { ms: 4 * STALL_MS, hadSignsOfLife: true });
  });

  test("never stalls a request without a limit, nor one that is over", async () => {
    const clock = createFakeClock();
    const unlimited = startStallTimer(clock, 0, new AbortController().signal);
    const over = startStallTimer(clock, STALL_MS, new AbortController().signal);
    over.stop();
    await clock.advance(100 * STALL_MS);
    assert.deepEqual([unlimited.stalledFor(), over.stalledFor()], [undefined, undefined]);
  });
});

describe("a suspension of the process", () => {
  /** A clock whose timers go off late: time passes while the process does not run. */
  function suspendable() {
    const { clock, ...rest } = { clock: createFakeClock(), sleptMs: 0 };
    const state = rest;
    return {
      ...clock,
      elapsed: () => clock.elapsed() + state.sleptMs,
      sleep: clock.sleep,
      after: clock.after,
      advance: clock.advance,
      suspend: (ms: number) => {
        state.sleptMs += ms;
      },
    };
  }

  for (const [when, ranMs] of [
    ["at once", 0],
    ["in the middle of the wait", STALL_MS / 2],
    ["just before its end", STALL_MS - 1],
  ] as const)
    test(`that begins ${when} is no silence: what arrived meanwhile is read first`, async () => {
      const clock = suspendable();
      const timer = startStallTimer(clock, STALL_MS, new AbortController().signal);
      await clock.advance(ranMs);
      clock.suspend(100 * STALL_MS);
      await clock.advance(1);
      assert.equal(timer.stalledFor(), undefined);
      timer.onActivity(true);
      await clock.advance(STALL_MS - 1);
      assert.equal(timer.stalledFor(), undefined);
    });

  test("does not end the wait for a provider that stays silent afterwards", async () => {
    const clock = suspendable();
    const timer = startStallTimer(clock, STALL_MS, new AbortController().signal);
    clock.suspend(100 * STALL_MS);
    await clock.advance(STALL_MS + 2_000);
    assert.deepEqual(timer.stalledFor(), { ms: STALL_MS, hadSignsOfLife: false });
  });
});
