import assert from "node:assert/strict";
import { test } from "node:test";
import type { Delegation } from "../../src/engine/engine.ts";
import type { StoredEvent } from "../../src/event.ts";
import { createMemory } from "../../src/journal/memory.ts";
import type { Route } from "../../src/route.ts";
import type { Call } from "../../src/task.ts";
import { createFakeClock, type FakeClock } from "../../src/testing/index.ts";
import { fails, route, says } from "../support/child-stage.ts";
import { createTestEngine, type ModelScript, type Staged } from "../support/engine-stage.ts";

const HOUR = 3_600_000;
const SUBMIT = { surface: "library", workspace: "/work" } as const;
const PAUSE = { delegation: { on_quota: "pause" } };
const ONE: Call = { tasks: [{ goal: "one" }] };

/** Rejects requests until a moment on its clock, and reports that moment. */
function usedUpUntil(until: number, clock: FakeClock): { script: ModelScript; asked: number[] } {
  const asked: number[] = [];
  return {
    asked,
    script: async () => {
      asked.push(clock.elapsed());
      const retryAfterMs = until - clock.elapsed();
      if (retryAfterMs <= 0) return says("done");
      return fails("quota-exhausted", { failure: { kind: "quota-exhausted", message: "used up", retryAfterMs } });
    },
  };
}

function stage(more: Partial<Staged> = {}, until = HOUR) {
  const clock = createFakeClock();
  const server = usedUpUntil(until, clock);
  return { clock, ...server, ...createTestEngine({ script: server.script, clock, config: PAUSE, ...more }) };
}

/** Lets everything continue that waits only for the event loop and the disk. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await settled();
}

/** Advances time in steps that leave everything time to act. */
async function pass(clock: FakeClock, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 30_000) {
    await settled();
    await clock.advance(Math.min(left, 30_000));
  }
  await settled();
}

async function resultOf(delegation: Delegation) {
  const { results } = await delegation.result;
  return results.map(({ status, exit_reason }) => `${status}: ${exit_reason}`);
}

const kinds = (events: AsyncIterable<StoredEvent>) => Array.fromAsync(events, ({ kind }) => kind);

test("a child sleeps until the quota is available again, continues by itself, and its state is visible", async () => {
  const { clock, engine, asked } = stage();
  const delegation = await engine.submit(ONE, SUBMIT);
  await until(() => asked.length > 0);
  await pass(clock, HOUR / 2);
  const [child] = (await engine.run(delegation.id)).run.children;
  assert.match(child?.activity ?? "", /^paused until 2026-01-01 01:00 UTC/);
  assert.equal(child?.tally.pausedUntil, Date.UTC(2026, 0, 1, 1));
  await pass(clock, HOUR);
  assert.deepEqual(await resultOf(delegation), ["completed: answered"]);
  assert.deepEqual(asked, [0, HOUR]);
  const paused = (await kinds(engine.events(delegation.id))).filter((kind) => kind.startsWith("pause"));
  assert.deepEqual(paused, ["pause-start", "pause-end"]);
  await engine.close();
});

test("a sleeping child occupies no slot, and its time limit pauses", async () => {
  const clock = createFakeClock();
  const { script, asked } = usedUpUntil(HOUR, clock);
  const { engine } = createTestEngine({
    clock,
    config: PAUSE,
    script: async (request, signal) => (request.route.provider === "zai" ? script(request, signal) : says("here")),
  });
  const call: Call = {
    tasks: [
      { goal: "one", timeout_seconds: 60 },
      { goal: "two", provider: "other" },
    ],
  };
  const delegation = await engine.submit(call, { ...SUBMIT, concurrency: 1 });
  const second = async () => (await engine.run(delegation.id)).run.children[1];
  await until(async () => asked.length > 0 && (await second())?.tally.ending !== undefined);
  assert.equal((await second())?.tally.ending?.status, "completed");
  await pass(clock, HOUR);
  assert.deepEqual(await resultOf(delegation), ["completed: answered", "completed: answered"]);
  await engine.close();
});

test("where the provider names no time the child fails; a declared fallback goes before a pause", async () => {
  const clock = createFakeClock();
  const nameless = createTestEngine({ clock, config: PAUSE, script: async () => fails("quota-exhausted") });
  assert.deepEqual(await resultOf(await nameless.engine.submit(ONE, SUBMIT)), ["failed: quota-exhausted"]);
  const withFallback = (provider: string, model: string): Route =>
    route(provider, model, { fallbacks: [route("other", "m")] });
  const { script } = usedUpUntil(HOUR, clock);
  const declared = createTestEngine({
    clock,
    config: PAUSE,
    route: withFallback,
    script: async (request, signal) => (request.route.provider === "zai" ? script(request, signal) : says("there")),
  });
  const { results } = await (await declared.engine.submit(ONE, SUBMIT)).result;
  assert.deepEqual([results[0]?.status, results[0]?.provider], ["completed", "other"]);
  await Promise.all([nameless.engine.close(), declared.engine.close()]);
});

test("a sleeping child can be stopped at once, and leaves no timer", async () => {
  const { clock, engine, asked } = stage();
  const delegation = await engine.submit(ONE, SUBMIT);
  await until(() => asked.length > 0);
  await pass(clock, 1_000);
  await delegation.stop("me");
  assert.deepEqual(await resultOf(delegation), ["interrupted: me"]);
  assert.equal(clock.pending, 0);
  await engine.close();
});

test("after a crash in its sleep it sleeps for the remaining time: no request is early or repeated", async () => {
  const memory = createMemory();
  const first = stage({ memory });
  const delegation = await first.engine.submit(ONE, SUBMIT);
  await until(() => first.asked.length > 0);
  await pass(first.clock, HOUR / 4);
  first.die();
  // The next process starts half an hour later, on its own clock.
  const clock = createFakeClock(first.clock.now() + HOUR / 2);
  const server = usedUpUntil(HOUR / 4, clock);
  const second = createTestEngine({ script: server.script, clock, config: PAUSE, memory });
  const resumed = await second.engine.resume(delegation.id, {});
  const activity = async () => (await second.engine.run(delegation.id)).run.children[0]?.activity ?? "";
  await until(async () => (await activity()) !== "waiting");
  assert.match(await activity(), /^paused until 2026-01-01 01:00/);
  assert.deepEqual(server.asked, []);
  await pass(clock, HOUR);
  assert.deepEqual(await resultOf(resumed), ["completed: answered"]);
  assert.deepEqual(server.asked, [HOUR / 4]);
  await second.engine.close();
});

test("a system clock that is set back in its sleep does not prolong it; one set forward ends it", async () => {
  const back = stage();
  const one = await back.engine.submit(ONE, SUBMIT);
  await until(() => back.asked.length > 0);
  await pass(back.clock, 60_000);
  back.clock.jump(-365 * 24 * HOUR);
  await pass(back.clock, HOUR);
  assert.deepEqual(await resultOf(one), ["completed: answered"]);
  const forward = stage({}, 5 * HOUR);
  const other = await forward.engine.submit(ONE, SUBMIT);
  await until(() => forward.asked.length > 0);
  await pass(forward.clock, 60_000);
  forward.clock.jump(5 * HOUR);
  await pass(forward.clock, 120_000);
  assert.ok(forward.asked.length > 1);
  await other.stop("enough");
  const { results } = await other.result;
  assert.ok(results.every(({ duration_seconds }) => duration_seconds >= 0 && duration_seconds < 3 * 3600));
  await Promise.all([back.engine.close(), forward.engine.close()]);
});

test("the number of pauses for a provider that keeps naming new times is limited", async () => {
  const clock = createFakeClock();
  let asked = 0;
  const { engine } = createTestEngine({
    clock,
    config: PAUSE,
    script: async () => {
      asked += 1;
      return fails("quota-exhausted", { failure: { kind: "quota-exhausted", message: "no", retryAfterMs: 30_000 } });
    },
  });
  const delegation = await engine.submit(ONE, SUBMIT);
  await until(() => asked > 0);
  await pass(clock, HOUR);
  assert.deepEqual(await resultOf(delegation), ["failed: quota-exhausted"]);
  assert.equal(asked, 11);
  await engine.close();
});
