/**
 * Reads CSV as RFC 4180 defines it: quoted fields may contain separators, line breaks and doubled quotes. The separator is
 * the comma, semicolon or tab that the first line has most of. Blank lines are skipped.
 */

export type CsvRow = { fields: string[]; line: number };

/** `message`: a clause that says what was expected and found. Lines count from 1. */
export class CsvError extends Error {
  readonly line: number;
  constructor(message: string, line: number) {
    super(message);
    this.line = line;
  }
}

/** @throws CsvError */
export function parseCsv(text: string): CsvRow[] {
  const separator = separatorOf(text);
  const rows: CsvRow[] = [];
  let line = 1;
  for (let at = 0; at < text.length; ) {
    const begun = line;
    const fields: string[] = [];
    let isQuoted = false;
    for (;;) {
      const field = text[at] === '"' ? quotedField(text, at, separator, line) : plainField(text, at, separator);
      isQuoted ||= text[at] === '"';
      fields.push(field.value);
      line += field.breaks;
      at = field.end;
      if (text[at] !== separator) break;
      at += 1;
    }
    at += text.startsWith("\r\n", at) ? 2 : 1;
    line += 1;
    if (isQuoted || fields.length > 1 || fields[0]?.trim() !== "") rows.push({ fields, line: begun });
  }
  return rows;
}

type CsvField = { value: string; end: number; breaks: number };

function plainField(text: string, at: number, separator: string): CsvField {
  let end = at;
  while (end < text.length && text[end] !== separator && !isBreak(text[end])) end += 1;
  return { value: text.slice(at, end), end, breaks: 0 };
}

function quotedField(text: string, at: number, separator: string, line: number): CsvField {
  let close = text.indexOf('"', at + 1);
  while (close >= 0 && text[close + 1] === '"') close = text.indexOf('"', close + 2);
  if (close < 0) throw new CsvError('expected a quote (") that closes this field; found the end of the file', line);
  const written = text.slice(at + 1, close);
  const breaks = written.split("\n").length - 1;
  const end = close + 1;
  const next = text[end];
  if (next !== undefined && next !== separator && !isBreak(next)) {
    const found = `expected a separator after the closing quote; found ${JSON.stringify(text.slice(end, end + 10))}`;
    throw new CsvError(`${found}. A quote inside of a quoted field is written twice`, line + breaks);
  }
  return { value: written.replaceAll('""', '"'), end, breaks };
}

function isBreak(character: string | undefined): boolean {
  return character === "\n" || character === "\r";
}

/** Counted outside of quotes; a comma if the first line has none of them. */
function separatorOf(text: string): string {
  const [first = ""] = text.trimStart().split(/\r\n|\n|\r/, 1);
  const plain = first.replaceAll(/"[^"]*"?/g, "");
  const count = (separator: string) => plain.split(separator).length;
  return [",", ";", "\t"].reduce((most, separator) => (count(separator) > count(most) ? separator : most));
}
