/** The flag that a denied call is answered with: typed as it is shown, it allows that call and no other. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { describe, test } from "node:test";
import { decidePermission } from "../../../src/child/permissions.ts";
import { allowHint } from "../../../src/cli/approvals/allow-hint.ts";
import { parseAllowRule } from "../../../src/cli/approvals/allow-rule.ts";

/** The argument that a shell makes of the flag. */
function typed(hint: string): string {
  const [, flag = ""] = /^Allow it with: --allow (.*)$/s.exec(hint) ?? [];
  return execFileSync("sh", ["-c", `printf %s ${flag}`], { encoding: "utf8" });
}

function decide(rule: string, target: string) {
  const subject = { target, otherwise: "ask", isCommandLine: true } as const;
  return decidePermission([parseAllowRule(rule)], "deny", "terminal", subject).decision;
}

describe("the hint on a denied call", () => {
  for (const target of [
    "npm test",
    "echo 'it''s' \"$HOME\"",
    "a; b && $(c) `d` \\ !",
    "cat .env > out",
    "grep -r a: .",
  ]) {
    test(`names a flag that allows exactly it: ${target}`, () => {
      const rule = typed(allowHint("terminal", target));
      assert.equal(rule, `terminal: ${target}`);
      assert.equal(decide(rule, target), "allow");
      assert.equal(decide(rule, `${target} x`), "deny");
    });
  }

  for (const target of ["rm *", "a\nb", "a\u202eb", "rm а.txt", "a\u001b[2K", " spaced", "x".repeat(201), ""]) {
    test(`names no flag where that would allow more, or not be what was shown: ${JSON.stringify(target.slice(0, 20))}`, () => {
      assert.doesNotMatch(allowHint("terminal", target), /--allow /);
    });
  }
});
