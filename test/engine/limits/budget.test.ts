import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Reservation, WorstCase } from "../../../src/child/worst-case.ts";
import { type Budget, createBudget, reserve, tryReserve } from "../../../src/engine/limits/budget.ts";
import { route } from "../../support/child-stage.ts";

const priced = route("zai", "glm-4.7", { facts: { price: { input: 1, output: 10 } } });
const worst =
  (inputTokens = 1_000, outputTokens = 4_000) =>
  () => ({ route: priced, inputTokens, outputTokens });
/** USD of a worst case: 1,000 × $1/M + 4,000 × $10/M. */
const WORST_USD = 0.041;

/** The amount available at once. */
function take(budgets: Budget[], worstOf: () => WorstCase, lastWords: boolean): Reservation | undefined {
  const reservation = tryReserve(budgets, worstOf, lastWords);
  return reservation === "held" ? undefined : reservation;
}

test("without a limit nothing is refused, and spending is still counted", () => {
  const budget = createBudget(undefined);
  const reservation = take([budget], worst(), false);
  assert.equal(reservation?.maxOutputTokens, undefined);
  reservation?.commit(0.5);
  assert.equal(budget.spentUsd, 0.5);
});

test("a request that fits is held at its worst case and settled at what it cost", () => {
  const budget = createBudget(1);
  const reservation = take([budget], worst(), false);
  assert.equal(reservation?.maxOutputTokens, 4_000);
  assert.equal(budget.reservedUsd.toFixed(3), WORST_USD.toFixed(3));
  reservation?.commit(0.01);
  reservation?.release();
  assert.deepEqual([budget.spentUsd, budget.reservedUsd], [0.01, 0]);
});

test("a request that never cost anything gives everything back", () => {
  const budget = createBudget(1);
  take([budget], worst(), false)?.release();
  assert.deepEqual([budget.spentUsd, budget.reservedUsd], [0, 0]);
});

test("what was charged and not counted by anyone counts at the worst case", () => {
  const budget = createBudget(1);
  const reservation = take([budget], worst(), false);
  reservation?.commitWorstCase();
  reservation?.release();
  assert.equal(budget.spentUsd.toFixed(3), WORST_USD.toFixed(3));
});

test("a small rest shortens the answer instead of refusing it, and leaves room for last words", () => {
  const budget = createBudget(0.03);
  const reservation = take([budget], worst(), false);
  assert.ok(
    reservation?.maxOutputTokens !== undefined &&
      reservation.maxOutputTokens >= 1_000 &&
      reservation.maxOutputTokens < 4_000,
  );
  assert.ok(budget.reservedUsd < 0.03 - 0.003, "last words were not left room for");
});

test("where no useful answer fits, only last words may be asked for, and where not those, nothing", () => {
  const poor = createBudget(0.008);
  assert.equal(take([poor], worst(), false), undefined);
  assert.ok(take([poor], worst(), true) !== undefined);
  assert.equal(take([createBudget(0.001)], worst(), true), undefined);
});

test("the tightest of several limits counts, and no limit is charged if one refuses", () => {
  const rich = createBudget(100);
  const poor = createBudget(0.0001);
  assert.equal(take([rich, poor], worst(), false), undefined);
  assert.equal(rich.reservedUsd, 0);
});

test("however requests come and end, spent and held never exceed the limit, and nothing stays held", () => {
  const request = fc.record({
    input: fc.integer({ min: 1, max: 5_000 }),
    output: fc.integer({ min: 300, max: 8_000 }),
    lastWords: fc.boolean(),
    share: fc.double({ min: 0, max: 1, noNaN: true }),
    end: fc.constantFrom("settle", "worst", "release"),
    wait: fc.nat(5),
  });
  fc.assert(
    fc.property(
      fc.array(request, { maxLength: 40 }),
      fc.double({ min: 0.001, max: 0.5, noNaN: true }),
      (all, limit) => {
        const budget = createBudget(limit);
        const open: { hold: Reservation; usd: number; end: string; wait: number }[] = [];
        const close = (entry: (typeof open)[number]) => {
          if (entry.end === "settle") entry.hold.commit(entry.usd);
          if (entry.end === "worst") entry.hold.commitWorstCase();
          entry.hold.release();
        };
        for (const { input, output, lastWords, share, end, wait } of all) {
          const reservation = take([budget], worst(input, output), lastWords);
          assert.ok(
            budget.spentUsd + budget.reservedUsd <= limit + 1e-9,
            `${budget.spentUsd} + ${budget.reservedUsd} > ${limit}`,
          );
          const usd = (input * 1 + (reservation?.maxOutputTokens ?? 0) * share * 10) / 1_000_000;
          if (reservation !== undefined) open.push({ hold: reservation, usd, end, wait });
          for (const entry of open.filter((entry) => entry.wait-- <= 0))
            close(open.splice(open.indexOf(entry), 1)[0] ?? entry);
        }
        for (const entry of open) close(entry);
        assert.ok(Math.abs(budget.reservedUsd) < 1e-9);
        assert.ok(budget.spentUsd <= limit + 1e-9);
      },
    ),
  );
});

test("children with a shared and a separate budget never exceed either, in any order of requests", () => {
  const request = fc.record({
    child: fc.nat(4),
    input: fc.integer({ min: 1, max: 5_000 }),
    share: fc.double({ min: 0, max: 1, noNaN: true }),
    wait: fc.nat(6),
  });
  const usd = fc.double({ min: 0.001, max: 0.3, noNaN: true });
  fc.assert(
    fc.property(
      fc.array(request, { maxLength: 60 }),
      usd,
      fc.array(usd, { minLength: 5, maxLength: 5 }),
      (all, limit, own) => {
        const shared = createBudget(limit);
        const budgets = own.map((each) => createBudget(each));
        let open: { hold: Reservation; usd: number; wait: number }[] = [];
        for (const { child, input, share, wait } of all) {
          const mine = budgets[child];
          const reservation = mine && take([shared, mine], worst(input), false);
          // The reserved amount is the worst case.
          if (reservation !== undefined)
            open.push({
              hold: reservation,
              usd: (input + (reservation.maxOutputTokens ?? 0) * share * 10) / 1_000_000,
              wait,
            });
          for (const budget of [shared, ...budgets])
            assert.ok(budget.spentUsd + budget.reservedUsd <= (budget.limitUsd ?? 0) + 1e-9);
          for (const entry of open) if (entry.wait-- <= 0) entry.hold.commit(entry.usd);
          open = open.filter(({ wait: left }) => left >= 0);
        }
        for (const { hold: reservation } of open) reservation.release();
        const spent = budgets.reduce((sum, { spentUsd }) => sum + spentUsd, 0);
        assert.ok(Math.abs(spent - shared.spentUsd) < 1e-9 && Math.abs(shared.reservedUsd) < 1e-9);
      },
    ),
  );
});

test("where requests cost more than was thought, the limit is exceeded by no more than that, and nothing else leaves", () => {
  const budget = createBudget(0.1);
  const holds = Array.from({ length: 10 }, () => take([budget], worst(), false)).filter(
    (reservation) => reservation !== undefined,
  );
  for (const reservation of holds)
    reservation.commit(1.5 * ((1_000 + (reservation.maxOutputTokens ?? 0) * 10) / 1_000_000));
  assert.ok(holds.length > 1 && budget.spentUsd > 0.1 && budget.spentUsd <= 0.1 * 1.5 + 1e-9);
  assert.equal(take([budget], worst(), false), undefined);
  assert.equal(take([budget], worst(), true), undefined);
});

test("without a limit, the worst case is not computed", () => {
  const never = () => assert.fail("asked for the worst case");
  take([createBudget(undefined), createBudget(undefined)], never, false)?.release();
});

test("a request waits for money reserved by others, and gets what an ended request did not cost", async () => {
  const shared = createBudget(0.06);
  const first = take([shared], worst(), false);
  assert.equal(tryReserve([shared, createBudget(1)], worst(), false), "held");
  const second = reserve([shared, createBudget(1)], worst(), false, new AbortController().signal);
  const third = reserve([shared], worst(), false, new AbortController().signal);
  first?.commit(0.001);
  assert.equal((await second)?.maxOutputTokens, 4_000, "its answer was shortened by what another only held");
  assert.equal(shared.waiting.size, 1);
  (await second)?.commit(0.058);
  assert.equal(await third, undefined, "waited for money that is spent");
  assert.equal(shared.waiting.size, 0);
});

test("a stopped child stops waiting for money", async () => {
  const shared = createBudget(0.06);
  take([shared], worst(), false);
  const stop = new AbortController();
  const waiting = reserve([shared], worst(), false, stop.signal);
  stop.abort();
  assert.equal(await waiting, undefined);
  assert.equal(shared.waiting.size, 0);
});

test("whatever the limits, prices and costs, nobody waits if nothing is reserved", () => {
  const usd = fc.double({ min: 0, max: 0.2, noNaN: true });
  fc.assert(
    fc.property(fc.array(usd, { maxLength: 30 }), usd, fc.boolean(), (costs, limit, lastWords) => {
      const budgets = [createBudget(limit), createBudget(limit * 0.7)];
      for (const cost of costs) {
        const reservation = tryReserve(budgets, worst(), lastWords);
        assert.notEqual(reservation, "held");
        if (reservation !== undefined && reservation !== "held") reservation.commit(cost);
      }
    }),
  );
});
