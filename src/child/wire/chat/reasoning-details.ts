/**
 * `reasoning_details` of OpenRouter and those that speak like it: what a model needs back, whatever vendor made it, as a
 * list that arrives in pieces. https://openrouter.ai/docs/use-cases/reasoning-tokens
 */
import type { JSONObject } from "@ai-sdk/provider";

/** Fields that arrive piece by piece; of every other field, the first value counts. */
const STREAMED = ["text", "summary"] as const;

/** Adds a piece to the detail that it continues, or as a new one: what is encrypted is never continued. */
export function addReasoningDetail(details: JSONObject[], piece: JSONObject): void {
  const earlier = details.findLast((detail) => continues(detail, piece));
  if (earlier === undefined || piece.type === "reasoning.encrypted") {
    details.push({ ...piece });
    return;
  }
  for (const [field, value] of Object.entries(piece)) {
    const before = earlier[field];
    const isStreamed = STREAMED.some((name) => name === field);
    if (isStreamed && typeof before === "string" && typeof value === "string") earlier[field] = before + value;
    else earlier[field] = before ?? value ?? null;
  }
}

/** Without an index, a piece continues the last detail of its type. */
function continues(detail: JSONObject, piece: JSONObject): boolean {
  return detail.type === piece.type && (detail.index ?? undefined) === (piece.index ?? undefined);
}
