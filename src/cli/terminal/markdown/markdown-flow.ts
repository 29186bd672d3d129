/**
 * A model's answer on a terminal while it arrives. A block is formatted as it grows, and final once it is complete; only
 * the open one changes.
 */
import type { Paint } from "../../io.ts";
import type { ScreenRow } from "../screen.ts";
import { createBlockSplitter, type MarkdownBlock } from "./block-splitter.ts";
import { blockRowsOf } from "./markdown.ts";
import { EMPTY_ROW, painted, type TextRow } from "./spans.ts";
import type { AnswerFlow } from "./text-flow.ts";

/** Of a longer open block, only the end is formatted while it grows. */
const MAX_LIVE = 4_000;

/** @param columns cells of a row, read again for each piece */
export function createMarkdownFlow(columns: () => number, paint: Paint): AnswerFlow {
  const splitter = createBlockSplitter();
  let hasBegun = false;
  let shown: { text: string; columns: number; rows: ScreenRow[] } = { text: "", columns: 0, rows: [] };

  function finished(blocks: readonly MarkdownBlock[]): string[] {
    return blocks.flatMap((block) => {
      const rows = apart(block, blockRowsOf(block.text, columns()));
      hasBegun = true;
      return rows.map((row) => painted(row, paint).text);
    });
  }

  function apart({ isApart }: MarkdownBlock, rows: TextRow[]): TextRow[] {
    return isApart && hasBegun ? [EMPTY_ROW, ...rows] : rows;
  }

  function openRows(): ScreenRow[] {
    const { open } = splitter;
    if (open.text.trim() === "") return [];
    if (open.text !== shown.text || columns() !== shown.columns) {
      const rows = apart(open, blockRowsOf(open.text.slice(-MAX_LIVE).replace(/[\ud800-\udbff]$/, ""), columns()));
      shown = { text: open.text, columns: columns(), rows: rows.map((row) => painted(row, paint)) };
    }
    return shown.rows;
  }

  return {
    add: (piece) => finished(splitter.add(piece)),
    open: (most) => openRows().slice(-most),
    end() {
      const rows = finished(splitter.end());
      hasBegun = false;
      return rows;
    },
  };
}
