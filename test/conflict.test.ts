/** Conflicts of children, as each of them sees them, and in words. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type ConflictFile, conflictInWords, conflictsOf, type SiblingConflict } from "../src/conflict.ts";

const hunk = { start: 10, lines: 5, their_start: 12, their_lines: 1 };
const file: ConflictFile = { path: "src/a.ts", kind: "content", hunks: [hunk] };

test("each of two children sees the conflict with its own lines first", () => {
  const all: SiblingConflict[] = [{ children: ["r.1", "r.3"], files: [file], more_files: 2 }];
  assert.deepEqual(conflictsOf("r.1", all), [{ child_id: "r.3", files: [file], more_files: 2 }]);
  const turned = { start: 12, lines: 1, their_start: 10, their_lines: 5 };
  assert.deepEqual(conflictsOf("r.3", all), [
    { child_id: "r.1", files: [{ ...file, hunks: [turned] }], more_files: 2 },
  ]);
  assert.deepEqual(conflictsOf("r.2", all), []);
});

test("is told with its lines, or with the reason", () => {
  const told = (change: Partial<ConflictFile>) => conflictInWords({ ...file, ...change });
  assert.deepEqual(
    [
      told({}),
      told({ hunks: [{ ...hunk, lines: 1 }, hunk] }),
      told({ hunks: [{ ...hunk, lines: 0 }], more_hunks: 3 }),
      told({ kind: "deleted", hunks: [] }),
    ],
    [
      "src/a.ts lines 10–14",
      "src/a.ts line 10 and 1 more place",
      "src/a.ts after line 10 and 3 more places",
      "src/a.ts (one deletes what the other changes)",
    ],
  );
});
