import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { formatTotalCost } from "../../../src/cli/terminal/format.ts";
import { oneLine } from "../../../src/cli/terminal/terminal-text.ts";

describe("a total of costs", () => {
  const known = { usd: 0.001, status: "known" } as const;
  const estimated = { usd: 0.0007, status: "estimated" } as const;
  const unknown = { usd: null, status: "unknown" } as const;
  const cases: [string, Parameters<typeof formatTotalCost>[0]][] = [
    ["$0.0020", [known, known]],
    ["~$0.0017", [known, estimated]],
    ["$0.0010 + unknown", [known, unknown]],
    ["~$0.0017 + unknown", [known, estimated, unknown]],
    ["cost unknown", [unknown]],
    ["$0.0000", []],
  ];
  for (const [expected, costs] of cases) test(`says ${expected}`, () => assert.equal(formatTotalCost(costs), expected));
});

test("a text that is cut to one line says so", () => {
  assert.equal(oneLine("x".repeat(2001)), `${"x".repeat(2000)}…`);
  assert.equal(oneLine("x".repeat(2000)), "x".repeat(2000));
});
