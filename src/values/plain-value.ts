/** Numbers and booleans that clients write as text. */
import { z } from "zod";

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const BOOLEANS: Record<string, boolean> = { true: true, false: false };

/** The value that a text stands for where a number or a boolean belongs; else what is written. `null` is absent. */
export function plainValue(schema: z.ZodType | undefined, written: unknown): unknown {
  if (typeof written !== "string") return written;
  const type = schema instanceof z.ZodOptional ? schema.unwrap() : schema;
  const isNumber = type instanceof z.ZodNumber;
  if (!isNumber && !(type instanceof z.ZodBoolean)) return written;
  const text = written.trim().replace(/^"(.*)"$/, "$1");
  if (text === "null") return undefined;
  if (isNumber) return NUMBER.test(text) ? Number(text) : written;
  return BOOLEANS[text.toLowerCase()] ?? written;
}
