/**
 * One entry added to another program's settings file, with everything else left as it was. Where that cannot be
 * promised (comments in JSON, an entry that is there already and says something else), nothing is written.
 */
import { isDeepStrictEqual } from "node:util";
import { parseDocument, stringify } from "yaml";

export type Format = "json" | "toml" | "yaml";
/** The new text, or why there is none. */
export type Added = { text: string } | { same: true } | { refused: string };

/** The entry alone, as the file would hold it. */
export function snippetOf(format: Format, at: readonly string[], entry: Record<string, unknown>): string {
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
  format: Format,
  text: string,
  at: readonly string[],
  entry: Record<string, unknown>,
  replace: boolean,
): Added {
  if (text.trim() === "") return { text: snippetOf(format, at, entry) };
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

const DIFFERENT = "it has an entry of that name which says something else";

function addToJson(text: string, at: readonly string[], entry: unknown, replace: boolean): Added {
  let settings: unknown;
  try {
    settings = JSON.parse(text);
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

function addToYaml(text: string, at: readonly string[], entry: unknown, replace: boolean): Added {
  const document = parseDocument(text);
  const [mistake] = document.errors;
  if (mistake !== undefined) return { refused: `it is not YAML (${mistake.message.split("\n")[0]})` };
  const known: unknown = document.toJS()?.[at[0] ?? ""]?.[at[1] ?? ""];
  if (known !== undefined && !replace) return isDeepStrictEqual(known, entry) ? { same: true } : { refused: DIFFERENT };
  try {
    document.setIn(at, document.createNode(entry));
  } catch {
    return { refused: `${at.slice(0, -1).join(".")} is no mapping in it` };
  }
  return { text: document.toString({ lineWidth: 0 }) };
}

/** A table may stand anywhere in TOML, so it is put at the end. Tables that are there are only looked for. */
function addToToml(text: string, at: readonly string[], entry: Record<string, unknown>): Added {
  const table = tomlTable(at, entry);
  if (text.includes(table)) return { same: true };
  const [parent = "", name = ""] = at;
  const isThere = new RegExp(`^\\s*\\[\\s*${parent}\\s*\\.\\s*"?${name}"?\\s*[\\].]`, "m").test(text);
  if (isThere) return { refused: DIFFERENT };
  if (new RegExp(`^\\s*${parent}(\\s*\\.\\s*"?${name}"?)?\\s*=`, "m").test(text)) {
    return { refused: `${parent} is written inline in it` };
  }
  return { text: `${text.replace(/\n*$/, "\n")}\n${table}` };
}

function tomlTable(at: readonly string[], entry: Record<string, unknown>): string {
  // JSON's texts and lists of texts are TOML as well.
  const lines = Object.entries(entry).map(
    ([key, value]) => `${key} = ${JSON.stringify(value).replaceAll('","', '", "')}`,
  );
  return `[${at.join(".")}]\n${lines.join("\n")}\n`;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
