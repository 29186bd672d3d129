/** Which lines of two changes of one base collide. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { conflictHunks, type LineChange } from "../../src/worktree/merge/conflict-hunks.ts";

/** `-3,2 +4,1`, as in the header of a diff. */
function change(header: string, text = header): LineChange {
  const [start = 0, count = 1, sideStart = 0, sideCount = 1] = [...header.matchAll(/\d+/g)].map(Number);
  return { base: { start, count }, side: { start: sideStart, count: sideCount }, text };
}

const found = (ours: LineChange[], theirs: LineChange[]) =>
  conflictHunks(ours, theirs).map(({ start, lines, their_start, their_lines }) => [
    start,
    lines,
    their_start,
    their_lines,
  ]);

test("changes of the same lines and of neighboring ones collide, others do not", () => {
  assert.deepEqual(found([change("-3,1 +3,1", "a")], [change("-3,1 +3,2", "b")]), [[3, 1, 3, 2]]);
  assert.deepEqual(found([change("-3,1 +3,1")], [change("-4,1 +4,1")]), [[3, 1, 4, 1]]);
  assert.deepEqual(found([change("-3,1 +3,1")], [change("-5,1 +5,1")]), []);
});

test("lines that are inserted or deleted have a place, too", () => {
  assert.deepEqual(found([change("-3,0 +4,2", "a")], [change("-3,0 +4,1", "b")]), [[4, 2, 4, 1]]);
  assert.deepEqual(found([change("-3,2 +2,0")], [change("-4,1 +4,1")]), [[2, 0, 4, 1]]);
});

test("the same change of both does not collide", () => {
  assert.deepEqual(found([change("-3,1 +3,1", "same")], [change("-3,1 +3,1", "same")]), []);
});

test("a long change collides once with all that it covers", () => {
  const theirs = [change("-4,1 +4,1", "x"), change("-8,1 +8,3", "y"), change("-30,1 +32,1", "z")];
  assert.deepEqual(found([change("-2,10 +2,1")], theirs), [[2, 1, 4, 7]]);
});
