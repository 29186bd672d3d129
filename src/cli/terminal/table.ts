/**
 * Rows and columns of text, aligned by display width. The last column is never padded. A table that is too wide for a
 * terminal drops or shortens columns; if that is not enough, each row becomes a record with a line per cell.
 */
import { stripVTControlCharacters } from "node:util";
import type { Paint } from "../io.ts";
import { displayWidth, fit, fitEnd, padTo } from "./terminal-text.ts";
import { wrapWords } from "./word-wrap.ts";

/** A column: its title, and what may happen to it where there is no room. */
export type TableColumn = {
  title: string;
  /** The column may be left out; of several, the last goes first. */
  isOptional?: true;
  /** Cells may be cut to this width, at their end or at their start. */
  least?: number;
  cut?: "end" | "start";
};

const GAP = 2;

/**
 * Cells must be safe one-line text. An empty table is an empty string.
 * @param columns width of the terminal; without it, cells are never changed
 */
export function formatTable(
  head: readonly (string | TableColumn)[],
  rows: readonly string[][],
  paint: Paint,
  columns = Number.POSITIVE_INFINITY,
): string {
  if (rows.length === 0) return "";
  const all = head.map((column, at) => ({
    ...(typeof column === "string" ? { title: column } : column),
    cells: rows.map((row) => row[at] ?? ""),
  }));
  const shown = shortened(withoutOptional(all, columns), columns);
  return tableWidth(shown) > columns ? records(shown, paint, columns) : aligned(shown, paint);
}

type Filled = TableColumn & { cells: string[] };

function visibleWidth(cell: string): number {
  return displayWidth(stripVTControlCharacters(cell));
}

function widthOf({ title, cells }: Filled): number {
  return cells.reduce((widest, cell) => Math.max(widest, visibleWidth(cell)), displayWidth(title));
}

function tableWidth(table: readonly Filled[]): number {
  return table.reduce((sum, column) => sum + widthOf(column) + GAP, -GAP);
}

function withoutOptional(table: readonly Filled[], columns: number): readonly Filled[] {
  const last = table.findLastIndex(({ isOptional }) => isOptional);
  if (last < 0 || tableWidth(table) <= columns) return table;
  return withoutOptional(table.toSpliced(last, 1), columns);
}

/** Takes what is missing from the columns that can be cut, the widest first. */
function shortened(table: readonly Filled[], columns: number): readonly Filled[] {
  let missing = tableWidth(table) - columns;
  const result = [...table];
  for (const column of table.filter(({ least }) => least !== undefined).sort((a, b) => widthOf(b) - widthOf(a))) {
    if (missing <= 0) break;
    const width = Math.max(column.least ?? 0, displayWidth(column.title), widthOf(column) - missing);
    missing -= widthOf(column) - width;
    const cut = column.cut === "start" ? fitEnd : fit;
    result[table.indexOf(column)] = { ...column, cells: column.cells.map((cell) => cut(cell, width)) };
  }
  return missing > 0 ? table : result;
}

function aligned(table: readonly Filled[], paint: Paint): string {
  const widths = table.map(widthOf);
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, at) => (at === cells.length - 1 ? cell : padTo(cell, widths[at] ?? 0)))
      .join(" ".repeat(GAP))
      .trimEnd();
  const [{ cells = [] } = {}] = table;
  const rows = cells.map((_, row) => line(table.map((column) => column.cells[row] ?? "")));
  return [paint("dim", line(table.map(({ title }) => title))), ...rows].map((text) => `${text}\n`).join("");
}

/** Each row as its first cell, with the named others below it. A first column without a title numbers the second. */
function records(table: readonly Filled[], paint: Paint, columns: number): string {
  const leads = table[0]?.title === "" ? 2 : 1;
  const rest = table.slice(leads);
  const widest = Math.max(...rest.map(({ title }) => displayWidth(title)));
  const [{ cells = [] } = {}] = table;
  const record = (row: number) => [
    wrapWords(
      table
        .slice(0, leads)
        .map((column) => column.cells[row] ?? "")
        .join(" "),
      columns,
    ),
    ...rest
      .filter((column) => (column.cells[row] ?? "") !== "")
      .map(({ title, cells }) => {
        const label = `  ${paint("dim", padTo(title, widest))}  `;
        return wrapWords(`${label}${cells[row]}`, columns, " ".repeat(widest + 4));
      }),
  ];
  return cells.map((_, row) => `${record(row).join("\n")}\n`).join("");
}
