/** Tests do not wait for real time, and the checker detects it. */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { realSleeps } from "./real-sleeps.ts";

const MAX_MS = 50;

const tests = join(import.meta.dirname, "..");

/** Allowed where real programs run for some time. */
const SLOW = /^(end-to-end|stress|agents|clients|package)\/|^support\/end-to-end|\.slow\.test\.ts$/;

test(`a fast test sleeps at most ${MAX_MS} ms of real time`, () => {
  const sleeps = globSync("**/*.ts", { cwd: tests })
    .filter((path) => !SLOW.test(path))
    .flatMap((path) => realSleeps({ path, text: readFileSync(join(tests, path), "utf8") }, MAX_MS));
  assert.deepEqual(sleeps, [], "Wait for a condition (`until`), or pass a clock that the test moves.");
});

describe("the sleeps of a file", () => {
  const sleeps = (text: string) => realSleeps({ path: "a.ts", text }, MAX_MS);

  test("are found in every form", () => {
    const forms = [
      "await new Promise((resolve) => setTimeout(resolve, 51));",
      "await new Promise(function (done) { setTimeout(done, 51); });",
      'import { setTimeout } from "node:timers/promises";await setTimeout(51);',
      'import { setTimeout as sleep } from "node:timers/promises";await sleep(51, null);',
      "const PAUSE_MS = 51;await new Promise((r) => setTimeout(r, PAUSE_MS));",
      "await systemClock.sleep(51);",
    ];
    for (const form of forms) assert.deepEqual(sleeps(`\n${form}`), ["a.ts:2 sleeps 51 ms"], form);
  });

  test("exclude timers that take no real time, are short or end something", () => {
    const forms = [
      "await new Promise((resolve) => setTimeout(resolve, 50));",
      "await clock.sleep(60_000);",
      "const wait = (ms) => clock.advance(ms);await wait(300);",
      "await new Promise((_, reject) => setTimeout(() => reject(new Error()), 90_000));",
      "setTimeout(() => child.kill(), 5_000);",
    ];
    for (const form of forms) assert.deepEqual(sleeps(form), [], form);
  });
});
