/**
 * Renders a command's output as a terminal would show it: redrawn lines in their last state, without colors and titles.
 * Tabs and control characters without an effect stay as they are.
 */
import { type Escape, plainEnd, readEscape, textEnd } from "./escapes.ts";
import { COLUMNS, createScreenRows, type ScreenRows } from "./screen-rows.ts";

export type CommandScreen = {
  write(text: string): void;
  /** Finishes what is left. Nothing may be written afterwards. */
  end(): void;
};

/** @param onText receives final text, in order */
export function createScreen(onText: (text: string) => void): CommandScreen {
  const rows = createScreenRows(onText);
  const controls = controlsOf(rows);
  /** The beginning of an escape sequence. */
  let unread = "";
  /** A text for the terminal itself, such as a title, is open. */
  let isInText = false;

  function apply({ control, numbers = [] }: Escape): void {
    if (control === undefined) return;
    const effect = Object.hasOwn(controls, control) ? controls[control] : undefined;
    if (effect !== undefined) effect(numbers);
    else if (control.length === 1) rows.print(control);
  }

  /** Reads one piece. Returns the position after it; undefined if its end is missing. */
  function readPiece(text: string, at: number): number | undefined {
    if (isInText) {
      const end = textEnd(text, at);
      isInText = end === undefined;
      return end ?? text.length;
    }
    const end = plainEnd(text, at);
    if (end > at) {
      rows.print(text.slice(at, end));
      return end;
    }
    const found = readEscape(text, at);
    if (found === undefined) return undefined;
    isInText = found.opensText === true;
    apply(found);
    return at + found.length;
  }

  return {
    write(text) {
      const all = unread + text;
      let at: number | undefined = 0;
      let reached = 0;
      while (at !== undefined && at < all.length) {
        reached = at;
        at = readPiece(all, at);
      }
      unread = at === undefined ? all.slice(reached) : "";
    },
    end: rows.end,
  };
}

type Effect = (numbers: readonly number[]) => void;

/** The effects of control characters and sequences: the cursor, erasing, and the screen of full-screen programs. */
function controlsOf(rows: ScreenRows): Readonly<Record<string, Effect>> {
  let saved = { row: 0, column: 0 };
  const save = () => {
    saved = { row: rows.row, column: rows.column };
  };
  const restore = () => rows.move(saved.row, saved.column);
  const blanks = (count: number) => " ".repeat(Math.min(count, COLUMNS - rows.column));
  const by = (rowsDown: number, columnsRight: number) => rows.move(rows.row + rowsDown, rows.column + columnsRight);
  const place: Effect = ([row = 1, column = 1]) => rows.move(row - 1, column - 1, "screen");
  const toColumn: Effect = ([column = 1]) => rows.move(rows.row, column - 1);
  const right: Effect = ([count]) => by(0, count || 1);
  const down: Effect = ([count]) => by(count || 1, 0);
  return {
    "\r": () => rows.move(rows.row, 0),
    "\b": () => by(0, -1),
    "\u001b7": save,
    "\u001b8": restore,
    "\u001bM": () => by(-1, 0),
    "[s": save,
    "[u": restore,
    "[A": ([count]) => by(-(count || 1), 0),
    "[B": down,
    "[e": down,
    "[C": right,
    "[a": right,
    "[D": ([count]) => by(0, -(count || 1)),
    "[E": ([count]) => rows.move(rows.row + (count || 1), 0),
    "[F": ([count]) => rows.move(rows.row - (count || 1), 0),
    "[G": toColumn,
    "[`": toColumn,
    "[H": place,
    "[f": place,
    "[d": ([row = 1]) => rows.move(row - 1, rows.column, "screen"),
    "[J": ([mode = 0]) => eraseInScreen(rows, mode),
    "[K": ([mode = 0]) => eraseInRow(rows, mode),
    "[P": ([count]) => rows.edit(rows.column, rows.column + (count || 1)),
    "[X": ([count]) => rows.edit(rows.column, rows.column + blanks(count || 1).length, blanks(count || 1)),
    "[@": ([count]) => rows.edit(rows.column, rows.column, blanks(count || 1)),
    "[?h": ([mode]) => isFullScreen(mode) && rows.cover(true),
    "[?l": ([mode]) => isFullScreen(mode) && rows.cover(false),
  };
}

function eraseInRow(rows: ScreenRows, mode: number): void {
  if (mode === 1) rows.edit(0, rows.column + 1, " ".repeat(rows.column + 1));
  else rows.edit(mode === 0 ? rows.column : 0, Number.POSITIVE_INFINITY);
}

function eraseInScreen(rows: ScreenRows, mode: number): void {
  rows.eraseRows(mode === 0 ? rows.row + 1 : 0, mode === 1 ? rows.row : Number.POSITIVE_INFINITY);
  if (mode < 2) eraseInRow(rows, mode);
}

function isFullScreen(mode: number | undefined): boolean {
  return mode === 1049 || mode === 1047 || mode === 47;
}
