/** A child's answer read as JSON and checked against its task's `output_schema`. The raw text is kept whatever it says. */
import type { SchemaCheck } from "../event.ts";

/** Most schema errors reported: the first ones tell the child what to mend. */
const MAX_ERRORS = 10;

export async function checkAnswer(text: string, schema: Record<string, unknown>): Promise<SchemaCheck> {
  const found = jsonIn(text);
  if (!found.read) return { valid: false, errors: ["expected one JSON value; found none that can be read"] };
  const validate = await compile(schema);
  if (validate(found.value)) return { output: found.value, valid: true, errors: [] };
  const errors = (validate.errors ?? []).map(
    ({ instancePath, message }) => `${instancePath || "the value"} ${message}`,
  );
  return { output: found.value, valid: false, errors: errors.slice(0, MAX_ERRORS) };
}

/** What is wrong with a schema itself, before any child is told it; undefined where it can be used. */
export async function schemaMistake(schema: Record<string, unknown>): Promise<string | undefined> {
  return compile(schema).then(
    () => undefined,
    (error: Error) => error.message,
  );
}

/** Draft 2020-12, or draft 7 where the schema says so. Ajv is imported with the first schema. */
async function compile({ $schema, ...schema }: Record<string, unknown>) {
  const dialect = String($schema ?? "").includes("draft-07") ? import("ajv") : import("ajv/dist/2020.js");
  const { default: Ajv } = await dialect;
  return new Ajv.default({ allErrors: true, strict: false, logger: false }).compile(schema);
}

type Found = { read: true; value: unknown } | { read: false };

/** The JSON value of a text: the text itself, else its only fenced block, else what stands between the outer brackets. */
function jsonIn(text: string): Found {
  const fenced = /```(?:json)?\s*\n([\s\S]*?)\n\s*```/.exec(text)?.[1];
  for (const candidate of [text, fenced, between(text, "{", "}"), between(text, "[", "]")]) {
    if (candidate === undefined) continue;
    try {
      return { read: true, value: JSON.parse(candidate) };
    } catch {
      // Not this one: the next candidate, or the caller's error, says so.
    }
  }
  return { read: false };
}

function between(text: string, open: string, close: string): string | undefined {
  const start = text.indexOf(open);
  const end = text.lastIndexOf(close);
  return start >= 0 && end > start ? text.slice(start, end + 1) : undefined;
}
