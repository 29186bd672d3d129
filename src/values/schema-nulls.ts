/** A JSON Schema of a client that writes absent keywords as null. */
import { isRecord } from "./record.ts";

/** In these, null is a value of the user's data. */
const DATA = ["const", "default", "example"];
const LISTS_OF_DATA = ["enum", "examples"];
/** These hold schemas by name, and a name may be any word. */
const BY_NAME = ["properties", "patternProperties", "$defs", "definitions", "dependentSchemas"];
/** A deeper schema is rejected where it is used. */
const MAX_DEPTH = 500;

/** The schema without keywords and entries that are null. YAML's `type: [string, null]` names the type `null`. */
export function withoutNullKeywords(schema: Record<string, unknown>): unknown {
  return hasNulls(schema) ? read(schema, 0) : schema;
}

/** A schema that contains itself, as YAML's aliases can make one, is no JSON and stays for its check to reject. */
function hasNulls(schema: unknown): boolean {
  try {
    return JSON.stringify(schema).includes("null");
  } catch {
    return false;
  }
}

function read(schema: unknown, depth: number): unknown {
  if (depth > MAX_DEPTH) return schema;
  if (Array.isArray(schema)) return schema.filter((entry) => entry !== null).map((entry) => read(entry, depth + 1));
  if (!isRecord(schema)) return schema;
  const entries = Object.entries(schema)
    .filter(([keyword, value]) => value !== null || DATA.includes(keyword))
    .map(([keyword, value]) => [keyword, readValue(keyword, value, depth + 1)]);
  return Object.fromEntries(entries);
}

function readValue(keyword: string, value: unknown, depth: number): unknown {
  if (DATA.includes(keyword) || (LISTS_OF_DATA.includes(keyword) && Array.isArray(value))) return value;
  if (keyword === "type" && Array.isArray(value)) return value.map((type) => type ?? "null");
  if (!BY_NAME.includes(keyword) || !isRecord(value)) return read(value, depth);
  const named = Object.entries(value).filter(([, inner]) => inner !== null);
  return Object.fromEntries(named.map(([name, inner]) => [name, read(inner, depth + 1)]));
}
