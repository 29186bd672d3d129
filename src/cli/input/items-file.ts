/** Reads the rows of `--items`: a CSV file with a line of names, or a file with one JSON value per line. */
import { extname } from "node:path";
import { DeputyError } from "../../errors.ts";
import { suggest } from "../../text/did-you-mean.ts";
import type { PlaceholderValue } from "../../text/placeholders.ts";
import { isRecord } from "../../values/record.ts";
import type { Io } from "../io.ts";
import { CsvError, type CsvRow, parseCsv } from "./csv.ts";
import { readText, type TaskFileText } from "./task-file.ts";

/** A row and its place, such as `rows.csv:3`. */
export type ItemRow = { value: unknown; place: string };

const EXPECTED = "Expected rows: CSV with a line of names, or JSON lines.";

/** @throws DeputyError `input-unreadable`, with the row */
export async function readItems(path: string, io: Io): Promise<ItemRow[]> {
  const kind = extname(path).toLowerCase();
  const read = { ".csv": csvItems, ".tsv": csvItems, ".jsonl": jsonItems, ".ndjson": jsonItems }[kind];
  if (read === undefined)
    throw new DeputyError("usage", `--items: expected a file whose name ends in .csv or .jsonl; found ${path}.`);
  const items = await read(await readText(path, io, EXPECTED));
  if (items.length === 0) throw unreadable(`${path}: expected at least one row; found none.`);
  return items;
}

async function csvItems({ name, text }: TaskFileText): Promise<ItemRow[]> {
  const [head, ...rows] = csvRows(text, name);
  if (head === undefined) return [];
  const names = head.fields.map((field) => field.trim());
  const wrong = names.find((field, at) => field === "" || names.indexOf(field) !== at);
  if (wrong !== undefined) {
    const found = wrong === "" ? "an empty one" : `${wrong} twice`;
    throw unreadable(`${name}:${head.line}: expected a different name for each column; found ${found}.`);
  }
  return rows.map(({ fields, line }) => {
    const place = `${name}:${line}`;
    if (fields.length === names.length)
      return { value: Object.fromEntries(names.map((field, at) => [field, fields[at]])), place };
    const quotes = "A field that contains the separator needs quotes.";
    throw unreadable(
      `${place}: expected ${names.length} fields, as in line ${head.line}; found ${fields.length}. ${quotes}`,
    );
  });
}

function csvRows(text: string, name: string): CsvRow[] {
  try {
    return parseCsv(text);
  } catch (error) {
    if (error instanceof CsvError) throw unreadable(`${name}:${error.line}: ${error.message}.`);
    throw error;
  }
}

async function jsonItems({ name, text }: TaskFileText): Promise<ItemRow[]> {
  const { JsonError, parseJson } = await import("./json-text.ts");
  return text.split(/\r?\n/).flatMap((line, index): ItemRow[] => {
    if (line.trim() === "") return [];
    const place = `${name}:${index + 1}`;
    try {
      return [{ value: parseJson(line), place }];
    } catch (error) {
      if (error instanceof JsonError) throw unreadable(`${place}:${error.column}: ${error.message}.`);
      throw error;
    }
  });
}

/** `{{item}}` and `{{item.field}}`. A value that is not text is put in as JSON. @throws DeputyError `input-unreadable` */
export function itemValue({ value, place }: ItemRow): PlaceholderValue {
  return (path) => {
    const found = path.reduce<unknown>((inner, field) => fieldOf(inner, field.trim(), { path, place }), value);
    if (found === null || found === undefined) return "";
    return typeof found === "string" ? found : JSON.stringify(found);
  };
}

function fieldOf(inner: unknown, field: string, { path, place }: { path: readonly string[]; place: string }): unknown {
  if (isRecord(inner) && Object.hasOwn(inner, field)) return inner[field];
  if (Array.isArray(inner) && /^\d+$/.test(field) && Number(field) < inner.length) return inner[Number(field)];
  const [close] = isRecord(inner) ? suggest(field, Object.keys(inner), 1) : [];
  const hint = close === undefined ? "" : ` Did you mean ${close}?`;
  throw unreadable(`${place}: expected a value for {{item.${path.join(".")}}}; the row has no ${field}.${hint}`);
}

function unreadable(message: string): DeputyError {
  return new DeputyError("input-unreadable", message);
}
