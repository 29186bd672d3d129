/** The key that each request leases over time: on the test's clock, without requests. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Failure, FailureKind } from "../../../src/errors.ts";
import { createPool } from "../../../src/routing/keys/key-pool.ts";
import { commandKeySource, fixedKeySource } from "../../../src/routing/keys/key-source.ts";
import { Secret } from "../../../src/secret.ts";
import { createFakeClock } from "../../../src/testing/index.ts";

const ORIGIN = "https://api.example";
const never = new AbortController().signal;
const failure = (kind: FailureKind, retryAfterMs?: number): Failure => ({
  kind,
  message: kind,
  ...(retryAfterMs !== undefined && { retryAfterMs }),
});

function poolOf(...names: string[]) {
  const clock = createFakeClock();
  const sources = names.map((name) => ({ name, secret: new Secret(`key ${name}`, name, ORIGIN) }));
  const pool = createPool(sources, ({ name }) => fixedKeySource(new Secret(`key ${name}`, name, ORIGIN)), clock);
  const lease = () => pool.lease(() => ({ headers: {}, redact: String }), never);
  /** One request after another, each answered at once or failing in this way. */
  async function ask(last?: Failure): Promise<string | undefined> {
    const { keyName, release } = await lease();
    release(last);
    return keyName;
  }
  return { clock, lease, ask };
}

describe("a pool leases", () => {
  test("the key with the fewest requests in flight, and of several the least recently used", async () => {
    const { lease } = poolOf("a", "b", "c");
    const leases = [await lease(), await lease(), await lease()];
    assert.deepEqual(
      leases.map(({ keyName }) => keyName),
      ["a", "b", "c"],
    );
    leases[1]?.release();
    assert.equal((await lease()).keyName, "b");
    leases[2]?.release();
    leases[0]?.release();
    assert.deepEqual([(await lease()).keyName, (await lease()).keyName], ["a", "c"]);
  });

  const rests: [why: string, Failure, restMs: number][] = [
    ["a limit, as long as the provider says", failure("rate-limited", 3_000), 3_000],
    ["a limit without a time, ten seconds", failure("rate-limited"), 10_000],
    ["a used-up quota, until its reset", failure("quota-exhausted", 7_200_000), 7_200_000],
    ["a used-up quota without one, an hour", failure("quota-exhausted"), 3_600_000],
  ];
  for (const [why, last, restMs] of rests)
    test(`no key that is cooling down: after ${why}`, async () => {
      const { clock, ask } = poolOf("a", "b");
      assert.equal(await ask(last), "a");
      await clock.advance(restMs - 1);
      assert.deepEqual([await ask(), await ask()], ["b", "b"]);
      await clock.advance(1);
      assert.equal(await ask(), "a");
    });

  test("no key again that the provider has refused", async () => {
    const { clock, ask } = poolOf("a", "b");
    await ask(failure("unauthorized"));
    await clock.advance(365 * 24 * 3_600_000);
    assert.deepEqual([await ask(), await ask()], ["b", "b"]);
  });

  test("a key in spite of failures that no key has to do with", async () => {
    const { ask } = poolOf("a", "b");
    assert.deepEqual([await ask(failure("overloaded", 9_000)), await ask(), await ask()], ["a", "b", "a"]);
  });

  test("if all are cooling down, the one that is available first; a success ends its cooldown", async () => {
    const { ask } = poolOf("a", "b");
    await ask(failure("unauthorized"));
    await ask(failure("rate-limited", 60_000));
    assert.deepEqual([await ask(), await ask()], ["b", "b"]);
    assert.equal(await ask(failure("rate-limited", 60_000)), "b");
    assert.equal(await ask(failure("unauthorized")), "b");
    assert.equal(await ask(), "a", "of two that are refused the one that was used longest ago");
  });

  test("no key that is cooling down, even after a success of a request from before", async () => {
    const { lease, ask } = poolOf("a", "b");
    const early = await lease();
    await ask();
    const late = await lease();
    assert.deepEqual([early.keyName, late.keyName], ["a", "b"]);
    const same = await lease();
    same.release(failure("rate-limited", 60_000));
    early.release();
    late.release();
    assert.deepEqual([same.keyName, await ask(), await ask()], ["a", "b", "b"]);
  });
});

test("after a failure, a pool offers another key, or reports when and why the first one is available", async () => {
  const { lease } = poolOf("a", "b");
  const fail = async (last: Failure, tried: number) => {
    const { release, availability } = await lease();
    release(last);
    return availability(last, tried);
  };
  assert.deepEqual(await fail(failure("overloaded", 5), 0), {
    another: false,
    backInMs: 5,
    isTold: true,
    kind: "overloaded",
  });
  assert.deepEqual(await fail(failure("rate-limited", 8_000), 0), { another: true });
  const back = { another: false, backInMs: 8_000, isTold: true, kind: "rate-limited" };
  assert.deepEqual(await fail(failure("quota-exhausted"), 1), back);
});

test("a request waits as long as its own key requires, however long that key's cooldown is", async () => {
  const { lease } = poolOf("a", "b");
  const [other, own] = [await lease(), await lease()];
  other.release(failure("quota-exhausted"));
  own.release(failure("quota-exhausted"));
  // Another model of the same provider has its own quota.
  const { keyName, release, availability } = await lease();
  release(failure("rate-limited", 2_000));
  assert.equal(keyName, "a");
  const soon = { another: false, backInMs: 2_000, isTold: true, kind: "rate-limited" };
  assert.deepEqual(availability(failure("rate-limited", 2_000), 0), soon);
});

describe("a command", () => {
  const keyOf = (script: string) => ({ name: "cmd", argv: ["/bin/sh", "-c", script], origin: ORIGIN });

  test("has half a minute to print its key", async () => {
    const clock = createFakeClock();
    const supplied = commandKeySource(keyOf("echo early; sleep 60"), () => ({}), clock).get(never);
    await clock.advance(29_999);
    assert.equal(clock.pending, 1);
    await clock.advance(1);
    const answer = await supplied;
    assert.match("failure" in answer ? answer.failure.message : "", /^No key: cmd took longer than 30 s\./);
  });

  test("is asked for another key at most once a minute", async () => {
    const clock = createFakeClock();
    const supply = commandKeySource(keyOf("echo some-key"), () => ({}), clock);
    const get = async () => {
      const answer = await supply.get(never);
      assert.ok("secret" in answer);
      return answer.secret;
    };
    const first = await get();
    assert.equal(supply.refresh(first), true);
    const second = await get();
    assert.notEqual(second, first);
    assert.equal(supply.refresh(first), true, "the one it was refused with is not the newest any more");
    assert.equal(await get(), second);
    assert.equal(supply.refresh(second), false);
    await clock.advance(60_000);
    assert.equal(supply.refresh(second), true);
  });

  test("that cannot be run is reported with the reason", async () => {
    for (const argv of [["/no/such/program"], ["nul\0byte"]]) {
      const supply = commandKeySource({ ...keyOf(""), argv }, () => ({}), createFakeClock());
      const answer = await supply.get(never);
      assert.match(
        "failure" in answer ? answer.failure.message : "",
        /cmd cannot be run \((ENOENT|ERR_INVALID_ARG_VALUE)\)/,
      );
    }
  });
});
