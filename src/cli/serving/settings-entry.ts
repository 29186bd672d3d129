/**
 * One entry added to another program's settings file, with everything else left as it was. Where that cannot be
 * promised (comments in JSON, an entry that is there already and says something else), nothing is written.
 */
import { isDeepStrictEqual } from "node:util";
import { parseDocument, stringify } from "yaml";

export type SettingsFormat = "json" | "toml" | "yaml";
/** The new text, or why there is none. */
export type Added = { text: string } | { same: true } | { refused: string };

/** The entry alone, as the file would hold it. */
export function snippetOf(format: SettingsFormat, at: readonly string[], entry: Record<string, unknown>): string {
  const nested = at.reduceRight<unknown>((inner, key) => ({ [key]: inner }), entry);
  switch (format) {
    case "json":
      return `${JSON.stringify(nested, null, 2).replace(/\[\s+([^[\]]*?)\s+\]/g, (_, list) => `[${list.replace(/,\s+/g, ", ")}]`)}\n`;
    case "yaml":
      return stringify(nested);
    case "toml":
      return tomlTable(at, entry);
    default:
      return format satisfies never;
  }
}

/** @param text the file as it is; empty where there is none */
export function addEntry(
  format: SettingsFormat,
  text: string,
  at: readonly string[],
  entry: Record<string, unknown>,
  replace: boolean,
): Added {
  if (text.trim() === "") return { text: snippetOf(format, at, entry) };
  const [mark = ""] = /^\uFEFF/.exec(text) ?? [];
  const lines = text.slice(mark.length).replaceAll("\r\n", "\n");
  const added = addToLines(format, lines, at, entry, replace);
  if (!("text" in added)) return added;
  return { text: mark + (text.includes("\r\n") ? added.text.replaceAll("\n", "\r\n") : added.text) };
}

function addToLines(
  format: SettingsFormat,
  text: string,
  at: readonly string[],
  entry: Record<string, unknown>,
  replace: boolean,
): Added {
  switch (format) {
    case "json":
      return addToJson(text, at, entry, replace);
    case "yaml":
      return addToYaml(text, at, entry, replace);
    case "toml":
      return addToToml(text, at, entry);
    default:
      return format satisfies never;
  }
}

/** Why not, where `--force` (in JSON and YAML) would. */
export const DIFFERENT = "it has an entry of that name which says something else";

function addToJson(text: string, at: readonly string[], entry: unknown, replace: boolean): Added {
  let settings: unknown;
  try {
    settings = JSON.parse(text, asWritten);
  } catch (error) {
    return { refused: `it is not plain JSON (${(error as Error).message}); with comments in it, only you can edit it` };
  }
  let holder = settings;
  for (const [depth, key] of at.entries()) {
    if (!isRecord(holder)) return { refused: `${at.slice(0, depth).join(".") || "the file"} is no object in it` };
    if (depth < at.length - 1) holder = holder[key] ??= {};
    else if (holder[key] === undefined || replace) holder[key] = entry;
    else return isDeepStrictEqual(holder[key], entry) ? { same: true } : { refused: DIFFERENT };
  }
  const indent = /^[\t ]+(?=")/m.exec(text)?.[0] ?? 2;
  return { text: `${JSON.stringify(settings, null, indent)}\n` };
}

/** Not in TypeScript's library yet. */
const { rawJSON } = JSON as unknown as { rawJSON(text: string): object };

/** Numbers go back as they were written: not every one of them is a number of JavaScript. */
function asWritten(_key: string, value: unknown, { source }: { source?: string } = {}): unknown {
  return typeof value === "number" && source !== undefined ? rawJSON(source) : value;
}

function addToYaml(text: string, at: readonly string[], entry: unknown, replace: boolean): Added {
  const document = parseDocument(text);
  const [mistake] = document.errors;
  if (mistake !== undefined) return { refused: `it is not YAML (${mistake.message.split("\n")[0]})` };
  const known: unknown = document.toJS()?.[at[0] ?? ""]?.[at[1] ?? ""];
  if (known !== undefined && !replace) return isDeepStrictEqual(known, entry) ? { same: true } : { refused: DIFFERENT };
  try {
    if (document.getIn(at.slice(0, 1)) === null) document.set(at[0], document.createNode({})); // A key with nothing after it.
    document.setIn(at, document.createNode(entry));
  } catch {
    return { refused: `${at.slice(0, -1).join(".")} is no mapping in it` };
  }
  return { text: document.toString({ lineWidth: 0 }) };
}

/**
 * A table may stand anywhere in TOML, so it is put at the end. What is there is only looked for, line by line: a table of
 * that name in any spelling, or a key in or above it. What looks so in a text of many lines is taken for it.
 */
function addToToml(text: string, at: readonly string[], entry: Record<string, unknown>): Added {
  const table = tomlTable(at, entry);
  if (text.includes(table)) return { same: true };
  let under: readonly string[] = [];
  for (const line of text.split("\n")) {
    const { header, key } = tomlLine(line);
    if (header !== undefined) under = header;
    const path = [...under, ...(key ?? [])];
    if (at.every((part, depth) => path[depth] === part)) return { refused: DIFFERENT };
    if (key !== undefined && path.every((part, depth) => at[depth] === part))
      return { refused: `${path.join(".")} is written inline in it` };
  }
  return { text: `${text.replace(/(?<!\n)\n*$/, "\n")}\n${table}` };
}

const TOML_KEY = `(?:[\\w-]+|"[^"]*"|'[^']*')`;
const TOML_PATH = `${TOML_KEY}(?:\\s*\\.\\s*${TOML_KEY})*`;
const TOML_HEADER = new RegExp(`^\\s*\\[{1,2}\\s*(${TOML_PATH})\\s*\\]{1,2}\\s*(?:#.*)?$`);
const TOML_ASSIGNMENT = new RegExp(`^\\s*(${TOML_PATH})\\s*=`);

/** The table that begins with a line, or the key that is given a value on it. */
function tomlLine(line: string): { header?: string[]; key?: string[] } {
  const [, header] = TOML_HEADER.exec(line) ?? [];
  if (header !== undefined) return { header: tomlParts(header) };
  const [, key] = TOML_ASSIGNMENT.exec(line) ?? [];
  return key === undefined ? {} : { key: tomlParts(key) };
}

function tomlParts(path: string): string[] {
  return (path.match(new RegExp(TOML_KEY, "g")) ?? []).map((part) => part.replace(/^["']|["']$/g, ""));
}

function tomlTable(at: readonly string[], entry: Record<string, unknown>): string {
  // JSON's texts and lists of texts are TOML as well.
  const lines = Object.entries(entry).map(
    ([key, value]) => `${key} = ${JSON.stringify(value).replaceAll('","', '", "')}`,
  );
  return `[${at.join(".")}]\n${lines.join("\n")}\n`;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !Object.isFrozen(value);
}
