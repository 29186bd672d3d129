/**
 * Schemas of the vendors' requests, as a table. Validation names the first issue; each wire format puts it into its
 * vendor's words.
 */

import { isRecord } from "../values/record.ts";

export type Shape =
  | "any"
  | { values: readonly string[] }
  | { fields: Record<string, Shape>; required?: readonly string[] }
  | { each: Shape }
  /** A string, or this. */
  | { textOr: Shape }
  /** One of several, distinguished by a field. `otherwise` applies if the field is missing. */
  | { by: string; kinds: Record<string, Shape>; otherwise?: string; tagInPath?: boolean };

export type ShapeIssue = {
  path: readonly (string | number)[];
  kind: "unknown" | "missing" | "value";
  found?: unknown;
  /** Values that are allowed, or the name of a type. */
  expected: readonly string[];
};

type ShapePath = readonly (string | number)[];

/** Request fields beyond the format's own: the accepted ones, or `any`: unknown fields are ignored at every depth. */
export type ExtraFields = ReadonlySet<string> | "any";

/** The first issue of a request. */
export function requestIssue(body: Record<string, unknown>, shape: Shape, extra: ExtraFields): ShapeIssue | undefined {
  return extra === "any" ? shapeIssue(body, shape, [], true) : shapeIssue(without(body, extra), shape, [], false);
}

/** The first issue of `value`; null is valid for every optional field. */
function shapeIssue(value: unknown, shape: Shape, path: ShapePath, isOpen: boolean): ShapeIssue | undefined {
  if (shape === "any" || value === null || value === undefined) return undefined;
  if ("values" in shape) {
    return shape.values.some((allowed) => allowed === value)
      ? undefined
      : { path, kind: "value", found: value, expected: shape.values };
  }
  if ("textOr" in shape) return typeof value === "string" ? undefined : shapeIssue(value, shape.textOr, path, isOpen);
  if ("each" in shape) return listIssue(value, shape.each, path, isOpen);
  if (!isRecord(value)) return { path, kind: "value", found: value, expected: ["object"] };
  if ("by" in shape) return kindIssue(value, shape, path, isOpen);
  return fieldsIssue(value, shape, path, isOpen);
}

function listIssue(value: unknown, each: Shape, path: ShapePath, isOpen: boolean): ShapeIssue | undefined {
  if (!Array.isArray(value)) return { path, kind: "value", found: value, expected: ["array"] };
  for (const [index, item] of value.entries()) {
    const issue = shapeIssue(item, each, [...path, index], isOpen);
    if (issue) return issue;
  }
  return undefined;
}

function kindIssue(
  value: Record<string, unknown>,
  shape: Extract<Shape, { by: string }>,
  path: ShapePath,
  isOpen: boolean,
): ShapeIssue | undefined {
  const tag = value[shape.by] ?? shape.otherwise;
  if (tag === undefined) return { path: [...path, shape.by], kind: "missing", expected: Object.keys(shape.kinds) };
  const kind = Object.hasOwn(shape.kinds, String(tag)) ? shape.kinds[String(tag)] : undefined;
  if (kind === undefined) {
    return { path: [...path, shape.by], kind: "value", found: tag, expected: Object.keys(shape.kinds) };
  }
  return shapeIssue(value, kind, shape.tagInPath ? [...path, String(tag)] : path, isOpen);
}

function fieldsIssue(
  value: Record<string, unknown>,
  shape: Extract<Shape, { fields: object }>,
  path: ShapePath,
  isOpen: boolean,
): ShapeIssue | undefined {
  for (const name in value) {
    const field = Object.hasOwn(shape.fields, name) ? shape.fields[name] : undefined;
    if (field === undefined && isOpen) continue;
    if (field === undefined) return { path: [...path, name], kind: "unknown", expected: [] };
    const issue = shapeIssue(value[name], field, [...path, name], isOpen);
    if (issue) return issue;
  }
  for (const name of shape.required ?? []) {
    if (value[name] === undefined || value[name] === null) {
      return { path: [...path, name], kind: "missing", expected: [] };
    }
  }
  return undefined;
}

/** Fields that may contain anything. */
export function anyOf(...names: string[]): Record<string, Shape> {
  return Object.fromEntries(names.map((name) => [name, "any" as const]));
}

/** The request without the fields that accept any value. */
function without(body: Record<string, unknown>, names: ReadonlySet<string>): Record<string, unknown> {
  return names.size === 0 ? body : Object.fromEntries(Object.entries(body).filter(([name]) => !names.has(name)));
}
