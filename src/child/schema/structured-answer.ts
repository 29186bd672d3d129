/**
 * Finds the JSON in a child's answer that fits its task's `output_schema`, or says why none does. The raw text is always
 * kept.
 */
import type { SchemaCheck } from "../../event.ts";
import { parseExactly } from "../../text/exact-json.ts";
import { jsonCandidates } from "./json-candidates.ts";
import { isTooDeep, TOO_DEEP } from "./json-depth.ts";
import type { SchemaChecker } from "./schema-checker.ts";

/** @param signal ends the check: the answer is then kept unchecked */
export async function checkAnswer(
  text: string,
  schema: Record<string, unknown>,
  schemas: Pick<SchemaChecker, "check">,
  signal: AbortSignal,
): Promise<SchemaCheck> {
  const candidates = jsonCandidates(text);
  if (candidates.length === 0)
    return { valid: false, errors: ["expected one JSON value; found none that can be read"] };
  const flat = candidates.filter((json) => !isTooDeep(json));
  const [likeliest] = flat;
  if (likeliest === undefined) return { valid: false, errors: [`the value is ${TOO_DEEP}`] };
  const verdict = await schemas.check(schema, flat, signal);
  const output = parseExactly(flat["errors" in verdict ? verdict.chosen : 0] ?? likeliest);
  if ("errors" in verdict) return { output, valid: verdict.errors.length === 0, errors: verdict.errors };
  const advice = verdict.isShortage ? "Check it yourself." : "Check it yourself, or use a simpler schema.";
  const error = `The answer could not be checked against output_schema: ${verdict.unusable}. It is kept unchecked. ${advice}`;
  return { output, valid: false, errors: [error], unchecked: true };
}
