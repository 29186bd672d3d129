/**
 * A tool's parameters in the subset of JSON Schema that a vendor takes. What a subset cannot say is left out: the tool
 * checks its arguments itself, by the whole schema.
 */
import { present } from "../../../values/present.ts";
import { isRecord } from "../../../values/record.ts";
import type { Dialect } from "../dialect/dialect.ts";

type Schema = Record<string, unknown>;
type Subset = Dialect["toolSchema"];

/** Maximum number of repetitions in llama.cpp's grammars: https://github.com/ggml-org/llama.cpp/blob/master/src/llama-grammar.cpp */
const MAX_REPETITIONS = 2_000;

/** Keywords of OpenAPI's schema objects, as Gemini reads them: https://ai.google.dev/api/caching#Schema */
const OF_GEMINI = [
  "type",
  "format",
  "title",
  "description",
  "nullable",
  "enum",
  "maxItems",
  "minItems",
  "properties",
  "required",
  "minProperties",
  "maxProperties",
  "minLength",
  "maxLength",
  "pattern",
  "anyOf",
  "items",
  "minimum",
  "maximum",
];

const NARROW: Record<Exclude<Subset, "json-schema">, (schema: Schema) => Schema> = {
  gemini: forGemini,
  moonshot: forMoonshot,
  "llama.cpp": forLlamaCpp,
};

export function toolSchema(schema: Schema, subset: Subset): Schema {
  if (subset === "json-schema") return schema;
  return throughout(inlined(schema), NARROW[subset]);
}

/** Narrows every schema in a schema, from the inside out. */
function throughout(schema: Schema, narrow: (schema: Schema) => Schema): Schema {
  const inner = Object.entries(schema).map(([keyword, value]) => [keyword, withInner(keyword, value, narrow)]);
  return narrow(Object.fromEntries(inner));
}

function withInner(keyword: string, value: unknown, narrow: (schema: Schema) => Schema): unknown {
  if (["anyOf", "oneOf", "allOf", "prefixItems"].includes(keyword) && Array.isArray(value))
    return value.map((one) => (isRecord(one) ? throughout(one, narrow) : one));
  if (["items", "additionalProperties", "not"].includes(keyword) && isRecord(value)) return throughout(value, narrow);
  if (keyword !== "properties" || !isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [name, isRecord(one) ? throughout(one, narrow) : one]),
  );
}

/** Maximum number of schemas in a tool after its references are replaced. Definitions that use others twice double. */
const MAX_SCHEMAS = 5_000;

/** Replaces references with what they refer to; a recursive one, or one too many, accepts any object. */
function inlined(root: Schema): Schema {
  let left = MAX_SCHEMAS;
  const follow = (value: unknown, path: readonly string[]): unknown => {
    if (Array.isArray(value)) return value.map((one) => follow(one, path));
    if (!isRecord(value)) return value;
    left -= 1;
    const { $ref: ref, $defs: _, definitions: __, ...rest } = value;
    const own = Object.fromEntries(Object.entries(rest).map(([name, one]) => [name, follow(one, path)]));
    if (typeof ref !== "string") return own;
    if (path.includes(ref) || left < 0) return { type: "object", ...own };
    const target = follow(at(root, ref), [...path, ref]);
    return isRecord(target) ? { ...target, ...own } : own;
  };
  const schema = follow(root, []);
  return isRecord(schema) ? schema : {};
}

/** `#/$defs/Name` */
function at(root: Schema, ref: string): unknown {
  const steps = ref.replace(/^#\/?/, "").split("/").filter(Boolean);
  return steps.reduce<unknown>((value, step) => (isRecord(value) ? value[step] : undefined), root);
}

function forGemini(schema: Schema): Schema {
  const { const: only, oneOf, allOf, type, exclusiveMinimum, ...rest } = schema;
  const types = Array.isArray(type) ? type.filter((one) => one !== "null") : [type];
  const isNullable = Array.isArray(type) && type.includes("null");
  const parts = Array.isArray(allOf) ? Object.assign({}, ...allOf.filter(isRecord)) : {};
  const narrow: Schema = {
    ...parts,
    ...rest,
    ...(types.length === 1 && types[0] !== undefined && { type: types[0] }),
    ...(types.length > 1 && { anyOf: types.map((one) => ({ type: one })) }),
    ...(isNullable && { nullable: true }),
    ...(Array.isArray(oneOf) && { anyOf: oneOf }),
    ...(typeof only === "string" && { type: "string", enum: [only] }),
    ...(type === "integer" && typeof exclusiveMinimum === "number" && { minimum: exclusiveMinimum + 1 }),
  };
  // Values other than words, and formats other than its own, are rejected.
  if (Array.isArray(narrow.enum) && !narrow.enum.every((value) => typeof value === "string")) delete narrow.enum;
  if (narrow.format !== "enum" && narrow.format !== "date-time") delete narrow.format;
  fitToType(narrow);
  return Object.fromEntries(Object.entries(narrow).filter(([keyword]) => OF_GEMINI.includes(keyword)));
}

/**
 * Properties only of objects (https://github.com/anomalyco/opencode/issues/11889), required ones only if they are
 * described (https://github.com/MarkusPfundstein/mcp-obsidian/issues/105), and lists with a schema of their items
 * (https://github.com/DEEIX-AI/DEEIX-Chat/issues/546): servers' schemas have others, and the whole request is rejected.
 */
function fitToType(schema: Schema): void {
  if (schema.type === "array" && !isRecord(schema.items)) schema.items = {};
  if (schema.type !== undefined && schema.type !== "object") {
    delete schema.properties;
    delete schema.required;
  }
  if (!Array.isArray(schema.required)) return;
  const described = isRecord(schema.properties) ? Object.keys(schema.properties) : [];
  schema.required = schema.required.filter((name) => described.includes(name));
}

/** The type belongs in each alternative, never next to them: MoonshotAI/kimi-code#2661. */
function forMoonshot(schema: Schema): Schema {
  const { oneOf, type, $schema: _, ...rest } = schema;
  const alternatives = rest.anyOf ?? oneOf;
  if (!Array.isArray(alternatives)) return { ...(type === undefined ? typeIn(rest) : { type }), ...rest };
  const anyOf = alternatives.map((one) =>
    isRecord(one) && one.type === undefined ? { ...present({ type }), ...one } : one,
  );
  return { ...rest, anyOf };
}

/** Every property has a type: MoonshotAI/kimi-cli#1595. */
function typeIn({ properties, items, enum: words, const: only }: Schema): Schema {
  const value = only ?? (Array.isArray(words) ? words[0] : undefined);
  if (properties !== undefined) return { type: "object" };
  if (items !== undefined) return { type: "array" };
  return { type: ["number", "boolean"].includes(typeof value) ? typeof value : "string" };
}

/** Patterns have to be anchored, and repetitions have a limit. */
function forLlamaCpp(schema: Schema): Schema {
  const { pattern, maxLength, maxItems, minLength, not: _, ...rest } = schema;
  const isAnchored = typeof pattern === "string" && pattern.startsWith("^") && pattern.endsWith("$");
  return {
    ...rest,
    ...(isAnchored && { pattern }),
    ...bounded({ minLength, maxLength, maxItems }),
  };
}

function bounded(limits: Schema): Schema {
  return Object.fromEntries(
    Object.entries(limits).filter(([, limit]) => typeof limit === "number" && limit <= MAX_REPETITIONS),
  );
}
