/** The arguments of a tool call as models and clients write them: null is absent, and a number or a boolean may be text. */
import { z } from "zod";
import type { Tool } from "./tool.ts";
import { plainValue } from "./values/plain-value.ts";
import { isRecord } from "./values/record.ts";

export function parseArguments({ input, otherNames = {} }: Tool, written: unknown): z.ZodSafeParseResult<unknown> {
  if (!(input instanceof z.ZodObject) || !isRecord(written)) return input.safeParse(written);
  const schemas: Readonly<Record<string, z.ZodType>> = input.shape;
  const meant = Object.entries(written).map(([called, value]) => {
    const name = Object.hasOwn(otherNames, called) ? (otherNames[called] ?? called) : called;
    return [name, value === null || !Object.hasOwn(schemas, name) ? value : plainValue(schemas[name], value)];
  });
  return input.safeParse(Object.fromEntries(meant.filter(([, value]) => value !== null && value !== undefined)));
}
