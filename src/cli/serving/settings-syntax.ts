/** What a settings format has to offer so that one entry can be added to a file of it. */

/** The path to the entry. */
export type EntryPath = readonly [section: string, name: string];
export type SettingsEntry = Record<string, unknown>;

/** Texts have no byte order mark. */
export type SettingsSyntax = {
  /** @throws SettingsError */
  parse(text: string): unknown;
  /** Sets the entry, whose section is an object, null or absent. Whoever calls it checks that nothing else has changed. */
  edit(text: string, at: EntryPath, entry: SettingsEntry): string;
  /** The entry alone, as a new file would hold it. */
  snippet(at: EntryPath, entry: SettingsEntry): string;
};

/** A file that is not of its format; the message is a clause that says where and why. */
export class SettingsError extends Error {}

/** `["a", "b"]`, which is JSON and TOML. */
export function inlineList(items: readonly unknown[]): string {
  return `[${items.map((item) => JSON.stringify(item)).join(", ")}]`;
}

/** `text` and, from a new line on, `lines`, with the line breaks of the text. */
export function appendLines(text: string, lines: string): string {
  const end = lineBreakOf(text);
  return `${text}${text === "" || text.endsWith("\n") ? "" : end}${lines.replaceAll("\n", end)}`;
}

export function lineBreakOf(text: string): string {
  return /\r?\n/.exec(text)?.[0] ?? "\n";
}
