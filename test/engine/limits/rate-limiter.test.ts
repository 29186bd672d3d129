import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { Permit } from "../../../src/child/child.ts";
import type { Slot } from "../../../src/engine/limits/occupied-slots.ts";
import type { ProviderLimits } from "../../../src/engine/limits/rate-limiter.ts";
import { retryPolicy } from "../../../src/engine/limits/retry-policy.ts";
import { createScheduler, type WaitStatus } from "../../../src/engine/limits/scheduler.ts";
import type { Failure } from "../../../src/errors.ts";
import type { Recovery } from "../../../src/event.ts";
import { createFakeClock } from "../../../src/testing/index.ts";

const never = new AbortController().signal;
const settled = () => new Promise((resolve) => setImmediate(resolve));
const MINUTE = 61_000;

/** A scheduler on its own clock, and children that send one request after another. */
function stage(limits: Record<string, ProviderLimits> = {}, cap = 100) {
  const clock = createFakeClock();
  const scheduler = createScheduler({ clock, random: () => 0.5 });
  scheduler.setCaps(cap, (provider) => limits[provider] ?? {});
  /** When each request was sent, by its name. */
  const left: [name: string, at: number][] = [];
  async function ask(name: string, provider = "zai", tokens = 0, signal = never, told?: (what: WaitStatus) => void) {
    const slot = await scheduler.queue(provider, signal);
    const admission = await scheduler.admit(slot, provider, () => tokens, signal, told);
    left.push([name, clock.elapsed()]);
    return admission;
  }
  const names = () => left.map(([name]) => name);
  return { clock, scheduler, left, names, ask };
}

const limited = (backInMs = 0) => ({ setback: { kind: "rate-limited", backInMs } as const });

describe("requests per minute", () => {
  test("as many leave at once as are allowed, the next when the first is a minute old", async () => {
    const { clock, left, ask } = stage({ zai: { requestsPerMinute: 2 } });
    for (const name of ["a", "b", "c", "d", "e"]) void ask(name);
    await clock.advance(3 * MINUTE);
    assert.deepEqual(left, [
      ["a", 0],
      ["b", 0],
      ["c", MINUTE],
      ["d", MINUTE],
      ["e", 2 * MINUTE],
    ]);
  });

  test("a waiting child occupies no slot, and other providers are unaffected", async () => {
    const { clock, scheduler, names, ask } = stage({ zai: { requestsPerMinute: 1 } }, 1);
    (await ask("first")).slot.release();
    void ask("waits");
    await settled();
    assert.equal(scheduler.running, 0);
    const other = await ask("other", "openrouter");
    assert.deepEqual(names(), ["first", "other"]);
    other.slot.release();
    await clock.advance(MINUTE);
    assert.deepEqual(names(), ["first", "other", "waits"]);
  });

  test("a waiting child learns what it waits for, and how long", async () => {
    const { ask } = stage({ zai: { requestsPerMinute: 1 } });
    await ask("first");
    const told: WaitStatus[] = [];
    const slot: Slot = { provider: "zai", release: () => {} };
    const { scheduler } = stage({ zai: { requestsPerMinute: 1 } });
    await scheduler.admit(slot, "zai", () => 0, never);
    void scheduler.admit(
      slot,
      "zai",
      () => 0,
      never,
      (what) => told.push(what),
    );
    await settled();
    assert.deepEqual(told[0], { limit: "requests per minute", forMs: MINUTE });
  });

  test("a child stopped while it waits leaves no timer, and the next one takes its turn", async () => {
    const { clock, scheduler, names, ask } = stage({ zai: { requestsPerMinute: 1 } });
    await ask("first");
    const controller = new AbortController();
    const stopped = ask("stopped", "zai", 0, controller.signal);
    const rejected = assert.rejects(stopped, (reason) => reason === "enough");
    void ask("next");
    await settled();
    controller.abort("enough");
    await rejected;
    assert.equal(clock.pending, 1);
    await clock.advance(MINUTE);
    assert.deepEqual(names(), ["first", "next"]);
    assert.deepEqual([clock.pending, scheduler.waiting], [0, 0]);
  });

  test("a request that never left does not count", async () => {
    const { names, ask } = stage({ zai: { requestsPerMinute: 1 } });
    (await ask("unsent")).permit.end({ unsent: true });
    await ask("sent");
    assert.deepEqual(names(), ["unsent", "sent"]);
  });
});

describe("tokens per minute", () => {
  test("are set aside as expected, and counted as the provider reports them", async () => {
    const { clock, names, ask } = stage({ zai: { tokensPerMinute: 1_000 } });
    const first = await ask("first", "zai", 800);
    void ask("second", "zai", 500);
    await settled();
    assert.deepEqual(names(), ["first"]);
    first.permit.end({ tokens: 400 });
    await settled();
    assert.deepEqual(names(), ["first", "second"]);
    void ask("third", "zai", 200);
    await clock.advance(MINUTE - 1);
    assert.equal(names().length, 2);
    await clock.advance(1);
    assert.equal(names().length, 3);
  });

  test("a request larger than the limit leaves alone instead of never; a small one behind it does not overtake", async () => {
    const { clock, names, ask } = stage({ zai: { tokensPerMinute: 1_000 } });
    await ask("small", "zai", 10);
    void ask("huge", "zai", 5_000);
    await settled();
    void ask("tiny", "zai", 1);
    await clock.advance(MINUTE);
    assert.deepEqual(names(), ["small", "huge"]);
    await clock.advance(MINUTE);
    assert.deepEqual(names(), ["small", "huge", "tiny"]);
  });
});

describe("a provider that returns rate-limit errors", () => {
  test("is left alone while its Retry-After holds; then one goes ahead, and the others follow its success", async () => {
    const { clock, names, left, ask } = stage();
    const first = await ask("first");
    first.permit.end(limited(20_000));
    const waiting = ["a", "b", "c"].map((name) => ask(name));
    await clock.advance(19_999);
    assert.deepEqual(names(), ["first"]);
    await clock.advance(1);
    assert.deepEqual(left.slice(1), [["a", 20_000]]);
    const probe = await waiting[0];
    probe?.permit.accepted();
    probe?.permit.end();
    await settled();
    assert.deepEqual(names(), ["first", "a", "b", "c"].slice(0, names().length));
    assert.ok(names().length > 2);
  });

  test("one burst of refusals narrows the rate limiter once; answers widen it again by about one for each round", async () => {
    const { clock, names, ask } = stage();
    const burst = await Promise.all(Array.from({ length: 16 }, (_, index) => ask(`burst ${index}`)));
    for (const { permit } of burst) permit.end(limited());
    await clock.advance(2_000);
    const rounds: number[] = [];
    for (let round = 0; round < 4; round++) {
      const before = names().length;
      const controller = new AbortController();
      const open: Permit[] = [];
      for (let index = 0; index < 40; index++)
        void ask(`${round}.${index}`, "zai", 0, controller.signal).then(
          ({ permit }) => open.push(permit),
          () => {},
        );
      await settled();
      open[0]?.accepted();
      await settled();
      rounds.push(names().length - before);
      controller.abort();
      for (const permit of open) {
        permit.accepted();
        permit.end();
      }
    }
    assert.deepEqual(rounds, [8, 9, 10, 10]);
  });

  test("one that is overloaded is asked by fewer at once, and not held where it names no time", async () => {
    const { names, ask } = stage();
    const burst = await Promise.all(Array.from({ length: 8 }, (_, index) => ask(`burst ${index}`)));
    for (const { permit } of burst) permit.end({ setback: { kind: "overloaded", backInMs: 0 } });
    for (let index = 0; index < 8; index++) void ask(`next ${index}`);
    await settled();
    assert.equal(names().length, 8 + 4);
  });

  test("a wait beyond ten minutes closes nothing: each child decides for itself", async () => {
    const { names, ask } = stage();
    (await ask("first")).permit.end(limited(3_600_000));
    await ask("next");
    assert.deepEqual(names(), ["first", "next"]);
  });
});

type World = {
  children: number;
  steps: number;
  /** The server's capacity. */
  concurrent: number;
  perMinute: number;
  /** Whether it sends `Retry-After`. */
  says: boolean;
  seed: number;
};

type Seen = { answered: number; refused: number; gaveUp: number; otherMs: number; mostRetries: number };

/** The retries of an independent child: eight tries, exponential waits with full jitter. */
function alone(backInMs: number, earlier: number, random: () => number): Recovery {
  if (earlier >= 7) return { action: "give-up" };
  return { action: "retry", delayMs: backInMs + Math.min(60_000, 2_000 * 2 ** earlier) * random() };
}

/** Children at a provider with a limited capacity, and a few at another with an unlimited one. */
async function simulate(world: World, gated: boolean): Promise<Seen> {
  const clock = createFakeClock();
  let seed = world.seed;
  const random = () => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return seed / 2 ** 31;
  };
  const scheduler = createScheduler({ clock, random });
  scheduler.setCaps(32, () => ({}));
  const seen: Seen = { answered: 0, refused: 0, gaveUp: 0, otherMs: 0, mostRetries: 0 };
  let inFlight = 0;
  let arrivals: number[] = [];

  /** One request; the failure if the server rejects it. */
  async function serve(): Promise<Failure | undefined> {
    arrivals = arrivals.filter((at) => at > clock.elapsed() - 60_000);
    const isFull = arrivals.length >= world.perMinute;
    if (isFull || inFlight >= world.concurrent) {
      await clock.sleep(20);
      const retryAfterMs = isFull ? (arrivals[0] ?? 0) + 60_000 - clock.elapsed() : 500;
      return { kind: "rate-limited", message: "429", ...(world.says && { retryAfterMs }) };
    }
    arrivals.push(clock.elapsed());
    inFlight += 1;
    await clock.sleep(400 + 400 * random());
    inFlight -= 1;
    return undefined;
  }

  async function child(provider: "busy" | "free"): Promise<void> {
    let slot: Slot | undefined = await scheduler.queue(provider, never);
    for (let step = 0; step < world.steps; step++) {
      const earlier: Failure[] = [];
      let failingForMs = 0;
      for (;;) {
        const admission: { slot: Slot; permit: Permit } = await scheduler.admit(slot, provider, () => 0, never);
        slot = admission.slot;
        const failure = provider === "busy" ? await serve() : await clock.sleep(500);
        if (failure === undefined) {
          admission.permit.accepted();
          admission.permit.end();
          if (provider === "busy") seen.answered += 1;
          break;
        }
        seen.refused += 1;
        const keys = { another: false, backInMs: failure.retryAfterMs ?? 0, kind: failure.kind } as const;
        const recovery = gated
          ? retryPolicy({ keys, earlier, failingForMs, fallbacksLeft: 0 }, random)
          : alone(keys.backInMs, earlier.length, random);
        admission.permit.end(gated ? { setback: keys } : {});
        slot.release();
        slot = undefined;
        earlier.push(failure);
        seen.mostRetries = Math.max(seen.mostRetries, earlier.length);
        if (recovery.action !== "retry") {
          seen.gaveUp += 1;
          return;
        }
        failingForMs += recovery.delayMs;
        await clock.sleep(recovery.delayMs);
      }
    }
    slot?.release();
  }

  const startedAt = clock.elapsed();
  const busy = Promise.all(Array.from({ length: world.children }, () => child("busy")));
  const free = Promise.all(Array.from({ length: 4 }, () => child("free"))).then(() => {
    seen.otherMs = clock.elapsed() - startedAt;
  });
  let over = false;
  void Promise.all([busy, free]).then(() => {
    over = true;
  });
  for (let minutes = 0; !over && minutes < 24 * 60; minutes++) await clock.advance(60_000);
  assert.ok(over, "not all children came to an end within a day");
  assert.deepEqual(
    [clock.pending, scheduler.waiting, scheduler.running],
    [0, 0, seen.gaveUp === 0 ? 0 : scheduler.running],
  );
  return seen;
}

describe("many children at a server with limited capacity", () => {
  const worlds = fc.record({
    children: fc.integer({ min: 20, max: 60 }),
    steps: fc.integer({ min: 1, max: 2 }),
    concurrent: fc.integer({ min: 1, max: 6 }),
    perMinute: fc.integer({ min: 6, max: 60 }),
    says: fc.boolean(),
    seed: fc.integer({ min: 1, max: 2 ** 30 }),
  });

  test("all finish, few requests are wasted, no child uses up its tries, another provider is not slowed", async () => {
    await fc.assert(
      fc.asyncProperty(worlds, async (world) => {
        const seen = await simulate(world, true);
        assert.equal(seen.gaveUp, 0, `${JSON.stringify(seen)}`);
        assert.equal(seen.answered, world.children * world.steps);
        assert.ok(seen.refused <= seen.answered * 2 + 32, `${seen.refused} refused for ${seen.answered} answered`);
        // The rejected requests occupy the full cap of 32 slots once. After that, no waiting child is in the way.
        assert.ok(seen.otherMs <= world.steps * 500 + 100, `the other provider took ${seen.otherMs} ms`);
      }),
      { numRuns: 12 },
    );
  });

  test("with the rate limiter a fraction of the requests is refused that would be without", async (t) => {
    for (const says of [true, false]) {
      const world = { children: 60, steps: 2, concurrent: 4, perMinute: 30, says, seed: 7 };
      const [gated, free] = [await simulate(world, true), await simulate(world, false)];
      t.diagnostic(`${says ? "with" : "without"} Retry-After: ${JSON.stringify({ gated, free })}`);
      assert.equal(gated.gaveUp, 0);
      assert.ok(gated.refused * 2 < free.refused || free.gaveUp > 0, JSON.stringify({ gated, free }));
    }
  });
});
