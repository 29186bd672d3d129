/**
 * Adds one entry to another program's settings file and leaves the rest as it is. An edit that would change another
 * value is rejected: the parsed values are compared before and after.
 */
import { isDeepStrictEqual } from "node:util";
import { fieldsOf, isRecord } from "../../values/record.ts";
import { jsonSettings } from "./json-settings.ts";
import { type EntryPath, type SettingsEntry, SettingsError, type SettingsSyntax } from "./settings-syntax.ts";
import { tomlSettings } from "./toml-settings.ts";
import { yamlSettings } from "./yaml-settings.ts";

const SYNTAX = { json: jsonSettings, toml: tomlSettings, yaml: yamlSettings };

export type SettingsFormat = keyof typeof SYNTAX;
/** The new text, or why there is none. */
export type Added = { text: string } | { same: true } | { refused: string };

/** The entry alone, in the file's format. */
export function snippetOf(format: SettingsFormat, at: EntryPath, entry: SettingsEntry): string {
  return SYNTAX[format].snippet(at, entry);
}

/** The reason for which `--force` helps. */
export const DIFFERENT = "it has a different entry of that name";

/** @param text the current content; empty if there is no file */
export function addEntry(
  format: SettingsFormat,
  text: string,
  at: EntryPath,
  entry: SettingsEntry,
  replace: boolean,
): Added {
  const syntax = SYNTAX[format];
  if (text.trim() === "") return { text: syntax.snippet(at, entry) };
  const [mark = ""] = /^\uFEFF/.exec(text) ?? [];
  const before = text.slice(mark.length);
  try {
    const known = entryIn(syntax.parse(before), at);
    if (isDeepStrictEqual(known, entry)) return { same: true };
    if (known !== undefined && !replace) return { refused: DIFFERENT };
  } catch (error) {
    if (error instanceof SettingsError) return { refused: error.message };
    throw error;
  }
  const after = syntax.edit(before, at, entry);
  if (isOnlyEntrySet(syntax, before, after, at, entry)) return { text: mark + after };
  return { refused: `the entry cannot be added to its ${at[0]} without changing more` };
}

/** @throws SettingsError if the file has no place for an entry */
function entryIn(settings: unknown, [section, name]: EntryPath): unknown {
  const root = settings ?? {};
  if (!isRecord(root)) throw new SettingsError("it does not contain an object");
  const holder = root[section] ?? {};
  if (!isRecord(holder)) throw new SettingsError(`${section} is not an object in it`);
  return holder[name];
}

function isOnlyEntrySet(
  { parse }: SettingsSyntax,
  before: string,
  after: string,
  [section, name]: EntryPath,
  entry: SettingsEntry,
): boolean {
  const expected = fieldsOf(parse(before));
  expected[section] = { ...fieldsOf(expected[section]), [name]: entry };
  try {
    return isDeepStrictEqual(parse(after), expected);
  } catch (error) {
    if (error instanceof SettingsError) return false;
    throw error;
  }
}
