/** Operations that a settings format must provide so that one entry can be added to a file. */

/** The path to the entry. */
export type EntryPath = readonly [section: string, name: string];
export type SettingsEntry = Record<string, unknown>;

/** Texts have no byte order mark. */
export type SettingsSyntax = {
  /** @throws SettingsError */
  parse(text: string): unknown;
  /** Sets the entry, whose section is an object, null or absent. The caller checks that nothing else changed. */
  edit(text: string, at: EntryPath, entry: SettingsEntry): string;
  /** The entry alone, as a new file would contain it. */
  snippet(at: EntryPath, entry: SettingsEntry): string;
};

/** The error for a file in another format; the message is a clause that says where and why. */
export class SettingsError extends Error {}

/** Formats `["a", "b"]`, which is valid JSON and TOML. */
export function inlineList(items: readonly unknown[]): string {
  return `[${items.map((item) => JSON.stringify(item)).join(", ")}]`;
}

/** Appends lines to a text, starting on a new line, with the text's line breaks. */
export function appendLines(text: string, lines: string): string {
  const end = lineBreakOf(text);
  return `${text}${text === "" || text.endsWith("\n") ? "" : end}${lines.replaceAll("\n", end)}`;
}

export function lineBreakOf(text: string): string {
  return /\r?\n/.exec(text)?.[0] ?? "\n";
}
