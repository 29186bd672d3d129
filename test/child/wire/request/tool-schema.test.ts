/** Tool parameters in the subset of JSON Schema that each vendor accepts. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { z } from "zod";
import { toolSchema } from "../../../../src/child/wire/request/tool-schema.ts";

type Schema = Record<string, unknown>;

const node: z.ZodType = z.lazy(() => z.object({ name: z.string(), children: z.array(node).optional() }));
const SCHEMA = z.toJSONSchema(
  z.strictObject({
    path: z.string().min(1).max(100_000).regex(/a+/).describe("The file."),
    lines: z.int().positive().optional(),
    mode: z.literal("fast"),
    level: z.union([z.literal(1), z.literal(2)]),
    either: z.union([z.string(), z.number()]).nullable(),
    when: z.iso.date().optional(),
    tree: node,
    labels: z.record(z.string(), z.string()).optional(),
  }),
  { io: "input" },
) as Schema;

function everySchema(schema: unknown): Schema[] {
  if (Array.isArray(schema)) return schema.flatMap(everySchema);
  if (typeof schema !== "object" || schema === null) return [];
  const { properties = {}, ...rest } = schema as Schema;
  return [
    schema as Schema,
    ...everySchema(Object.values(properties as Schema)),
    ...Object.values(rest).flatMap(everySchema),
  ];
}

/** Each vendor's objections to one schema of a tool. */
const REJECTS: Record<"gemini" | "moonshot" | "llama.cpp", (schema: Schema) => boolean> = {
  gemini: (schema) =>
    [
      "$ref",
      "$schema",
      "$defs",
      "additionalProperties",
      "exclusiveMinimum",
      "const",
      "oneOf",
      "allOf",
      "propertyNames",
    ].some((keyword) => keyword in schema) || Array.isArray(schema.type),
  moonshot: (schema) => "$ref" in schema || ("anyOf" in schema ? "type" in schema : schema.type === undefined),
  "llama.cpp": (schema) =>
    (typeof schema.pattern === "string" && !/^\^.*\$$/.test(schema.pattern)) || Number(schema.maxLength) > 2_000,
};

for (const [subset, rejects] of Object.entries(REJECTS) as [keyof typeof REJECTS, (schema: Schema) => boolean][])
  describe(`for ${subset}`, () => {
    const narrow = toolSchema(SCHEMA, subset);

    test("nothing is left that it rejects", () => {
      assert.ok(everySchema(SCHEMA).some(rejects), "the schema has something that it rejects");
      assert.deepEqual(everySchema(narrow).filter(rejects), []);
    });

    test("fields, descriptions and what is required stay", () => {
      assert.deepEqual(Object.keys(narrow.properties as Schema), Object.keys(SCHEMA.properties as Schema));
      assert.deepEqual(narrow.required, SCHEMA.required);
      assert.match(JSON.stringify(narrow), /The file\./);
      assert.match(JSON.stringify(narrow), /"(enum":\["fast"\]|const":"fast")/);
    });

    test("a schema that refers to itself ends", () => {
      assert.match(JSON.stringify((narrow.properties as Schema).tree), /"children"/);
    });
  });

test("who takes JSON Schema gets it as it is", () => {
  assert.equal(toolSchema(SCHEMA, "json-schema"), SCHEMA);
});

describe("schemas that others wrote", () => {
  test("have no more for gemini than fits their type", () => {
    const written = {
      type: "object",
      properties: { a: { type: "string", properties: { x: {} }, required: ["x"] }, list: { type: "array" }, any: {} },
      required: ["a", "gone"],
    };
    assert.deepEqual(toolSchema(written, "gemini"), {
      type: "object",
      properties: { a: { type: "string" }, list: { type: "array", items: {} }, any: {} },
      required: ["a"],
    });
  });

  test("whose definitions double stay small", () => {
    const names = Array.from({ length: 40 }, (_, index) => `d${index}`);
    const twice = (name: string) => ({ anyOf: [{ $ref: `#/$defs/${name}` }, { $ref: `#/$defs/${name}` }] });
    const definitions = names.map((name, index) => [name, twice(names[index + 1] ?? "end")]);
    const bomb = { ...twice("d0"), $defs: { ...Object.fromEntries(definitions), end: { type: "string" } } };
    assert.ok(JSON.stringify(toolSchema(bomb, "gemini")).length < 1_000_000);
  });
});
