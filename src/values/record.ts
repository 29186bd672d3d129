/** Helpers that read values of unknown shape: a missing or wrong value reads as empty. */
import type { KeyPath } from "./key-path.ts";

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * A copy of a value with every text in it changed, names of fields included.
 * @param change also receives the (changed) names and indices that lead to the text
 */
export function mapTexts(value: unknown, change: (text: string, path: KeyPath) => string, path: KeyPath = []): unknown {
  if (typeof value === "string") return change(value, path);
  if (Array.isArray(value)) return value.map((inner, index) => mapTexts(inner, change, [...path, index]));
  if (!isRecord(value)) return value;
  const entries = Object.entries(value).map(([written, inner]) => {
    const name = change(written, path);
    return [name, mapTexts(inner, change, [...path, name])] as const;
  });
  return Object.fromEntries(entries);
}

export function fieldsOf(value: unknown): Record<string, unknown> {
  return isRecord(value) ? value : {};
}
