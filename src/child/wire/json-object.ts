/** Objects in a provider's events, in the type that the provider packages use for JSON. */
import type { JSONObject } from "@ai-sdk/provider";
import { isRecord } from "../../values/record.ts";

export function isJsonObject(value: unknown): value is JSONObject {
  return isRecord(value);
}
