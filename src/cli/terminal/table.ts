/**
 * Rows and columns of text, aligned by display width. The last column is never padded. A table that is too wide for a
 * terminal drops or shortens columns; if that is not enough, each row becomes a record with a line per cell.
 */
import type { Paint, TextStyle } from "../io.ts";
import { displayWidth, fit, fitEnd, padTo } from "./terminal-text.ts";
import { wrapWords } from "./word-wrap.ts";

/** A column: its title, and what may happen to it where there is no room. */
export type TableColumn = {
  title: string;
  /** The column may be left out; of several, the last goes first. */
  isOptional?: true;
  /** Cells may be cut to this width, at their end or at their start. */
  least?: number;
  /** Optional columns are left out before cells are cut further than this. Default: `least`. */
  usual?: number;
  cut?: "end" | "start";
};

/** Safe one-line text without styles; a style applies to all of it. */
export type TableCell = string | { text: string; style: TextStyle };

const GAP = 2;
/** A cell that may be cut takes about this many rows of a record. */
const RECORD_ROWS = 3;

/**
 * An empty table is an empty string.
 * @param columns width of the terminal; without it, cells are never changed
 */
export function formatTable(
  head: readonly (string | TableColumn)[],
  rows: readonly (readonly TableCell[])[],
  paint: Paint,
  columns = Number.POSITIVE_INFINITY,
): string {
  if (rows.length === 0) return "";
  const all = head.map((column, at) => ({
    ...(typeof column === "string" ? { title: column } : column),
    cells: rows.map((row) => cellOf(row[at] ?? "")),
  }));
  const shown = shortened(withoutOptional(all, columns), columns);
  return tableWidth(shown) > columns ? records(shown, paint, columns) : aligned(shown, paint);
}

type Cell = { text: string; style?: TextStyle };
type Filled = TableColumn & { cells: Cell[] };

function cellOf(cell: TableCell): Cell {
  return typeof cell === "string" ? { text: cell } : cell;
}

function painted({ style }: Cell, text: string, paint: Paint): string {
  return style === undefined ? text : paint(style, text);
}

function widthOf({ title, cells }: Filled): number {
  return cells.reduce((widest, { text }) => Math.max(widest, displayWidth(text)), displayWidth(title));
}

/** Width of a column that keeps what optional ones must leave it. */
function usualWidthOf(column: Filled): number {
  const { title, least, usual = least } = column;
  return usual === undefined ? widthOf(column) : Math.min(widthOf(column), Math.max(usual, displayWidth(title)));
}

function tableWidth(table: readonly Filled[], width = widthOf): number {
  return table.reduce((sum, column) => sum + width(column) + GAP, -GAP);
}

function withoutOptional(table: readonly Filled[], columns: number): readonly Filled[] {
  const last = table.findLastIndex(({ isOptional }) => isOptional);
  if (last < 0 || tableWidth(table, usualWidthOf) <= columns) return table;
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
    const cells = column.cells.map((cell) => ({ ...cell, text: cutOf(column)(cell.text, width) }));
    result[table.indexOf(column)] = { ...column, cells };
  }
  return missing > 0 ? table : result;
}

function cutOf({ cut }: TableColumn): typeof fit {
  return cut === "start" ? fitEnd : fit;
}

function aligned(table: readonly Filled[], paint: Paint): string {
  const widths = table.map(widthOf);
  const line = (cells: readonly Cell[]) =>
    cells
      .map((cell, at) => painted(cell, cell.text, paint) + " ".repeat(widths[at] ?? 0).slice(displayWidth(cell.text)))
      .join(" ".repeat(GAP))
      .trimEnd();
  const [{ cells = [] } = {}] = table;
  const rows = cells.map((_, row) => line(rowOf(table, row)));
  return [paint("dim", line(table.map(({ title }) => cellOf(title)))), ...rows].map((text) => `${text}\n`).join("");
}

function rowOf(table: readonly Filled[], row: number): Cell[] {
  return table.map(({ cells }) => cells[row] ?? cellOf(""));
}

/**
 * Each row as its first cell, with the named others below it. Columns without a title that come first number or mark
 * it. A word that is wider than a row is cut.
 */
function records(table: readonly Filled[], paint: Paint, columns: number): string {
  const leads = table.findIndex(({ title }) => title !== "") + 1;
  const rest = table.slice(leads);
  const widest = Math.max(...rest.map(({ title }) => displayWidth(title)));
  const beside = widest + 2 * GAP;
  const record = (row: number) => {
    const lead = rowOf(table.slice(0, leads), row).filter(({ text }) => text !== "");
    const head = lead.map((cell) => painted(cell, withShortWords(cell.text, columns, fit), paint)).join(" ");
    const facts = rest.flatMap((column) => {
      const cell = column.cells[row] ?? cellOf("");
      if (cell.text === "") return [];
      const isBeside = beside + widestWord(cell.text) <= columns;
      const most = column.least === undefined ? Number.POSITIVE_INFINITY : RECORD_ROWS * (columns - beside);
      const text = withShortWords(cutOf(column)(cell.text, most), columns - 2 * GAP, cutOf(column));
      const label = `  ${paint("dim", padTo(column.title, widest))}  `;
      return wrapWords(label + painted(cell, text, paint), columns, " ".repeat(isBeside ? beside : 2 * GAP));
    });
    return [wrapWords(head, columns), ...facts];
  };
  const [{ cells = [] } = {}] = table;
  return cells.map((_, row) => `${record(row).join("\n")}\n`).join("");
}

function widestWord(text: string): number {
  return Math.max(...text.split(" ").map(displayWidth));
}

function withShortWords(text: string, columns: number, cut: typeof fit): string {
  return text
    .split(" ")
    .map((word) => cut(word, columns))
    .join(" ");
}
