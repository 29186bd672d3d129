/** Reading a foreign document by taking out what is understood, so that what is left can be told. */

import { isRecord } from "../record.ts";

export type Fields = Record<string, unknown>;

/** Hears of everything that is not carried over. */
export type ConversionNotes = {
  /** One sentence for people. Never holds a value: it could be a key. */
  note(text: string): void;
  /** What remains of a map has no counterpart. */
  rest(fields: Fields, path: string): void;
};

/** The value of the first of these keys that is there; it is gone from the map then. Blank counts as not there. */
export function consume(fields: Fields, ...names: string[]): unknown {
  let found: unknown;
  for (const name of names) {
    if (found !== undefined) break;
    found = isBlank(fields[name]) ? undefined : fields[name];
    if (name in fields) delete fields[name];
  }
  return found;
}

/** The same, for texts; anything else stays, and is told of as left. */
export function consumeText(fields: Fields, ...names: string[]): string | undefined {
  const texts = names.filter((name) => typeof fields[name] === "string" || typeof fields[name] === "number");
  const found = consume(fields, ...texts);
  return found === undefined ? undefined : String(found).trim();
}

/** The same, for maps. */
export function consumeFields(fields: Fields, name: string): Fields {
  return isRecord(fields[name]) ? (consume(fields, name) as Fields) : {};
}

function isBlank(value: unknown): boolean {
  return value === undefined || value === null || (typeof value === "string" && value.trim() === "");
}
