/** `deputy approve` never looks as if it had decided when it only lists. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
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
