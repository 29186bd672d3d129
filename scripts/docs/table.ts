/** Markdown tables, and short descriptions of a JSON Schema's types. */

export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), `|${" --- |".repeat(head.length)}`, ...rows.map(line)].join("\n");
}

export function code(text: string): string {
  return `\`${text}\``;
}

export type JsonSchema = {
  type?: string;
  description?: string;
  enum?: readonly string[];
  anyOf?: readonly JsonSchema[];
  items?: JsonSchema;
  properties?: Record<string, JsonSchema>;
  additionalProperties?: JsonSchema | boolean;
  minimum?: number;
  exclusiveMinimum?: number;
};

/** `a, b`, `text`, `whole number > 0`, `list of text`, `{model, provider}`. */
export function typeOf(schema: JsonSchema): string {
  if (schema.anyOf !== undefined) return schema.anyOf.map(typeOf).join(" or ");
  if (schema.enum !== undefined) return schema.enum.map(code).join(" ");
  if (schema.items !== undefined) return `list of ${typeOf(schema.items)}`;
  if (schema.properties !== undefined) return mapOf(Object.keys(schema.properties));
  if (schema.type === "number" || schema.type === "integer") return `${NUMBERS[schema.type]}${boundOf(schema)}`;
  return WORDS[schema.type ?? ""] ?? "anything";
}

/** Lists the keys if there are few. */
function mapOf(keys: readonly string[]): string {
  return keys.length > 4 ? "map" : code(`{${keys.join(", ")}}`);
}

const NUMBERS = { number: "number", integer: "whole number" };
const WORDS: Record<string, string> = { string: "text", boolean: "`true` `false`", object: "map" };

function boundOf({ minimum, exclusiveMinimum }: JsonSchema): string {
  if (exclusiveMinimum !== undefined) return ` > ${exclusiveMinimum}`;
  return minimum !== undefined && minimum >= 0 ? ` ≥ ${minimum}` : "";
}

/**
 * The schema at a path such as `providers.*.models` or `permissions[].tool`; in a union, the first alternative that has
 * it.
 */
export function schemaAt(schema: JsonSchema, path: string): JsonSchema {
  return path
    .replaceAll("[]", ".[]")
    .split(".")
    .reduce((inner, key) => step(inner, key) ?? {}, schema);
}

function step(schema: JsonSchema, key: string): JsonSchema | undefined {
  const { properties, additionalProperties, items, anyOf = [] } = schema;
  if (key === "[]" && items !== undefined) return items;
  if (key === "*" && typeof additionalProperties === "object") return additionalProperties;
  if (properties?.[key] !== undefined) return properties[key];
  return anyOf.map((alternative) => step(alternative, key)).find((found) => found !== undefined);
}
