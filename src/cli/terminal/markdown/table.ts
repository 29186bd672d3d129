/** Tables, fitted to the columns of the terminal: cells wrap, and where even that is too wide, each row is a list. */
import type { Tokens } from "marked";
import { inlineSpans } from "./inline.ts";
import { aligned, EMPTY_ROW, indented, span, type TextRow, textOf, widthOf, withStyles, wrapped } from "./spans.ts";

const GAP = 2;
/** No column of a table is narrower, unless all that it holds is. */
const LEAST_CELL = 8;
/** Width of a cell that counts: a longer one wraps in any case. */
const MAX_MEASURED = 1_000;

export function tableRows({ header, rows }: Tokens.Table, columns: number): TextRow[] {
  const natural = header.map((head, at) => Math.max(cellWidth(head), ...rows.map((cells) => cellWidth(cells[at]))));
  const widths = fittedWidths(natural, columns - GAP * (header.length - 1));
  if (widths === undefined) return stackedRows({ header, rows }, columns);
  const rule = widths.map((width) => "─".repeat(width)).join("─".repeat(GAP));
  return [
    ...lineRows(header, widths, true),
    [span(rule, "dim")],
    ...rows.flatMap((cells) => lineRows(cells, widths, false)),
  ];
}

function cellWidth(cell: Tokens.TableCell | undefined): number {
  const [row = EMPTY_ROW] = cell === undefined ? [] : wrapped(inlineSpans(cell.tokens), MAX_MEASURED);
  return widthOf(row);
}

/** Narrows the widest columns until all fit; undefined if they cannot. */
function fittedWidths(natural: readonly number[], room: number): number[] | undefined {
  const least = natural.map((width) => Math.min(width, LEAST_CELL));
  if (sum(least) > room) return undefined;
  let cap = Math.max(...natural);
  while (sum(natural.map((width) => Math.min(width, cap))) > room) cap -= 1;
  return natural.map((width) => Math.min(width, cap));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}

function lineRows(cells: readonly Tokens.TableCell[], widths: readonly number[], isHead: boolean): TextRow[] {
  const wrappedCells = widths.map((width, at) => cellRows(cells[at], width, isHead));
  const height = Math.max(1, ...wrappedCells.map((rows) => rows.length));
  return Array.from({ length: height }, (_, line) =>
    wrappedCells.flatMap((rows, at) => {
      const cell = aligned(rows[line] ?? EMPTY_ROW, widths[at] ?? 0, cells[at]?.align ?? null);
      return at === 0 ? cell : [span(" ".repeat(GAP)), ...cell];
    }),
  );
}

function cellRows(cell: Tokens.TableCell | undefined, width: number, isHead: boolean): TextRow[] {
  if (cell === undefined) return [];
  const spans = inlineSpans(cell.tokens);
  return wrapped(isHead ? withStyles(spans, "bold") : spans, width);
}

/** `head: cell`, one below the other, with an empty row between two rows of the table. */
function stackedRows({ header, rows }: Pick<Tokens.Table, "header" | "rows">, columns: number): TextRow[] {
  return rows.flatMap((cells, index) => {
    const lines = cells.flatMap((cell, at) => {
      const head = textOf(withStyles(inlineSpans(header[at]?.tokens ?? [])));
      const spans = [span(`${head}: `, "bold"), ...inlineSpans(cell.tokens)];
      return indented((room) => wrapped(spans, room), columns, span(""), span("  "));
    });
    return index === 0 ? lines : [EMPTY_ROW, ...lines];
  });
}
