/** Parses a child's answer as JSON and validates it against its task's `output_schema`. The raw text is always kept. */
import type { SchemaCheck } from "../../event.ts";
import { isTooDeep, TOO_DEEP } from "./json-depth.ts";
import type { SchemaChecker } from "./schema-checker.ts";

/** @param signal ends the check: the answer is then kept unchecked */
export async function checkAnswer(
  text: string,
  schema: Record<string, unknown>,
  schemas: Pick<SchemaChecker, "check">,
  signal: AbortSignal,
): Promise<SchemaCheck> {
  const found = jsonIn(text);
  if (found === undefined) return { valid: false, errors: ["expected one JSON value; found none that can be read"] };
  const { json, value: output } = found;
  if (isTooDeep(json)) return { valid: false, errors: [`the value is ${TOO_DEEP}`] };
  const verdict = await schemas.check(schema, json, signal);
  if ("errors" in verdict) return { output, valid: verdict.errors.length === 0, errors: verdict.errors };
  const advice = verdict.isShortage ? "Check it yourself." : "Check it yourself, or use a simpler schema.";
  const error = `The answer could not be checked against output_schema: ${verdict.unusable}. It is kept unchecked. ${advice}`;
  return { output, valid: false, errors: [error], unchecked: true };
}

/** The JSON in a text: the text itself, else its first fenced block, else the text between the outer brackets. */
function jsonIn(text: string): { json: string; value: unknown } | undefined {
  for (const json of [text, fencedIn(text), between(text, "{", "}"), between(text, "[", "]")]) {
    if (json === undefined) continue;
    try {
      return { json, value: JSON.parse(json) };
    } catch {
      // The next candidate follows, or the caller reports an error.
    }
  }
  return undefined;
}

/** Line by line: a regular expression would scan the rest of the text again for each fence. */
function fencedIn(text: string): string | undefined {
  const lines = text.split("\n");
  const open = lines.findIndex((line) => line.trimEnd().endsWith("```") || line.trimEnd().endsWith("```json"));
  const close = lines.findIndex((line, at) => at > open && line.trimStart().startsWith("```"));
  return open >= 0 && close >= 0 ? lines.slice(open + 1, close).join("\n") : undefined;
}

function between(text: string, open: string, close: string): string | undefined {
  const start = text.indexOf(open);
  const end = text.lastIndexOf(close);
  return start >= 0 && end > start ? text.slice(start, end + 1) : undefined;
}
