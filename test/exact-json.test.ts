/** Numbers in JSON keep their digits, where JavaScript would round them. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { inspect } from "node:util";
import { ExactNumber, parseExactly } from "../src/text/exact-json.ts";

const EXACT = [
  "2512292042121000001",
  "-9007199254740993",
  "18446744073709551615",
  "1e400",
  "-1E+999",
  "1e-400",
  "-0",
  "-0.0",
  "3.14159265358979323846",
  "0.10000000000000000001",
  `1${"0".repeat(30)}1`,
];
const PLAIN = [
  "0",
  "1",
  "-1",
  "9007199254740991",
  "9007199254740992",
  "1.50",
  "1e3",
  "12.5e-1",
  "0.1",
  "1e21",
  "100000000000000000000",
];

describe("a number that JavaScript rounds", () => {
  for (const number of EXACT)
    test(`is written as it was: ${number.slice(0, 24)}`, () => {
      for (const json of [number, `[${number}]`, `{"a":{"b":${number}}}`])
        assert.equal(JSON.stringify(parseExactly(json)), json);
    });

  test("calculates, compares and prints", () => {
    const id = parseExactly("2512292042121000001");
    assert.ok(id instanceof ExactNumber);
    assert.equal(`${id}`, "2512292042121000001");
    assert.equal(BigInt(String(id)) + 1n, 2512292042121000002n);
    assert.equal(Number(id), 2512292042121000000);
    assert.deepEqual(parseExactly("[2512292042121000001]"), [id]);
    assert.equal(inspect({ id }), "{ id: 2512292042121000001 }");
  });
});

test("a number that JavaScript keeps is a number", () => {
  for (const number of PLAIN) assert.equal(parseExactly(` ${number} `), Number(number));
});

test("digits in a text are text", () => {
  const json = '{"2512292042121000001":"2512292042121000001 and -0 and 1e400"}';
  assert.deepEqual(parseExactly(json), JSON.parse(json));
  assert.throws(() => parseExactly("[2512292042121000001"), SyntaxError);
});

test("a number of a million digits is read in linear time", () => {
  const json = `1${"0".repeat(1_000_000)}1`;
  assert.equal(String(parseExactly(json)), json);
});
