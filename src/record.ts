/** Reading values of unknown shape: what is not there, or is something else, reads as empty. */

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function fieldsOf(value: unknown): Record<string, unknown> {
  return isRecord(value) ? value : {};
}
