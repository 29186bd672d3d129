/** The blocks of a Markdown text as rows of the terminal, by type. */
import type { MarkedToken, Token, Tokens } from "marked";
import { codeRows } from "./code.ts";
import { inlineSpans } from "./inline.ts";
import { EMPTY_ROW, LEAST_COLUMNS, prefixed, span, type TextRow, withStyles, wrapped } from "./spans.ts";
import { tableRows } from "./table.ts";

type BlockRenderers = {
  [type in MarkedToken["type"]]?: (token: Extract<MarkedToken, { type: type }>, columns: number) => TextRow[];
};

const BLOCKS: BlockRenderers = {
  heading: ({ tokens, depth }, columns) =>
    wrapped(withStyles(inlineSpans(tokens), "bold", ...(depth === 1 ? (["underline"] as const) : [])), columns),
  paragraph: ({ tokens }, columns) => wrapped(inlineSpans(tokens), columns),
  text: (token, columns) => wrapped(inlineSpans([token]), columns),
  code: codeRows,
  table: tableRows,
  list: listRows,
  checkbox: () => [],
  blockquote: quoteRows,
  hr: (_, columns) => [[span("─".repeat(Math.max(1, Math.min(columns, 40))), "dim")]],
};

/** Rows of blocks. An empty row stands where the text has empty lines. */
export function blockRows(tokens: readonly Token[], columns: number): TextRow[] {
  const rows: TextRow[] = [];
  let isApart = false;
  for (const token of tokens) {
    const block = token.type === "space" ? [] : rowsOf(token, columns);
    if (isApart && block.length > 0 && rows.length > 0) rows.push(EMPTY_ROW);
    for (const row of block) rows.push(row);
    isApart = token.type === "space" || (isApart && block.length === 0);
  }
  return rows;
}

function rowsOf(token: Token, columns: number): TextRow[] {
  // The lexer has no extensions: every token is one of its own.
  const render = BLOCKS[token.type as MarkedToken["type"]] as
    | ((token: Token, columns: number) => TextRow[])
    | undefined;
  return render === undefined ? asWritten(token.raw, columns) : render(token, columns);
}

function quoteRows({ tokens, raw }: Tokens.Blockquote, columns: number): TextRow[] {
  const bar = span("│ ", "dim");
  const room = columns - bar.text.length;
  return room < LEAST_COLUMNS ? asWritten(raw, columns) : prefixed(blockRows(tokens, room), bar, bar);
}

function listRows({ items, ordered, start, loose }: Tokens.List, columns: number): TextRow[] {
  const first = typeof start === "number" ? start : 1;
  const widest = String(first + items.length - 1).length;
  return items.flatMap(({ tokens, raw, task, checked }, index) => {
    const box = task ? (checked ? "☑ " : "☐ ") : "";
    const marker = `${ordered ? `${String(first + index).padStart(widest)}.` : "•"} ${box}`;
    const room = columns - marker.length;
    if (room < LEAST_COLUMNS) return asWritten(raw, columns);
    const rows = blockRows(tokens, room);
    const next = span(" ".repeat(marker.length));
    const shown = prefixed(rows.length === 0 ? [EMPTY_ROW] : rows, span(marker, "dim"), next);
    return loose && index > 0 ? [EMPTY_ROW, ...shown] : shown;
  });
}

/** What is nested too deep for the columns, or has no rendering. */
function asWritten(raw: string, columns: number): TextRow[] {
  return wrapped([span(raw.trimEnd())], columns);
}
