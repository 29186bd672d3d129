/**
 * The rows of a terminal's screen, with a cursor. The screen is wide and tall, so that only rows of the recent past can
 * be redrawn; a row that leaves it at the top is final. Its memory is bounded whatever is written.
 */

/** A longer line continues in the next row, and is joined again when it leaves the screen. */
export const COLUMNS = 4_096;
const ROWS = 100;

/** `continues`: the next row belongs to the same line. `isRedrawn`: blanks at its end are what was erased. */
type Row = { text: string; continues?: true; isRedrawn?: true };
type Cursor = { row: number; column: number };

export type ScreenRows = {
  readonly row: number;
  readonly column: number;
  /** Prints plain text with line feeds at the cursor. */
  print(text: string): void;
  /** Moves the cursor within the rows there are, or to any row of the screen. */
  move(row: number, column: number, within?: "rows" | "screen"): void;
  /** Replaces a part of the cursor's row by `filling`. */
  edit(from: number, to: number, filling?: string): void;
  eraseRows(from: number, to: number): void;
  /** Shows an empty screen for a full-screen program, or what was there before. */
  cover(isCovered: boolean): void;
  /** Finishes every row. Nothing may be printed afterwards. */
  end(): void;
};

/** @param onText receives final text, in order */
export function createScreenRows(onText: (text: string) => void): ScreenRows {
  let rows: Row[] = [{ text: "" }];
  let at: Cursor = { row: 0, column: 0 };
  let covered: { rows: Row[]; at: Cursor } | undefined;

  function rowAtCursor(): Row {
    while (rows.length <= at.row) rows.push({ text: "" });
    return rows[at.row] as Row;
  }

  function put(piece: string): void {
    const row = rowAtCursor();
    if (at.column === row.text.length) row.text += piece;
    else edit(at.column, at.column + piece.length, piece);
    at.column += piece.length;
  }

  function edit(from: number, to: number, filling = ""): void {
    const row = rowAtCursor();
    if (from >= row.text.length && filling === "") return;
    row.text = `${row.text.slice(0, from).padEnd(from)}${filling}${row.text.slice(to)}`.slice(0, COLUMNS);
    row.isRedrawn = true;
  }

  function nextRow(): void {
    at = { row: at.row + 1, column: 0 };
    rowAtCursor();
    while (rows.length > ROWS) {
      onText(textOf(rows.shift() as Row));
      at.row -= 1;
    }
  }

  function printLine(text: string): void {
    for (let from = 0; from < text.length; ) {
      if (at.column >= COLUMNS) {
        rowAtCursor().continues = true;
        nextRow();
      }
      const piece = text.slice(from, from + COLUMNS - at.column);
      put(piece);
      from += piece.length;
    }
  }

  /** Finishes the rows without a line feed after the last one. */
  function finishRows(): void {
    const last = rows.pop();
    for (const row of rows) onText(textOf(row));
    if (last !== undefined) onText(last.isRedrawn ? last.text.trimEnd() : last.text);
    rows = [{ text: "" }];
    at = { row: 0, column: 0 };
  }

  return {
    get row() {
      return at.row;
    },
    get column() {
      return at.column;
    },
    print(text) {
      const isAtEnd = at.row === rows.length - 1 && at.column === rows[at.row]?.text.length;
      // What would leave the screen at once is final.
      const from = isAtEnd && covered === undefined ? startOfLastLines(text, ROWS) : 0;
      if (from > 0) {
        finishRows();
        onText(text.slice(0, from));
      }
      for (const [index, line] of text.slice(from).split("\n").entries()) {
        if (index > 0) nextRow();
        printLine(line);
      }
    },
    move(row, column, within = "rows") {
      const lastRow = within === "rows" ? rows.length - 1 : ROWS - 1;
      at = { row: clamp(row, lastRow), column: clamp(column, COLUMNS - 1) };
    },
    edit,
    eraseRows(from, to) {
      for (let index = from; index < Math.min(to, rows.length); index++) rows[index] = { text: "", isRedrawn: true };
    },
    cover(isCovered) {
      if (isCovered && covered === undefined) {
        covered = { rows, at };
        rows = [{ text: "" }];
        at = { row: 0, column: 0 };
      } else if (!isCovered && covered !== undefined) {
        ({ rows, at } = covered);
        covered = undefined;
      }
    },
    end() {
      for (const row of covered?.rows ?? []) onText(textOf(row));
      finishRows();
    },
  };
}

function textOf({ text, continues, isRedrawn }: Row): string {
  if (continues) return text;
  return `${isRedrawn ? text.trimEnd() : text}\n`;
}

/** Position after the line feed before the last lines; 0 if there are not more lines than that. */
function startOfLastLines(text: string, count: number): number {
  let at = text.length;
  for (let line = 0; line < count && at > 0; line++) at = text.lastIndexOf("\n", at - 1);
  return at + 1 > text.length || at <= 0 ? 0 : at + 1;
}

function clamp(value: number, most: number): number {
  return Math.max(0, Math.min(value, most));
}
