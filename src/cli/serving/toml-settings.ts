/**
 * Settings in TOML. The parser does not keep comments, so the text is edited by whole tables, and parsed to check the
 * result.
 */
import { parse, TomlError } from "smol-toml";
import { isRecord } from "../../values/record.ts";
import {
  appendLines,
  type EntryPath,
  inlineList,
  lineBreakOf,
  SettingsError,
  type SettingsSyntax,
} from "./settings-syntax.ts";

export const tomlSettings: SettingsSyntax = {
  parse(text) {
    try {
      return structuredClone(parse(text, { integersAsBigInt: true })); // Parsed tables have no prototype and would compare as unequal.
    } catch (error) {
      if (!(error instanceof TomlError)) throw error;
      const [reason = ""] = error.message.replace(/^Invalid TOML document: /, "").split("\n");
      throw new SettingsError(`it is not valid TOML: line ${error.line}, column ${error.column}: ${reason}`);
    }
  },

  /** The entry replaces its former tables, or is appended: the order of tables does not matter. */
  edit(text, at, entry) {
    const table = tomlSettings.snippet(at, entry);
    const parts = text.split(/^(?=[\t ]*\[)/m);
    const former = hasEntry(text, at) ? parts.filter((part) => isTableOf(part, at)) : [];
    if (former.length === 0) return appendLines(text, `\n${table}`);
    return parts
      .map((part) => {
        if (!former.includes(part)) return part;
        return (part === former[0] ? table.replaceAll("\n", lineBreakOf(text)) : "") + afterTable(part);
      })
      .join("");
  },

  snippet(at, entry) {
    const lines = Object.entries(entry).map(
      ([key, value]) => `${key} = ${Array.isArray(value) ? inlineList(value) : JSON.stringify(value)}\n`,
    );
    return `[${at.join(".")}]\n${lines.join("")}`;
  },
};

/** Returns whether a part starts with the header of the entry, or of a table in it. */
function isTableOf(part: string, at: EntryPath): boolean {
  const [header = ""] = part.split("\n", 1);
  return header.trimStart().startsWith("[") && hasEntry(header, at);
}

function hasEntry(text: string, [section, name]: EntryPath): boolean {
  try {
    const holder = parse(text, { integersAsBigInt: true })[section];
    return isRecord(holder) && Object.hasOwn(holder, name);
  } catch {
    return false;
  }
}

/** Blank lines and comments at the end of a table belong to the next one. */
function afterTable(table: string): string {
  const lines = table.split(/(?<=\n)/);
  return lines.slice(lines.findLastIndex((line) => !/^\s*(#|$)/.test(line)) + 1).join("");
}
