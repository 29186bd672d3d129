import assert from "node:assert/strict";
import { test } from "node:test";
import { formatTotalUsd } from "../src/text/money.ts";

test("a total names the part that is known, and says that another is not", () => {
  assert.equal(formatTotalUsd(0.0017, true), "$0.0017");
  assert.equal(formatTotalUsd(0.0017, false), "$0.0017 + unknown");
  assert.equal(formatTotalUsd(0, false), "cost unknown");
});
