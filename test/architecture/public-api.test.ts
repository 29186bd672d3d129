/** The public API changes only on purpose. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { API_FILE, publicApi } from "./public-api.ts";

test("the public API is the one that was last agreed on", () => {
  assert.deepEqual(
    publicApi().split("\n"),
    readFileSync(API_FILE, "utf8").split("\n"),
    "The public API differs. Where that is meant, say so in CHANGELOG.md and write it down (npm run api)",
  );
});
