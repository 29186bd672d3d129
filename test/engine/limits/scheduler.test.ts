import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Slot } from "../../../src/engine/limits/occupied-slots.ts";
import { createScheduler } from "../../../src/engine/limits/scheduler.ts";
import { createFakeClock } from "../../../src/testing/index.ts";

const time = { clock: createFakeClock(), random: () => 0.5 };
const never = new AbortController().signal;
const settled = () => new Promise((resolve) => setImmediate(resolve));

test("children start in the order they came, never more at once than the cap", async () => {
  const scheduler = createScheduler(time, 2);
  const started: number[] = [];
  const places: Slot[] = [];
  for (const index of [0, 1, 2, 3]) {
    scheduler.queue("zai", never).then((slot) => {
      started.push(index);
      places.push(slot);
    });
  }
  await settled();
  assert.deepEqual(started, [0, 1]);
  places[1]?.release();
  await settled();
  assert.deepEqual(started, [0, 1, 2]);
  assert.deepEqual([scheduler.running, scheduler.waiting], [2, 1]);
});

test("a full provider does not hold up the children of another", async () => {
  const scheduler = createScheduler(time, 10);
  scheduler.setCaps(10, (provider) => ({ concurrent: provider === "zai" ? 1 : 10 }));
  const started: string[] = [];
  for (const provider of ["zai", "zai", "openrouter"]) {
    scheduler.queue(provider, never).then(() => started.push(provider));
  }
  await settled();
  assert.deepEqual(started, ["zai", "openrouter"]);
});

test("waiting children get their position, and again when it changes", async () => {
  const scheduler = createScheduler(time, 1);
  const first = await scheduler.queue("zai", never);
  const told: number[] = [];
  scheduler.queue("zai", never);
  scheduler.queue("zai", never, (place) => told.push(place));
  first.release();
  await settled();
  assert.deepEqual(told, [2, 1]);
});

test("a child that is stopped while it waits leaves the queue", async () => {
  const scheduler = createScheduler(time, 1);
  const first = await scheduler.queue("zai", never);
  const controller = new AbortController();
  const waiting = scheduler.queue("zai", controller.signal);
  controller.abort("stopped");
  await assert.rejects(waiting, (reason) => reason === "stopped");
  first.release();
  assert.deepEqual([scheduler.running, scheduler.waiting], [0, 0]);
});

test("a slot released twice is released once", async () => {
  const scheduler = createScheduler(time, 1);
  const slot = await scheduler.queue("zai", never);
  slot.release();
  slot.release();
  assert.equal(scheduler.running, 0);
});

test("raising a cap starts waiting children", async () => {
  const scheduler = createScheduler(time, 1);
  await scheduler.queue("zai", never);
  const second = scheduler.queue("zai", never);
  scheduler.setCaps(2, () => ({ concurrent: 2 }));
  assert.equal((await second).provider, "zai");
});

test("whatever starts, ends or aborts: no cap is exceeded, no child waits while a slot is free, nothing is left over", async () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant("queue" as const), provider: fc.constantFrom("a", "b", "c") }),
    fc.record({ do: fc.constant("release" as const), which: fc.nat(20) }),
    fc.record({ do: fc.constant("abort" as const), which: fc.nat(20) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 5 }), async (steps, cap) => {
      const caps: Record<string, number> = { a: 1, b: 2, c: 5 };
      const scheduler = createScheduler(time);
      scheduler.setCaps(cap, (provider) => ({ concurrent: caps[provider] ?? 0 }));
      const places: Slot[] = [];
      const waiting = new Map<AbortController, string>();
      for (const next of steps) {
        if (next.do === "queue") {
          const controller = new AbortController();
          waiting.set(controller, next.provider);
          scheduler.queue(next.provider, controller.signal).then(
            (slot) => {
              waiting.delete(controller);
              places.push(slot);
            },
            () => waiting.delete(controller),
          );
        } else if (next.do === "release") places.splice(next.which, 1)[0]?.release();
        else [...waiting.keys()][next.which]?.abort();
        await settled();
        const running = (provider: string) => places.filter((slot) => slot.provider === provider).length;
        assert.equal(scheduler.running, places.length);
        assert.ok(places.length <= cap);
        for (const provider of ["a", "b", "c"]) assert.ok(running(provider) <= (caps[provider] ?? 0));
        const couldStart = [...waiting.values()].some((provider) => running(provider) < (caps[provider] ?? 0));
        assert.ok(places.length === cap || !couldStart, "someone waits beside a free place");
      }
      for (const controller of waiting.keys()) controller.abort();
      for (const slot of places) slot.release();
      await settled();
      assert.deepEqual([scheduler.running, scheduler.waiting], [0, 0]);
    }),
    { numRuns: 100 },
  );
});
