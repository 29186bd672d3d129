/** `deputy approve` never looks as if it had decided when it only lists. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { formatDecision } from "../../../src/cli/commands/approve.ts";
import type { Answered } from "../../../src/engine/engine.ts";
import { says } from "../../support/child-stage.ts";
import { deputy } from "../../support/command-line.ts";

describe("deputy approve without a child", () => {
  for (const decision of [
    ["--deny"],
    ["--yes"],
    ["--reason", "no"],
    ["--request", "3f9a2b1c04de"],
    ["--call", "call_1"],
  ])
    test(`decides nothing with ${decision.join(" ")}, and fails`, async () => {
      const { code, stdout, stderr } = await deputy(["approve", ...decision], { script: async () => says("") });
      assert.deepEqual([code, stdout], [2, ""]);
      assert.match(stderr, new RegExp(`Expected the child .*${decision[0]}.* or --all; .*Nothing was decided`));
    });

  test("lists what is pending", async () => {
    for (const more of [[], ["--json"]]) {
      const { code, stdout } = await deputy(["approve", ...more], { script: async () => says("") });
      assert.deepEqual([code, stdout], [0, more.length === 0 ? "No approval requests are pending.\n" : "[]\n"]);
    }
  });
});

describe("a decision that came too late", () => {
  const question = {
    delegationId: "7f3a",
    childId: "7f3a.1",
    goal: "Look",
    callId: "c",
    request: "3f9a2b1c04de",
    toolName: "terminal",
    target: "ls",
    directory: "/work",
    step: 1,
    askedAt: 0,
  };
  const plain = (_style: unknown, text: string) => text;
  const told = (end: Answered["end"]) => formatDecision({ question, counted: false, end }, true, plain);

  for (const [by, allowed, reason, words] of [
    ["terminal (alice)", false, "denied in the terminal", "denied by terminal (alice)"],
    ["terminal (alice)", false, "denied in the terminal: use pnpm.", "denied by terminal (alice): use pnpm"],
    ["deputy approve (alice)", false, "denied with deputy approve", "denied by deputy approve (alice)"],
    ["deputy approve (alice)", false, "Ask me: tomorrow", "denied by deputy approve (alice): Ask me: tomorrow"],
    ["terminal (alice)", true, "allowed in the terminal for this run", "allowed by terminal (alice)"],
    ["timeout", false, "nobody answered within 300 s.", "denied by timeout: nobody answered within 300 s"],
    ["nobody", false, "the request could not be shown: EPIPE", "denied: the request could not be shown: EPIPE"],
  ] as const)
    test(`says once that it was ${words}`, () => {
      assert.equal(told({ allowed, by, reason }), `Too late: it was already ${words}.\n`);
    });

  test("says so if nothing is known of it", () => {
    assert.equal(told(undefined), "Too late: 7f3a.1 no longer has this request. See deputy show 7f3a.1.\n");
  });
});
