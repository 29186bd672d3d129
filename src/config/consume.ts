/** Reads a foreign document by removing what is understood, so that the rest can be reported. */

import { fieldsOf, isRecord } from "../values/record.ts";

export type Fields = Record<string, unknown>;

/** Receives everything that is not converted. */
export type ConversionNotes = {
  /** Adds a note of one sentence. It never contains a value, which could be a key. */
  note(text: string): void;
  /** Reports what remains of a map as unsupported. */
  rest(fields: Fields, path: string): void;
};

/** Removes the first of these keys that exists, and returns its value. A blank value counts as missing. */
export function consume(fields: Fields, ...names: string[]): unknown {
  let found: unknown;
  for (const name of names) {
    if (found !== undefined) break;
    found = isBlank(fields[name]) ? undefined : fields[name];
    if (name in fields) delete fields[name];
  }
  return found;
}

/** Like `consume`, for texts; other values stay and are reported as unsupported. */
export function consumeText(fields: Fields, ...names: string[]): string | undefined {
  const texts = names.filter((name) => typeof fields[name] === "string" || typeof fields[name] === "number");
  const found = consume(fields, ...texts);
  return found === undefined ? undefined : String(found).trim();
}

/** Like `consume`, for maps. */
export function consumeFields(fields: Fields, name: string): Fields {
  const found = isRecord(fields[name]) ? consume(fields, name) : undefined;
  return fieldsOf(found);
}

function isBlank(value: unknown): boolean {
  return value === undefined || value === null || (typeof value === "string" && value.trim() === "");
}
