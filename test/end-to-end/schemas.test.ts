/** Schemas from models and files, in the real program: none stops it, and none loses an answer or a sibling. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { DelegationResult } from "../../src/result.ts";
import type { Script } from "../../src/testing/index.ts";
import { until } from "../support/command-line.ts";
import { launch } from "../support/end-to-end.ts";
import { stage } from "../support/whole-stage.ts";

const text = `${"a".repeat(40)}!`;
const script: Script = ({ messages }) => {
  const [, answer = "fine"] = /SAY (.*)/.exec(messages[0]?.text ?? "") ?? [];
  return { text: answer };
};

/** Runs one task with a schema and one without in `deputy run`. */
async function run(output_schema: object, say: string, more: object = {}) {
  const tasks = [{ goal: `SAY ${say}`, output_schema, ...more }, { goal: "sibling" }];
  const { outcome, requests } = await stage(
    { script, files: { "work/call.json": JSON.stringify({ tasks }) } },
    (place) => launch(["run", "call.json", "--json"], place).ended,
  );
  const results = outcome.stdout === "" ? [] : (JSON.parse(outcome.stdout) as DelegationResult).results;
  return { ...outcome, results, requests };
}

describe("deputy run with a schema that cannot be used", () => {
  const cases: [name: string, schema: object, expected: RegExp][] = [
    ["an asynchronous one", { $async: true, type: "object" }, /\$async, which Deputy does not support/],
    ["one that is itself", { allOf: [{ $ref: "#" }] }, /refers to itself without end/],
    ["one that is elsewhere", { $ref: "http://127.0.0.1:9/schema" }, /can't resolve reference/],
  ];
  for (const [name, schema, expected] of cases)
    test(`refuses ${name} before it asks anybody`, async () => {
      const { code, signal, stderr, requests } = await run(schema, "1");
      assert.deepEqual([code, signal, requests.length], [2, null, 0]);
      assert.match(stderr, /tasks\[0\]\.output_schema: Expected a JSON Schema; /);
      assert.match(stderr, expected);
    });
});

describe("deputy run with a schema that takes for ever on an answer", () => {
  const cases: [name: string, schema: object, answer: unknown][] = [
    ["a pattern", { properties: { a: { pattern: "^(a+)+$" } } }, { a: text }],
    ["a pattern of names", { patternProperties: { "^(a|a)*$": { type: "number" } } }, { [text]: 1 }],
    ["names themselves", { propertyNames: { pattern: "^([a-z]+)*$" } }, { [text]: 1 }],
  ];
  for (const [name, schema, answer] of cases)
    test(`keeps the answer, and the sibling's: ${name}`, async () => {
      const { results, requests } = await run(schema, JSON.stringify(answer));
      const [slow, sibling] = results;
      assert.deepEqual(
        [slow?.status, slow?.exit_reason, sibling?.status],
        ["incomplete", "schema_invalid", "completed"],
      );
      assert.deepEqual([slow?.summary, slow?.output], [JSON.stringify(answer), answer]);
      assert.match(slow?.schema_errors?.join() ?? "", /could not be checked .*: checking it takes more than 2 seconds/);
      assert.equal(requests.length, 2);
    });

  test("ends the child at timeout_seconds, with its answer", async () => {
    const { results } = await run({ pattern: "^(a+)+$" }, JSON.stringify(text), { timeout_seconds: 1 });
    assert.deepEqual(results[0]?.summary, JSON.stringify(text));
    assert.match(`${results[0]?.status}`, /^(timeout|incomplete)$/);
    assert.equal(results[1]?.status, "completed");
  });

  test("ends with SIGTERM while it checks", async () => {
    const call = { goal: `SAY ${JSON.stringify(text)}`, output_schema: { pattern: "^(a+)+$" } };
    const { outcome, requests } = await stage(
      { script, files: { "work/call.json": JSON.stringify(call) } },
      async (place) => {
        const { child, ended, stdout: stdoutOf } = launch(["run", "call.json", "--ndjson"], place);
        await until(() => stdoutOf().includes('"step-end"'));
        child.kill("SIGTERM");
        return ended;
      },
    );
    assert.equal(requests.length, 1);
    assert.deepEqual([outcome.code, outcome.signal], [130, null], outcome.stderr);
    assert.ok(outcome.stdout.includes('"interrupted"'), outcome.stdout);
  });
});

test("deputy run with an ordinary schema ends at once, and no thread keeps it", async () => {
  const schema = {
    $ref: "#/$defs/node",
    $defs: { node: { properties: { next: { $ref: "#/$defs/node" }, id: { pattern: "^n\\d+$" } } } },
  };
  const answer = { id: "n1", next: { id: "n2" } };
  const { code, results } = await run(schema, JSON.stringify(answer));
  assert.deepEqual([code, results[0]?.output, results[0]?.schema_valid], [0, answer, true]);
});
