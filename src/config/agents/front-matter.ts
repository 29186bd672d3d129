/**
 * The front matter of a Markdown file, as people write it: mostly YAML, often with descriptions that are not valid YAML.
 * If it cannot be read as YAML, it is cut into its fields, and only a broken field is taken as plain text. Each line is
 * looked at once.
 */
import type { Fields } from "../consume.ts";
import { readYaml } from "../document.ts";

export type FrontMatter = { fields: Fields; body: string };

/** More than any definition has. It bounds what its YAML costs: where that is hostile, the cost grows with the square. */
const MAX_MATTER = 16 * 1024;

/** @param keys the fields that such a file may have; other words before a colon belong to the text above them */
export function readFrontMatter(
  file: string,
  text: string,
  keys: ReadonlySet<string>,
): FrontMatter | { errors: string[] } {
  const lines = text.replace(/^\uFEFF/, "").split(/\r\n|\r|\n/);
  const start = lines.findIndex((line) => line.trim() !== "");
  const opens = FENCE.test(lines[start] ?? "");
  const end = opens ? endOf(lines, start, keys) : -1;
  if (end < 0) {
    const found = opens ? `the first, in line ${start + 1}` : "none";
    return { errors: [`${file}: expected front matter between two lines of --- at its beginning; found ${found}`] };
  }
  const matter = withKnownKeys(lines.slice(start + 1, end), keys);
  const length = matter.join("\n").length;
  if (length > MAX_MATTER)
    return { errors: [`${file}: expected front matter of at most ${MAX_MATTER} characters; found ${length}`] };
  // Lines are counted as in the file.
  const read = readYaml(file, "\n".repeat(start + 1) + matter.join("\n"));
  const body = lines.slice(end + 1).join("\n");
  if (!("errors" in read)) return { fields: read.value, body };
  const fields = readFields(matter, keys);
  return fields === undefined ? read : { fields, body };
}

const FENCE = /^-{3,}\s*$/;
/** End of a document in YAML. */
const END = /^(-{3,}|\.{3})\s*$/;

/** Line at which the front matter ends: the next fence or, if nobody closed it, the blank line below its fields. */
function endOf(lines: readonly string[], start: number, keys: ReadonlySet<string>): number {
  const end = lines.findIndex((line, index) => index > start && END.test(line));
  if (end >= 0) return end;
  const blank = lines.findIndex((line, index) => index > start && line.trim() === "");
  const above = lines.slice(start + 1, Math.max(blank, 0));
  const isFields = above.length > 0 && above.every((line) => keys.has(keyOf(line)));
  const hasFieldBelow = lines.slice(blank).some((line) => keys.has(keyOf(line)));
  return isFields && !hasFieldBelow ? blank : -1;
}

function keyOf(line: string): string {
  return /^([A-Za-z][\w-]*):(?:\s|$)/.exec(line)?.[1] ?? "";
}

/** `Tools :` as `tools:`, where no line has the key as it is. */
function withKnownKeys(lines: readonly string[], keys: ReadonlySet<string>): string[] {
  const written = new Set(lines.map(keyOf));
  const known = new Map([...keys].map((key) => [key.toLowerCase(), key]));
  return lines.map((line) => {
    const [whole = "", word = ""] = /^([A-Za-z][\w-]*)[ \t]*:(?=\s|$)/.exec(line) ?? [];
    const key = known.get(word.toLowerCase());
    return key === undefined || written.has(key) ? line : `${key}:${line.slice(whole.length)}`;
  });
}

// Front matter that is no YAML ----------------------------------------------------------------------------------------

/** Fields whose text may run over several lines. */
const TEXTS = ["description", "prompt"];

/** One field as it is written; lines before the first have no key. */
type Field = { key: string; lines: string[] };

/** The fields one by one; undefined where one of them cannot be read, or is there twice. */
function readFields(lines: readonly string[], keys: ReadonlySet<string>): Fields | undefined {
  const fields: Fields = {};
  for (const field of cut(lines, keys)) {
    const read = readField(field, keys);
    if (read === undefined || Object.keys(read).some((key) => key in fields)) return undefined;
    Object.assign(fields, read);
  }
  return fields;
}

/** A field begins where a key of the file's does, at the beginning of a line; within a text, if it is a new one. */
function cut(lines: readonly string[], keys: ReadonlySet<string>): Field[] {
  const fields: Field[] = [];
  const seen = new Set<string>();
  for (const line of lines) {
    const key = keyOf(line);
    const last = fields.at(-1);
    const isInText = last !== undefined && TEXTS.includes(last.key);
    if (key !== "" && (!isInText || (keys.has(key) && !seen.has(key)))) {
      seen.add(key);
      fields.push({ key, lines: [line] });
    } else if (last !== undefined) last.lines.push(line);
    else if (line.trim() !== "" && !line.startsWith("#")) fields.push({ key: "", lines: [line] });
  }
  return fields;
}

function readField({ key, lines }: Field, keys: ReadonlySet<string>): Fields | undefined {
  const text = lines
    .join("\n")
    .slice(key.length + 1)
    .trim();
  if (key !== "" && !keys.has(key)) return { [key]: text };
  for (const written of [lines, lines.map(corrected)]) {
    const read = readYaml(key, written.join("\n"));
    if (!("errors" in read)) return read.value;
  }
  const mayBeText = TEXTS.includes(key) || !text.includes("\n");
  return key === "" || !mayBeText || /^[[{]/.test(text) ? undefined : { [key]: plainText(text) };
}

/** Tabs before an entry, and patterns as keys: `*: deny`. */
function corrected(line: string): string {
  return line
    .replace(/^[ \t]+/, (indent) => indent.replaceAll("\t", "  "))
    .replace(/^( +)(\*[^:"]*):(?=\s)/, '$1"$2":');
}

/** A text without the quotes around it, or one that was never closed, and without the sign of a block. */
function plainText(text: string): string {
  const [, quote = ""] = /^(["'])/.exec(text) ?? [];
  const inside = text.slice(quote.length, quote !== "" && text.length > 1 && text.endsWith(quote) ? -1 : undefined);
  const block = inside.replace(/^[|>][+-]?\d?[+-]?[ \t]*\n/, "");
  return block.replaceAll('\\"', '"').replaceAll("\\n", "\n").trim();
}
