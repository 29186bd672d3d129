import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createNotifier } from "../../../src/cli/terminal/notification.ts";
import { configSchema } from "../../../src/config-schema.ts";
import type { Event } from "../../../src/event.ts";
import { foldRun } from "../../../src/run/run.ts";
import { ready } from "../../support/child-stage.ts";

const { notify } = configSchema.parse({});

/** A run of three tasks that nobody has worked on. */
const run = foldRun(undefined, {
  kind: "delegation-start",
  at: 0,
  delegationId: "abc",
  surface: "cli",
  warnings: [],
  planned: ["\x07one", "two", "three"].map((goal) => ready({ task: { goal } })),
  call: { tasks: ["\x07one", "two", "three"].map((goal) => ({ goal })) },
} as Event);

function stage(env: Record<string, string>, isTTY = true, settings = notify) {
  let written = "";
  const output = { isTTY, write: (text: string) => (written += text) };
  return { notifier: createNotifier(output, env, settings), written: () => written };
}

describe("the notification at a terminal", () => {
  test("rings the bell and names the child that waits for approval", () => {
    const { notifier, written } = stage({ TERM: "xterm-256color" });
    notifier.asked("abc.2");
    assert.equal(written(), "\x07\x1b]9;Deputy: abc.2 waits for your approval\x07");
  });

  test("announces the end of a run only if it took long", () => {
    const { notifier, written } = stage({ TERM: "xterm-256color" });
    notifier.ended(run, 19_999);
    assert.equal(written(), "");
    notifier.ended(run, 20_000);
    assert.equal(written(), "\x07\x1b]9;Deputy: 0 of 3 tasks completed, the run was stopped\x07");
  });

  for (const TERM of ["dumb", "linux"])
    test(`only rings where a sequence would be printed: TERM=${TERM}`, () => {
      const { notifier, written } = stage({ TERM });
      notifier.asked("abc.1");
      assert.equal(written(), "\x07");
    });

  test("passes through tmux", () => {
    const { notifier, written } = stage({ TERM: "screen-256color", TMUX: "/run/tmux,1,0" });
    notifier.asked("abc.1");
    assert.equal(written(), "\x07\x1bPtmux;\x1b\x1b]9;Deputy: abc.1 waits for your approval\x07\x1b\\");
  });

  test("writes nothing to a pipe, and nothing if it is turned off", () => {
    const off = { ...notify, bell: false };
    for (const { notifier, written } of [stage({}, false), stage({ TERM: "xterm" }, true, off)]) {
      notifier.asked("abc.1");
      notifier.ended(run, 60_000);
      assert.equal(written(), "");
    }
  });
});
