/** Rows and columns of text, aligned by display width. The last column is never padded. */
import type { Paint } from "../io.ts";
import { displayWidth, padTo } from "./terminal-text.ts";

/** Cells must be safe one-line text. An empty table is an empty string. */
export function formatTable(head: string[], rows: string[][], paint: Paint): string {
  if (rows.length === 0) return "";
  const widths = head.map((title, column) =>
    rows.reduce((widest, row) => Math.max(widest, displayWidth(row[column] ?? "")), displayWidth(title)),
  );
  const line = (cells: string[]) =>
    cells
      .map((cell, column) => (column === head.length - 1 ? cell : padTo(cell, widths[column] ?? 0)))
      .join("  ")
      .trimEnd();
  return [paint("dim", line(head)), ...rows.map(line)].map((text) => `${text}\n`).join("");
}
