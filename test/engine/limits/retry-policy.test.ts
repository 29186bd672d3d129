import assert from "node:assert/strict";
import { test } from "node:test";
import type { FailureSituation } from "../../../src/child/child.ts";
import { RETRY_RULES, retryPolicy } from "../../../src/engine/limits/retry-policy.ts";
import { FAILURE_KINDS, type Failure, type FailureKind } from "../../../src/errors.ts";

const failure = (kind: FailureKind, more: Partial<Failure> = {}): Failure => ({ kind, message: kind, ...more });
/** The situation after `count` failures of one kind. */
const after = (count: number, kind: FailureKind, more = {}) =>
  situation(failure(kind), { earlier: Array.from({ length: count - 1 }, () => failure(kind)), ...more });
const situation = (last: Failure, more: Partial<FailureSituation> = {}): FailureSituation => ({
  keys: { another: false, backInMs: last.retryAfterMs ?? 0, kind: last.kind },
  earlier: [],
  failingForMs: 0,
  fallbacksLeft: 0,
  ...more,
});

test("a lasting failure is not retried, but its fallbacks are tried", () => {
  const lasting = situation(failure("network"), { isLasting: true });
  assert.deepEqual(
    retryPolicy(lasting, () => 0.5),
    { action: "give-up" },
  );
  assert.deepEqual(
    retryPolicy({ ...lasting, fallbacksLeft: 1 }, () => 0.5),
    { action: "fallback" },
  );
});

for (const kind of FAILURE_KINDS) {
  test(`${kind}: retried as often as the table says, then a declared fallback, else the end`, () => {
    const { tries, fallback } = RETRY_RULES[kind];
    for (let tried = 1; tried < tries; tried++) {
      assert.equal(retryPolicy(after(tried, kind), () => 0.5).action, "retry");
    }
    assert.equal(retryPolicy(after(tries, kind), () => 0.5).action, "give-up");
    const next = retryPolicy(after(tries, kind, { fallbacksLeft: 1 }), () => 0.5).action;
    assert.equal(next, fallback ? "fallback" : "give-up");
  });
}

test("Retry-After is honoured, with jitter on top so that a herd does not come back together", () => {
  const limited = situation(failure("rate-limited", { retryAfterMs: 30_000 }));
  const waits = [0, 0.5, 1].map((random) => retryPolicy(limited, () => random));
  assert.deepEqual(waits, [
    { action: "retry", delayMs: 30_000 },
    { action: "retry", delayMs: 31_000 },
    { action: "retry", delayMs: 32_000 },
  ]);
});

test("waits grow with full jitter, unless the provider's rate limiter does the waiting", () => {
  const waits = (kind: FailureKind, tries: number[]) =>
    tries
      .map((tried) => retryPolicy(after(tried, kind), () => 1))
      .map((wait) => wait.action === "retry" && wait.delayMs);
  assert.deepEqual(waits("overloaded", [1, 2, 3, 4]), [1_000, 2_000, 4_000, 8_000]);
  assert.deepEqual(waits("rate-limited", [1, 2, 7]), [2_000, 2_000, 2_000]);
});

test("a step does not keep failing for longer than ten minutes, whatever delay it gets", () => {
  const limited = failure("rate-limited", { retryAfterMs: 3_600_000 });
  assert.equal(retryPolicy(situation(limited), () => 0).action, "give-up");
  assert.equal(retryPolicy(situation(limited, { fallbacksLeft: 2 }), () => 0).action, "fallback");
  assert.equal(retryPolicy(after(1, "network", { failingForMs: 600_001 }), () => 0).action, "give-up");
});

test("another key is used at once and does not count as a try, whatever was tried before", () => {
  const another = { keys: { another: true } } as const;
  for (const kind of ["rate-limited", "quota-exhausted", "unauthorized"] as const)
    assert.deepEqual(
      retryPolicy(after(20, kind, { ...another, failingForMs: 700_000 }), () => 1),
      { action: "next-key" },
    );
});

test("if all keys are cooling down, the one that is available first determines the wait and its reason", () => {
  const keys = { another: false, backInMs: 5_000, kind: "rate-limited" } as const;
  const quota = situation(failure("quota-exhausted", { retryAfterMs: 3_600_000 }), { keys, fallbacksLeft: 1 });
  assert.deepEqual(
    retryPolicy(quota, () => 0),
    { action: "retry", delayMs: 5_000 },
  );
  const refused = { another: false, backInMs: Number.POSITIVE_INFINITY, kind: "unauthorized" } as const;
  assert.deepEqual(
    retryPolicy({ ...quota, keys: refused }, () => 0),
    { action: "fallback" },
  );
});
