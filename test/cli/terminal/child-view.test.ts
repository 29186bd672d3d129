import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createChildView } from "../../../src/cli/terminal/child-view.ts";
import type { Event } from "../../../src/event.ts";

const about = { at: 0, delegationId: "run", childId: "run.2" };

describe("stepping into a child", () => {
  test("arrows choose among the open children, Enter opens one, and Escape goes back step by step", () => {
    const view = createChildView();
    const open = ["run.1", "run.2", "run.3"];
    view.onKey("enter", open);
    assert.deepEqual([view.chosen, view.opened], [undefined, undefined]);
    view.onKey("down", open);
    view.onKey("down", open);
    view.onKey("enter", open);
    assert.deepEqual([view.chosen, view.opened], ["run.2", "run.2"]);
    view.onKey("up", open);
    assert.equal(view.opened, "run.1");
    view.onKey("up", open);
    assert.equal(view.chosen, "run.3");
    view.onKey("escape", open);
    assert.deepEqual([view.chosen, view.opened], ["run.3", undefined]);
    view.onKey("escape", open);
    assert.equal(view.chosen, undefined);
  });

  test("shows the end of its text and calls, without any control character", () => {
    const view = createChildView();
    view.onEvent({ ...about, kind: "text-delta", text: "I look\x1b[2J around.\nThen I test." } as Event);
    view.onEvent({
      ...about,
      kind: "tool-start",
      step: 1,
      callId: "a",
      name: "terminal",
      target: "npm\x07 test",
      effect: "write",
    } as Event);
    view.onEvent({ ...about, kind: "text-delta", text: "It passes, ".repeat(3) } as Event);
    view.onKey("down", ["run.2"]);
    assert.deepEqual(view.rows(24, 4), [
      "Then I test.",
      "· terminal: npm\\x07 test",
      "It passes, It passes, It",
      "passes,",
    ]);
    assert.deepEqual(view.rows(24, 0), []);
  });

  test("says what was searched, and shows the last lines that a command printed", () => {
    const view = createChildView();
    const end = { ...about, kind: "tool-end", callId: "a", ok: true, outcome: "ran", filesChanged: [], durationMs: 10 };
    const searched = "TODO\x1b[2J";
    view.onEvent({ ...about, kind: "tool-start", callId: "a", name: "grep", target: "src", searched, effect: "read" });
    view.onEvent({ ...end, name: "terminal", target: "seq 20", text: "1\n2\n18\n19\x07\n20\n" } as Event);
    view.onKey("down", ["run.2"]);
    assert.deepEqual(view.rows(60, 9), [
      '· grep "TODO\\u001b[2J" in src',
      "· terminal ok (14 bytes in 0.0s)",
      "  │ 18",
      "  │ 19\\x07",
      "  │ 20",
    ]);
  });
});
