/**
 * Fields of a `gemini` stream by the names that the provider package reads: proxies, and servers that write Google's
 * messages by their definition, spell them with underscores, and give a call's arguments as text.
 * https://protobuf.dev/programming-guides/json, "Field names"
 */
import type { JSONValue } from "@ai-sdk/provider";
import { parsedJson } from "../failure/error-body.ts";
import { isJsonObject } from "../json-object.ts";
import type { Rewriter } from "./rewrite-events.ts";

export const camelCaseFields: Rewriter = {
  concerns: /"[a-z]+(_[a-z]+)+"\s*:|"args"\s*:\s*"/,
  start: () => (event) => Object.fromEntries(Object.entries(event).map(camelCased)),
};

function camelCased([name, value]: [string, JSONValue | undefined]): [string, JSONValue | undefined] {
  const field = name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
  if (field !== "args") return [field, within(value)];
  // The names of arguments are the tool's own.
  const args = parsedJson(value);
  return [field, isJsonObject(args) ? args : value];
}

function within(value: JSONValue | undefined): JSONValue | undefined {
  if (Array.isArray(value)) return value.map((one) => within(one) ?? null);
  return isJsonObject(value) ? Object.fromEntries(Object.entries(value).map(camelCased)) : value;
}
