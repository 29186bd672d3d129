/** Schemas are untrusted code: their cost is limited, and ordinary ones work. */
import assert from "node:assert/strict";
import { after, describe, type TestContext, test } from "node:test";
import { Worker } from "node:worker_threads";
import { createSchemaChecker, type SchemaChecker } from "../../../src/child/schema/schema-checker.ts";

const checker = createSchemaChecker();
after(() => checker.close());

const { signal } = new AbortController();
const many = <Made>(count: number, make: (index: number) => Made) => Array.from({ length: count }, (_, at) => make(at));
const errorsOf = async (schema: object, answer: unknown) => {
  const verdict = await checker.check(schema, [JSON.stringify(answer)], signal);
  return "errors" in verdict ? verdict.errors : [`unusable: ${verdict.unusable}`];
};

/** Each name refers twice to the next: 2^40 checks of one value. */
const doubling = {
  $ref: "#/$defs/a0",
  $defs: Object.fromEntries(
    many(41, (at) => {
      const next = { $ref: `#/$defs/a${at + 1}` };
      return [`a${at}`, at === 40 ? { type: "string" } : { allOf: [next, next] }];
    }),
  ),
};

function nested(levels: number): object {
  let schema: object = { type: "string" };
  for (let level = 0; level < levels; level++) schema = { properties: { a: schema } };
  return schema;
}

describe("a schema that no answer can be checked against is refused", () => {
  const cases: [name: string, schema: object, expected: RegExp][] = [
    ["that is none", { type: "nonsense" }, /schema is invalid: data\/type/],
    ["that is asynchronous", { $async: true, type: "object" }, /found \$async.*leave it out/],
    [
      "that is asynchronous further down",
      { properties: { a: { $async: true, type: "string" } } },
      /found \$async.*leave it out/,
    ],
    [
      "that refers to an asynchronous part",
      { $ref: "#/$defs/a", $defs: { a: { $async: true, type: "object" } } },
      /found \$async.*leave it out/,
    ],
    ["that is itself", { $ref: "#" }, /refers to itself without end/],
    ["that is itself, by a dynamic reference", { $dynamicRef: "#" }, /refers to itself without end/],
    ["that is itself where the value is a list", { if: { type: "array" }, then: { $ref: "#" } }, /without end/],
    ["whose reference leads elsewhere", { $ref: "https://example.test/schema" }, /can't resolve reference/],
    ["whose ids clash", { $id: "a", $defs: { b: { $id: "a" } } }, /already exists/],
    ["whose id is that of its dialect", { $id: "https://json-schema.org/draft/2020-12/schema" }, /already exists/],
    ["with $data", { maximum: { $data: "1/other" } }, /schema is invalid: data\/maximum/],
    ["with a pattern that is none", { patternProperties: { "(": {} } }, /Invalid regular expression/],
    ["that multiplies", doubling, /takes more than 2 seconds/],
    ["that is too deep", nested(300), /nested more than 500 levels deep/],
    ["that is so deep that it cannot be written", nested(20_000), /nested more than 500 levels deep/],
    ["that is too long", { enum: many(200_000, String) }, /has more than 1000000 characters/],
  ];
  for (const [name, schema, expected] of cases) {
    test(name, async () => assert.match((await checker.mistakeIn(schema)) ?? "no mistake", expected));
  }
});

describe("an ordinary schema is applied as ever", () => {
  const tree = {
    $ref: "#/$defs/node",
    $defs: { node: { type: "object", properties: { children: { type: "array", items: { $ref: "#/$defs/node" } } } } },
  };
  const cases: [name: string, schema: object, fits: unknown, doesNot: unknown, expected: string][] = [
    [
      "a pattern",
      { type: "string", pattern: "^[a-z]+-\\d+$" },
      "a-1",
      "a",
      'the value must match pattern "^[a-z]+-\\d+$"',
    ],
    ["a recursive reference", tree, { children: [{ children: [] }] }, { children: [1] }, "/children/0 must be object"],
    [
      "draft 7",
      { $schema: "http://json-schema.org/draft-07/schema#", items: [{ type: "number" }] },
      [1],
      ["1"],
      "/0 must be number",
    ],
    ["draft 2020-12", { prefixItems: [{ type: "number" }] }, [1], ["1"], "/0 must be number"],
    [
      "a draft that is not known",
      { $schema: "https://example.test/draft", type: "number" },
      1,
      "1",
      "the value must be number",
    ],
    [
      "a property that is called $async",
      { properties: { $async: { type: "boolean" } } },
      { $async: true },
      { $async: 1 },
      "/$async must be boolean",
    ],
    ["data that holds $async", { const: { $async: true } }, { $async: true }, 1, "the value must be equal to constant"],
    ["ids, again and again", { $id: "https://example.test/a", type: "number" }, 1, "1", "the value must be number"],
  ];
  for (const [name, schema, fits, doesNot, expected] of cases) {
    test(name, async () => {
      assert.equal(await checker.mistakeIn(schema), undefined);
      assert.deepEqual([await errorsOf(schema, fits), await errorsOf(schema, doesNot)], [[], [expected]]);
    });
  }
});

describe("an endless check", () => {
  const slow = { pattern: "^(a+)+$" };
  const answer = JSON.stringify(`${"a".repeat(40)}!`);

  test("is ended, while others continue and this process is free", async () => {
    let turns = 0;
    const turning = setInterval(() => turns++, 5);
    const checks = many(3, () => checker.check(slow, [answer], signal));
    assert.deepEqual(await errorsOf({ type: "number" }, "1"), ["the value must be number"]);
    for (const verdict of await Promise.all(checks)) {
      assert.deepEqual(verdict, { unusable: "checking it takes more than 2 seconds" });
    }
    clearInterval(turning);
    assert.ok(turns > 20, `${turns} turns`);
    assert.deepEqual(await errorsOf(slow, "aaa"), []);
  });

  test("is ended by whoever asked for it, also where it waits for its turn", async () => {
    const stop = new AbortController();
    const checks = many(6, () => checker.check(slow, [answer], stop.signal));
    setImmediate(() => stop.abort());
    assert.deepEqual(
      await Promise.all(checks),
      many(6, () => ({ unusable: "the check was stopped" })),
    );
  });

  for (const [name, schema, value] of [
    ["by names of properties", { propertyNames: { pattern: "^(a|aa)+$" } }, { [`${"a".repeat(60)}!`]: 1 }],
    ["by comparing each with each", { uniqueItems: true }, many(60_000, (at) => ({ at }))],
    ["by what it has to say", { items: { allOf: many(2_000, () => ({ type: "string" })) } }, many(100_000, () => 0)],
  ] as const) {
    test(`is ended: ${name}`, async () => {
      const [error = ""] = await errorsOf(schema, value);
      assert.match(error, /^unusable: checking it takes more than (2 seconds|256 MB of memory)$/);
    });
  }
});

describe("a thread that cannot be started", () => {
  const noDescriptors = () => new Error("Worker initialization failure: EMFILE");
  const crashing = () => new Worker("throw new Error('EMFILE: too many open files')", { eval: true });

  /** A checker whose first threads fail as given; then the allowed number of threads start. */
  function checkerWith(context: TestContext, failures: (() => Worker)[], most = 4) {
    let started = 0;
    const strained = createSchemaChecker((program, options) => {
      const fail = failures.shift();
      if (fail !== undefined) return fail();
      if (started === most) throw noDescriptors();
      started += 1;
      return new Worker(program, options);
    });
    context.after(() => strained.close());
    return strained;
  }
  const refusing = () => {
    throw noDescriptors();
  };
  const checkMany = (strained: SchemaChecker) =>
    Promise.all(many(20, (at) => strained.check({ type: "number" }, [at % 2 === 0 ? "1" : '"1"'], signal)));
  const verdicts = many(20, (at) => ({ errors: at % 2 === 0 ? [] : ["the value must be number"], chosen: 0 }));

  test("is tried again, whether it fails at once or while it loads", async (context) => {
    const strained = checkerWith(context, [refusing, crashing, refusing]);
    assert.deepEqual(await checkMany(strained), verdicts);
  });

  test("costs no check its verdict where another thread runs", async (context) => {
    const strained = checkerWith(context, [], 1);
    assert.deepEqual(await checkMany(strained), verdicts);
  });

  test("is reported if none ever starts, and the next check starts normally", async (context) => {
    const strained = checkerWith(
      context,
      many(40, () => refusing),
    );
    const verdict = await strained.check({ type: "number" }, ["1"], signal);
    assert.ok("unusable" in verdict && verdict.isShortage, JSON.stringify(verdict));
    assert.match(verdict.unusable, /no thread could be started.*EMFILE.*run out of file descriptors.*ulimit -n/);
    assert.deepEqual(await strained.check({ type: "number" }, ["1"], signal), { errors: [], chosen: 0 });
  });

  test("does not block a caller that has aborted", async (context) => {
    const strained = checkerWith(
      context,
      many(40, () => refusing),
    );
    const verdict = await strained.check({ type: "number" }, ["1"], AbortSignal.timeout(20));
    assert.deepEqual(verdict, { unusable: "the check was stopped" });
  });
});
