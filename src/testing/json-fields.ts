/** Reads JSON of unknown shape safely: a missing or wrong value reads as empty. */
import { isRecord } from "../values/record.ts";

export type JsonFields = Record<string, unknown>;

/** The objects in a list. */
export function listOf(value: unknown): JsonFields[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

export function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

export function numberIn(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}

export function stringIn(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/** Text written as a string or as a list of parts with a `text` each. */
export function joinedText(value: unknown): string {
  if (typeof value === "string") return value;
  return listOf(value)
    .map((part) => textOf(part.text))
    .join("");
}

/** A tool's arguments as a model wrote them; the text itself if it is not JSON. */
export function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
