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
      assert.match(stderr, /task 1, output_schema: Expected a JSON Schema; /);
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

describe("deputy run finds the answer", () => {
  const schema = {
    type: "object",
    properties: { a: { type: "integer" } },
    required: ["a"],
    additionalProperties: false,
  };
  const answers: [name: string, answer: string][] = [
    ["between prose with braces", 'For the set {x, y} it is:\n{"a": 1}\nReplace {foo} at will.'],
    ["after a draft that does not fit", '```json\n{"a": "?"}\n```\nFinal:\n```json\n{"a": 1}\n```'],
    ["before an example that does not fit", '```json\n{"a": 1}\n```\nIt has this form:\n```json\n{"a": "number"}\n```'],
    ["with a comment and a trailing comma", '{\n  "a": 1, // one\n}'],
  ];
  for (const [name, answer] of answers)
    test(`${name}, without asking again`, async () => {
      const { status, output, count } = await answered(schema, answer);
      assert.deepEqual({ status, output, count }, { status: "completed", output: { a: 1 }, count: 1 });
    });

  test("that does not fit wrong: a part of a damaged value is asked for again", async () => {
    const { status, count } = await answered(schema, '{"b": {"a": 1}, "c": }');
    assert.deepEqual({ status, count }, { status: "incomplete", count: 2 });
  });

  test("wrong if its format is another, and tells the child what was meant", async () => {
    const when = { type: "object", properties: { when: { type: "string", format: "date-time" } } };
    const wrong = await answered(when, '{"when": "tomorrow"}');
    assert.deepEqual([wrong.status, wrong.count], ["incomplete", 2]);
    assert.match(wrong.repair, /\/when must match format \\?"date-time\\?", such as 2026-01-31T12:30:00Z/);
    assert.equal((await answered(when, '{"when": "2026-02-28T23:59:59+01:00"}')).status, "completed");
    const unknown = { type: "object", properties: { when: { format: "color" } } };
    assert.equal((await answered(unknown, '{"when": "tomorrow"}')).status, "completed");
  });

  async function answered(output_schema: object, answer: string) {
    const call = JSON.stringify({ goal: "give", output_schema });
    const { outcome, requests } = await stage(
      { script: () => ({ text: answer }), files: { "work/call.json": call } },
      (place) => launch(["run", "call.json", "--json"], place).ended,
    );
    const [result] = (JSON.parse(outcome.stdout) as DelegationResult).results;
    return {
      status: result?.status,
      output: result?.output,
      count: requests.length,
      repair: JSON.stringify(requests.at(-1)),
    };
  }
});

describe("a number that JavaScript rounds keeps its digits", () => {
  const answer = '{"id":2512292042121000001,"more":[-0,1e400,0.12345678901234567890]}';
  const call = { goal: "give", output_schema: { type: "object", properties: { id: { type: "integer" } } } };
  const scene = { script: () => ({ text: answer }), files: { "work/call.json": JSON.stringify(call) } };
  const outputIn = (text: string) => text.replaceAll(/\s/g, "").match(/"output":(\{.*?\}),"/)?.[1];

  for (const format of ["--json", "--ndjson"])
    test(`in run ${format} and, later, in show`, async () => {
      await stage(scene, async (place) => {
        const { stdout } = await launch(["run", "call.json", format], place).ended;
        const lines = stdout.split("\n").filter((line) => line.includes('"output":{'));
        for (const text of format === "--json" ? [stdout] : lines) assert.equal(outputIn(text), answer);
        const [, id = ""] = /"delegation_?[iI]d": ?"(\w+)"/.exec(stdout) ?? [];
        assert.equal(outputIn((await launch(["show", id, "--json"], place).ended).stdout), answer);
        return { code: 0, signal: null, stdout, stderr: "" };
      });
    });

  test("in the structured content of MCP", async () => {
    await stage(scene, async (place) => {
      const server = launch(["mcp"], { ...place, keepsStdin: true });
      const send = (message: object) =>
        server.child.stdin?.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
      const clientInfo = { name: "test", version: "1" };
      send({ id: 1, method: "initialize", params: { protocolVersion: "2025-06-18", capabilities: {}, clientInfo } });
      send({ method: "notifications/initialized" });
      send({ id: 2, method: "tools/call", params: { name: "delegate_task", arguments: call } });
      await until(() => server.stdout().includes('"structuredContent"'));
      const [, structured = ""] = server.stdout().split('"structuredContent"');
      assert.equal(outputIn(structured), answer);
      server.child.stdin?.end();
      return server.ended;
    });
  });
});
