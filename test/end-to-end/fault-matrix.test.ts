/** The fault matrix: every fault, in every API mode, is handled as the table says, for the program and its user. */
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { RETRY_RULES } from "../../src/engine/limits/retry-policy.ts";
import type { Result } from "../../src/result.ts";
import { API_MODES } from "../../src/route.ts";
import { type Cost, caseIn, FAULT_MATRIX, type FaultCase } from "../support/fault-matrix.ts";
import { type Met, type Played, playMatrix } from "../support/fault-matrix-play.ts";

describe("the fault matrix", { timeout: 110_000 }, () => {
  let played: Played[] = [];
  before(async () => {
    played = await Promise.all(API_MODES.map(playMatrix));
  });

  for (const [index, apiMode] of API_MODES.entries()) {
    for (const [name, fault] of Object.entries(FAULT_MATRIX)) {
      const expected = caseIn(fault, apiMode);
      test(`over ${apiMode}: ${name}: ${expected.kind ?? "the child continues"}`, () => {
        const { alone, rescued, stderr } = played[index] ?? assert.fail();
        const [one, other] = [alone[name], rescued[name]];
        assert.ok(one && other);
        if (expected.kind === undefined) for (const met of [one, other]) checkGoesOn(met, expected);
        else {
          checkFails(one, expected, stderr);
          checkIsRescued(other, expected);
        }
      });
    }

    test(`over ${apiMode}: nothing hangs, and no server got an unexpected request`, () => {
      const { exitCode, inFlight, scriptErrors } = played[index] ?? assert.fail();
      assert.deepEqual({ exitCode, inFlight, scriptErrors }, { exitCode: 1, inFlight: 0, scriptErrors: [] });
    });
  }
});

function checkGoesOn({ result, requests }: Met, { words, cost }: FaultCase): void {
  assert.equal(result.status, "completed", result.error?.message);
  assert.equal(result.api_calls, words === undefined ? 1 : 2);
  if (words !== undefined) assert.ok(requests[1]?.messages.at(-1)?.toolResults[0]?.text.includes(words));
  assert.equal(costSaid(result), cost);
}

function checkFails({ result, requests }: Met, expected: FaultCase, stderr: string): void {
  const { answer, kind = assert.fail(), words = assert.fail(), cost, partial } = expected;
  assert.equal(result.status, "failed");
  assert.equal(result.error && "kind" in result.error && result.error.kind, kind);
  assert.ok(result.error?.message.includes(words), result.error?.message);
  const place = new RegExp(`^✗ \\[ *${result.task_index + 1}/`);
  const line = stderr.split("\n").find((text) => place.test(text)) ?? "";
  assert.ok(line.includes(`failed: ${kind} – `) && line.includes(words), line);
  assert.equal(result.api_calls, RETRY_RULES[kind].tries);
  if (answer !== "nobody") assert.equal(requests.length, result.api_calls, "what the server saw is what is told");
  assert.equal(costSaid(result), cost);
  assert.equal(result.summary !== "", partial === true, result.summary);
  checkWaits(
    requests.map(({ at }) => at),
    answer,
  );
}

function checkIsRescued({ result }: Met, { kind = assert.fail(), cost }: FaultCase): void {
  assert.equal(result.status, "completed", result.error?.message);
  assert.equal(result.summary, "rescued");
  assert.equal(result.route?.fallback_used, true);
  const { tries } = RETRY_RULES[kind];
  const told = result.route?.attempts.map(({ model, requests, failures }) => [model, requests, failures]);
  assert.deepEqual(told, [
    ["m", tries, Array.from({ length: tries }, () => kind)],
    ["s", 1, []],
  ]);
  assert.ok((result.cost_usd ?? 0) > 0);
  assert.equal(result.cost_status, cost === "none" || cost === "told" ? "known" : "estimated");
}

function costSaid({ cost_usd, cost_status }: Result): Cost | undefined {
  if (cost_status === "unknown") return cost_usd === null ? "maybe" : undefined;
  if (cost_status === "estimated") return "so far";
  return cost_usd === 0 ? "none" : "told";
}

/** A `Retry-After` is waited for, with jitter added. */
function checkWaits(times: number[], answer: FaultCase["answer"]): void {
  if (answer === "nobody" || answer.fault?.kind !== "rate-limited") return;
  const { retryAfter = 0 } = answer.fault;
  for (const [index, at] of times.slice(1).entries()) {
    const earliest = retryAfter instanceof Date ? retryAfter.getTime() : (times[index] ?? 0) + retryAfter * 1000;
    assert.ok(at >= earliest, `request ${index + 2} came ${earliest - at} ms too early`);
  }
}
