/** Which usage reports count: those that are possible for the request. Similar honest reports are counted. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { plausibleUsage } from "../../../../src/child/wire/reply/usage.ts";
import { calls, fails, play, says, tool } from "../../../support/child-stage.ts";

const ASKED = { inputTokens: 500, outputTokens: 4_000, saidTokens: 0, heardCharacters: 20 };
const usage = (more: object) => ({ input: 500, output: 100, cached: 0, reasoning: 0, ...more });

describe("a usage is counted", () => {
  const HONEST: Record<string, object> = {
    "of a short prompt behind a gateway that adds 8,000 tokens": { input: 8_500 },
    "of a text of which each character is three tokens": { input: 4_500 },
    "of an answer that goes on past its limit": { output: 6_000 },
    "of reasoning that is not in the output": { output: 50, reasoning: 3_900 },
    "of a prompt that was cached whole": { cached: 500 },
  };
  for (const [what, more] of Object.entries(HONEST))
    test(what, () => assert.deepEqual(plausibleUsage(usage(more), ASKED), usage(more)));

  test("of cached tokens next to the input, which are input too", () =>
    assert.deepEqual(plausibleUsage(usage({ input: 20, cached: 480 }), ASKED), usage({ input: 500, cached: 480 })));

  test("of reasoning from earlier steps that goes back unseen", () =>
    assert.ok(plausibleUsage(usage({ input: 60_000 }), { ...ASKED, saidTokens: 50_000 })));

  test("of an answer that arrived, however long", () =>
    assert.ok(plausibleUsage(usage({ output: 60_000 }), { ...ASKED, heardCharacters: 240_000 })));
});

test("a usage that cannot be true is not counted, whichever of its counts it is", () => {
  const nonsense = fc.oneof(
    fc.constantFrom(-1, -500_000, 1.5, Number.NaN, Infinity, -Infinity, 1e308, Number.MAX_SAFE_INTEGER),
    fc.integer({ min: 100_000 }),
    fc.integer({ max: -1 }),
  );
  fc.assert(
    fc.property(fc.constantFrom("input", "output", "cached", "reasoning"), nonsense, (name, count) => {
      assert.equal(plausibleUsage(usage({ [name]: count }), ASKED), undefined);
    }),
  );
});

test("a request with an impossible usage counts its reservation, and the child reports that once", async () => {
  const settled: (number | "worst")[] = [];
  const reserve = async () => ({
    reservedUsd: 0.5,
    commit: (usd: number) => void settled.push(usd),
    commitWorstCase: () => void settled.push("worst"),
    release: () => {},
  });
  const lies = { usage: { input: -500_000, output: 5, cached: 0, reasoning: 0 } };
  const wanted = calls(["look", { word: "x" }]);
  const replies = [
    { ...wanted, ...lies },
    { ...says("done"), ...lies },
  ];
  const { result, stored } = await play(replies, {
    tools: [tool("look", "read", () => "seen")],
    deps: { reserve, price: () => -5 },
  });
  assert.equal(result.status, "completed");
  assert.deepEqual(settled, ["worst", "worst"]);
  assert.deepEqual([result.cost_usd, result.cost_status], [1, "estimated"]);
  assert.deepEqual(
    result.warnings.map(({ code }) => code),
    ["usage-implausible"],
  );
  assert.match(result.warnings[0]?.message ?? "", /glm-4\.7 @ zai reported .*\(input -500000, output 5/);
  assert.ok(stored.every((event) => !("usage" in event)));
});

test("so does a request that breaks off after nonsense was reported of it", async () => {
  const reserve = async () => ({ reservedUsd: 0.5, commit: () => {}, commitWorstCase: () => {}, release: () => {} });
  const nonsense = { input: 1e308, output: 5, cached: 0, reasoning: 0 };
  const { result } = await play([fails("network", { usage: nonsense, usageSoFar: true, charged: true })], {
    deps: { reserve },
  });
  assert.deepEqual([result.cost_usd, result.cost_status], [0.5, "estimated"]);
});

test("without a budget nothing is reserved, and the cost of such a request is unknown, never 0", async () => {
  const lies = says("done", { usage: { input: 1, output: Infinity, cached: 0, reasoning: 0 } });
  const { result } = await play([lies]);
  assert.deepEqual([result.cost_usd, result.cost_status], [null, "unknown"]);
});
