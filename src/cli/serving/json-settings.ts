/**
 * Settings in JSON, with comments and trailing commas as VS Code, Cursor and opencode accept them. `modify` of the same
 * parser is not used: it reformats neighboring entries and moves their comments behind the new entry.
 */
import { findNodeAtLocation, type Node, parseTree, stripComments } from "jsonc-parser";
import { isRecord } from "../../values/record.ts";
import { JSONC, JsonError, parseJsonc } from "../input/json-text.ts";
import { appendLines, inlineList, lineBreakOf, SettingsError, type SettingsSyntax } from "./settings-syntax.ts";

export const jsonSettings: SettingsSyntax = {
  parse(text) {
    try {
      return parseJsonc(text);
    } catch (error) {
      if (!(error instanceof JsonError)) throw error;
      throw new SettingsError(`it is not valid JSON: line ${error.line}, column ${error.column}: ${error.message}`);
    }
  },

  edit(text, [section, name], entry) {
    const root = parseTree(text, [], JSONC);
    if (root === undefined) return appendLines(text, jsonSettings.snippet([section, name], entry));
    const holder = findNodeAtLocation(root, [section]);
    const known = findNodeAtLocation(root, [section, name]);
    if (known !== undefined) return replaceValue(text, known, entry);
    if (holder?.type === "object") return insertProperty(text, holder, name, entry);
    if (holder !== undefined) return replaceValue(text, holder, { [name]: entry });
    return insertProperty(text, root, section, { [name]: entry });
  },

  snippet: ([section, name], entry) => `${written({ [section]: { [name]: entry } }, "  ", "")}\n`,
};

function replaceValue(text: string, { offset, length }: Node, value: unknown): string {
  return text.slice(0, offset) + valueText(text, value, indentAt(text, offset)) + text.slice(offset + length);
}

/** Adds a property at the end: on its own lines, or within an object on one line. */
function insertProperty(text: string, object: Node, key: string, value: unknown): string {
  const open = object.offset + 1;
  const close = object.offset + object.length - 1;
  const last = object.children?.at(-1);
  const lastEnd = last === undefined ? open : last.offset + last.length;
  if (last !== undefined && !text.slice(open, close).includes("\n"))
    return `${text.slice(0, lastEnd)}, ${JSON.stringify(key)}: ${JSON.stringify(value)}${text.slice(lastEnd)}`;
  const outer = indentAt(text, object.offset);
  const indent = last === undefined ? outer + unitOf(text) : indentAt(text, last.offset);
  const lineBreak = lineBreakOf(text);
  const hasComma = /^\s*,/.test(stripComments(text.slice(lastEnd, close), " "));
  const contentEnd = open + text.slice(open, close).trimEnd().length;
  return [
    text.slice(0, lastEnd),
    last === undefined || hasComma ? "" : ",",
    text.slice(lastEnd, contentEnd),
    `${lineBreak}${indent}${JSON.stringify(key)}: ${valueText(text, value, indent)}${hasComma ? "," : ""}`,
    text.slice(contentEnd, close).includes("\n") ? text.slice(contentEnd, close) : lineBreak + outer,
    text.slice(close),
  ].join("");
}

function valueText(text: string, value: unknown, indent: string): string {
  return written(value, unitOf(text), indent).replaceAll("\n", lineBreakOf(text));
}

/** Formats an object over several lines, a list on one. */
function written(value: unknown, unit: string, indent: string): string {
  if (Array.isArray(value)) return inlineList(value);
  if (!isRecord(value)) return JSON.stringify(value);
  const inner = indent + unit;
  const lines = Object.entries(value).map(
    ([key, item]) => `${inner}${JSON.stringify(key)}: ${written(item, unit, inner)}`,
  );
  return `{\n${lines.join(",\n")}\n${indent}}`;
}

/** The indentation of the text's first level. */
function unitOf(text: string): string {
  return /^[\t ]+(?=["/])/m.exec(text)?.[0] ?? "  ";
}

/** White space at the beginning of the line. */
function indentAt(text: string, offset: number): string {
  const line = text.slice(text.lastIndexOf("\n", offset - 1) + 1, offset);
  return /^[\t ]*/.exec(line)?.[0] ?? "";
}
