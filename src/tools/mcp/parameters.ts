/**
 * The input schema of a server's tool as the parameters of a tool for models: vendors want an object whose properties
 * stand at its top. The server checks the arguments itself, by the schema that it wrote.
 */
import { isRecord } from "../../values/record.ts";

type ParameterSchema = Record<string, unknown>;

/** Vendors reject a tool with these next to its properties, or the whole request. */
const ALTERNATIVES = ["anyOf", "oneOf", "allOf"] as const;
const NOT_AT_THE_TOP = [...ALTERNATIVES, "$schema", "$id", "enum", "const", "not", "if", "then", "else"];

/** Maximum size of a schema, in characters of JSON, and its maximum depth. */
const MAX_CHARACTERS = 32 * 1024;
const MAX_DEPTH = 48;

/** Returns the parameters, or undefined if the schema is too large for a request. */
export function parametersOf(schema: unknown): ParameterSchema | undefined {
  const written = isRecord(schema) ? schema : {};
  if (depthOf(written) > MAX_DEPTH || JSON.stringify(written).length > MAX_CHARACTERS) return undefined;
  const kept = Object.entries(written).filter(([keyword]) => !NOT_AT_THE_TOP.includes(keyword));
  const alternatives = ALTERNATIVES.flatMap((keyword) => written[keyword]).filter(isRecord);
  const properties = [...alternatives, written].map((each) => each.properties).filter(isRecord);
  const together = Object.fromEntries(properties.flatMap((each) => Object.entries(each)));
  return { ...Object.fromEntries(kept), type: "object", properties: together };
}

/** Counts no deeper than it has to: a hostile schema may be deeper than the stack. */
function depthOf(schema: unknown): number {
  let level: unknown[] = [schema];
  let depth = 0;
  for (; level.length > 0 && depth <= MAX_DEPTH; depth += 1)
    level = level.flatMap((each) => (typeof each === "object" && each !== null ? Object.values(each) : []));
  return depth;
}
