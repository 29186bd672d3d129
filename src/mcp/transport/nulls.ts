/**
 * Messages of clients that write what is absent as null, as those in Go, Java and C# do. The protocol's schemas take a
 * field or none; so nulls are taken out before the SDK reads a message. The arguments of a tool stay as they are: in a
 * JSON Schema null is a value, and the tools themselves read it as absent.
 */
import { isRecord } from "../../values/record.ts";

/**
 * A message, or a batch of them, without its nulls. An `id` of null in an answer says which request could not be read.
 */
export function withoutNullFields(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNullFields);
  if (!isRecord(value)) return value;
  const isFailure = isRecord(value.error);
  const entries = Object.entries(value)
    .filter(([key, inner]) => inner !== null || (isFailure && key === "id"))
    .map(([key, inner]) => [key, key === "arguments" ? inner : withoutNullFields(inner)]);
  return Object.fromEntries(entries);
}
