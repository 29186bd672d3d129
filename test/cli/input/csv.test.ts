/** CSV is read as it was written: any text in any field, with any line ends and separator. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { CsvError, parseCsv } from "../../../src/cli/input/csv.ts";
import { createRandom, type Random, testSeed } from "../../support/end-to-end-moments.ts";

const fieldsOf = (text: string) => parseCsv(text).map(({ fields }) => fields);

const PIECES = ["a", "ü", "漢", " ", '"', '""', ",", ";", "\t", "\n", "\r\n", "\\", "{{item}}", "'", "0"];

function anyField(random: Random): string {
  return Array.from({ length: Math.floor(random() * 6) }, () => PIECES[Math.floor(random() * PIECES.length)]).join("");
}

/** Quoted if it must be, and sometimes if not. */
function written(field: string, separator: string, random: Random): string {
  const needsQuotes = /["\r\n]/.test(field) || field.includes(separator) || random() < 0.3;
  return needsQuotes ? `"${field.replaceAll('"', '""')}"` : field;
}

describe("CSV", () => {
  test("gives back every table that was written, whatever its separator and line ends", () => {
    const seed = testSeed();
    const random = createRandom(seed);
    for (let round = 0; round < 500; round++) {
      const separator = [",", ";", "\t"][Math.floor(random() * 3)] ?? ",";
      const lineEnd = random() < 0.5 ? "\n" : "\r\n";
      const columns = 2 + Math.floor(random() * 3);
      const head = Array.from({ length: columns }, (_, at) => `c${at}`);
      const rows = Array.from({ length: Math.floor(random() * 4) }, () =>
        Array.from({ length: columns }, () => anyField(random)),
      );
      const lines = [head, ...rows].map((row) => row.map((field) => written(field, separator, random)).join(separator));
      const text = lines.join(lineEnd) + (random() < 0.5 ? lineEnd : "");
      assert.deepEqual(fieldsOf(text), [head, ...rows], `seed ${seed}, round ${round}: ${JSON.stringify(text)}`);
    }
  });

  test("skips blank lines, and counts lines within fields", () => {
    const rows = parseCsv('a,b\n\n"1\n2",3\r\n  \n4,5');
    assert.deepEqual(
      rows.map(({ fields, line }) => [line, ...fields]),
      [
        [1, "a", "b"],
        [3, "1\n2", "3"],
        [6, "4", "5"],
      ],
    );
  });

  test("names the line of a quote that is never closed, or closed too early", () => {
    const cases: [text: string, line: number, words: RegExp][] = [
      ['a,b\n1,"2\n3', 2, /a quote \("\) that closes this field; found the end of the file/],
      ['a,b\n"x" y,2', 2, /a separator after the closing quote; found " y,2"/],
      ['a\n"1\n"2"', 3, /is written twice/],
    ];
    for (const [text, line, words] of cases)
      assert.throws(
        () => parseCsv(text),
        (error) => error instanceof CsvError && error.line === line && words.test(error.message),
        text,
      );
  });

  test("is read in linear time", () => {
    const begunAt = performance.now();
    assert.equal(parseCsv(`a\n${'""'.repeat(500_000)}`).length, 2);
    assert.equal(parseCsv(`a,b\n${"x,y\n".repeat(200_000)}`).length, 200_001);
    assert.ok(performance.now() - begunAt < 5_000);
  });
});
