/**
 * Sets one value in the text of a YAML file. Only the value's own place changes: the library, which would lay out the
 * whole file anew, writes it only where the place is unusual. Either way, comments stay.
 */
import { type Document, isCollection, isMap, isScalar, isSeq, parseDocument, stringify } from "yaml";
import type { KeyPath } from "../values/key-path.ts";
import { isRecord } from "../values/record.ts";
import { escapeVariables, unescapeVariables } from "./document.ts";

/** The place of a value. `appends`: a new entry of the list at `path`. */
export type EditedPlace = { path: KeyPath; appends?: boolean };

/**
 * @param text valid YAML; `${NAME}` may be anywhere
 * @param value null empties the key, which counts as unset
 */
export function editedText(text: string, place: EditedPlace, value: unknown): string {
  const escaped = escapeVariables(text);
  const written = withVariablesEscaped(value);
  const whole = wholeEdit(escaped, place, written);
  const precise = preciseEdit(escaped, place, written);
  return unescapeVariables(precise !== undefined && isSameValue(precise, whole) ? precise : whole);
}

function withVariablesEscaped(value: unknown): unknown {
  if (typeof value === "string") return escapeVariables(value);
  if (Array.isArray(value)) return value.map(withVariablesEscaped);
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withVariablesEscaped(inner)]));
}

function isSameValue(some: string, other: string): boolean {
  const [a, b] = [parseDocument(some), parseDocument(other)];
  return a.errors.length === 0 && JSON.stringify(a.toJS()) === JSON.stringify(b.toJS());
}

/** The file as the library writes it. */
function wholeEdit(text: string, { path, appends }: EditedPlace, value: unknown): string {
  const document = parseDocument(text);
  fillEmptyParents(document, appends ? [...path, 0] : path);
  const node = typeof value === "object" ? document.createNode(value) : value;
  if (appends) document.addIn(path, node);
  else document.setIn(path, node);
  return document.toString({ lineWidth: 0 });
}

/** A key without a value becomes a map or a list, so that something can be set in it. */
function fillEmptyParents(document: Document, path: KeyPath): void {
  for (let depth = 1; depth < path.length; depth++) {
    const parent = path.slice(0, depth);
    if (isCollection(document.getIn(parent, true))) continue;
    document.setIn(parent, document.createNode(typeof path[depth] === "number" ? [] : {}));
  }
}

/** Undefined where the place is neither an existing value nor the end of a block. */
function preciseEdit(text: string, { path, appends }: EditedPlace, value: unknown): string | undefined {
  const document = parseDocument(text);
  const inFlow = (inner: unknown) =>
    stringify(inner, { collectionStyle: "flow", lineWidth: 0, flowCollectionPadding: true }).trimEnd();
  const there: unknown = appends ? undefined : document.getIn(path, true);
  if (isScalar(there) || (isCollection(there) && there.flow)) {
    const [start, end] = there.range ?? [0, 0];
    return start === end ? undefined : text.slice(0, start) + inFlow(value) + text.slice(end);
  }
  if (there !== undefined) return undefined;
  const depth = appends ? path.length : deepestMap(document, path);
  const holder: unknown = depth === 0 ? document.contents : document.getIn(path.slice(0, depth), true);
  if (!(isMap(holder) || (appends && isSeq(holder))) || holder.flow || !holder.range) return undefined;
  const [start, end] = holder.range;
  const indent = text.slice(text.lastIndexOf("\n", start - 1) + 1, start);
  if (/\S/.test(indent)) return undefined;
  const entry = isSeq(holder) ? `- ${inFlow(value)}` : stringify(nested(path.slice(depth), value), { lineWidth: 0 });
  const lines = entry.trimEnd().replace(/^/gm, indent);
  const at = endOfLine(text, end);
  return `${text.slice(0, at)}${text[at - 1] === "\n" ? "" : "\n"}${lines}\n${text.slice(at)}`;
}

/** The start of the line after a position that is not already the start of one. */
function endOfLine(text: string, at: number): number {
  if (text[at - 1] === "\n") return at;
  const end = text.indexOf("\n", at);
  return end < 0 ? text.length : end + 1;
}

/** Length of the longest beginning of a path that leads to a map. */
function deepestMap(document: Document, path: KeyPath): number {
  const depths = path.map((_, index) => path.length - 1 - index);
  return depths.find((depth) => depth === 0 || isMap(document.getIn(path.slice(0, depth), true))) ?? 0;
}

function nested(path: KeyPath, value: unknown): unknown {
  return path.reduceRight<unknown>((inner, key) => ({ [key]: inner }), value);
}
