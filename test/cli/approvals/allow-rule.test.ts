/** `--allow`: what it permits. Rules without effect, or with more effect than intended, are rejected. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseAllowRule } from "../../../src/cli/approvals/allow-rule.ts";
import { DeputyError } from "../../../src/errors.ts";

describe("--allow", () => {
  test("names a tool, or a tool and what it may do", () => {
    assert.deepEqual(parseAllowRule("terminal: npm test"), { tool: "terminal", match: "npm test", then: "allow" });
    assert.deepEqual(parseAllowRule(" terminal:git commit -m 'a: b' "), {
      tool: "terminal",
      match: "git commit -m 'a: b'",
      then: "allow",
    });
    assert.deepEqual(parseAllowRule("write_file"), { tool: "write_file", then: "allow" });
  });

  test("accepts * for several tools, if any match", () => {
    assert.deepEqual(parseAllowRule("*_file: src/*"), { tool: "*_file", match: "src/*", then: "allow" });
  });

  for (const written of [
    "",
    "  ",
    "terminal:",
    "terminal:  ",
    ": npm test",
    "npm test",
    "npm run: x",
    "termnal",
    "x*",
  ]) {
    test(`is refused with words where it is malformed: ${JSON.stringify(written)}`, () => {
      assert.throws(
        () => parseAllowRule(written),
        (error) =>
          error instanceof DeputyError && error.code === "usage" && error.message.includes("'terminal: npm test'"),
      );
    });
  }
});
