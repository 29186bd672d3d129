/** A child's conversation as users read it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { transcriptOf } from "../../src/run/transcript.ts";

for (const [target, shown] of [
  ["l\u0455 -a", "lѕ\\u{455} -a"],
  ["echo \u3164 x", "echo \\u{3164} x"],
  ["cat a\u202etxt", "cat a\\u{202e}txt"],
  ["git status", "git status"],
] as const)
  test(`a request in a transcript spells out what is not ASCII: ${shown}`, () => {
    const about = { at: 0, delegationId: "run1", childId: "run1.1", callId: "c" };
    const event = { kind: "approval-ask", ...about, name: "terminal", target, directory: "/a\u200bb" } as const;
    assert.deepEqual(transcriptOf([event]), [{ who: "asks to run terminal in /a\\u{200b}b", text: shown }]);
  });
