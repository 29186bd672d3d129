/** Undefined fields are omitted; all others keep their value and position. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Present, present } from "../src/values/present.ts";

test("fields that are undefined are left out, and only they", () => {
  const fields = present({ nothing: undefined, no: false, none: 0, empty: "", nil: null, list: [] });
  assert.deepEqual(Object.keys(fields), ["no", "none", "empty", "nil", "list"]);
});

test("fields keep their order, which is that of the stored bytes", () => {
  const given: { c?: string; b?: number } = { c: "c" };
  assert.equal(JSON.stringify(present({ z: 1, c: given.c, b: given.b, a: 2 })), '{"z":1,"c":"c","a":2}');
});

test("a field that may be undefined is optional, and no other one is", () => {
  const effort = "high" as "high" | undefined;
  const wish: { kind: "wish"; effort?: "high" } = present({ kind: "wish", effort });
  const exact: Present<{ kind: "wish"; effort: "high" | undefined }> = wish;
  assert.deepEqual(exact, { kind: "wish", effort: "high" });
  // @ts-expect-error `kind` may be undefined.
  const wrong: { kind: "wish" } = present({ kind: undefined as "wish" | undefined });
  assert.deepEqual(wrong, {});
});
