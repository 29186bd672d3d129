/** The log of bugs in Deputy. */
import assert from "node:assert/strict";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { systemClock } from "../../../src/clock.ts";
import { createErrorLog } from "../../../src/engine/setup/error-log.ts";
import { temporaryDirectory } from "../../support/command-line.ts";

test("the error log keeps each stack with its time and place, for its owner alone", () => {
  const path = join(temporaryDirectory(after), "state", "errors.log");
  const log = createErrorLog(path, { ...systemClock, now: () => 0 });
  log("abc.1", new TypeError("first"));
  log("abc.2 read_file", "second");
  const text = readFileSync(path, "utf8");
  assert.match(text, /^1970-01-01T00:00:00\.000Z abc\.1: TypeError: first\n\s+at .*error-log\.test/);
  assert.match(text, /abc\.2 read_file: second\n$/);
  assert.equal(statSync(path).mode & 0o777, 0o600);
});

test("a large error log begins anew, and keeps the last one", () => {
  const path = join(temporaryDirectory(after), "errors.log");
  writeFileSync(path, "x".repeat(1_000_001));
  createErrorLog(path, systemClock)("abc.1", new Error("fresh"));
  assert.ok(statSync(path).size < 10_000);
  assert.equal(statSync(`${path}.old`).size, 1_000_001);
});

test("an error log that cannot be written costs nothing else", () => {
  const directory = temporaryDirectory(after);
  writeFileSync(join(directory, "file"), "");
  createErrorLog(join(directory, "file", "errors.log"), systemClock)("abc.1", new Error("lost"));
});
