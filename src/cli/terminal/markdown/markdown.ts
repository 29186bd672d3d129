/**
 * Markdown of a model as rows of a terminal. Everything that is not Markdown, or that would take too long to read as
 * such, is shown as it is written, wrapped between words.
 */
import { createRequire } from "node:module";
import { harmless } from "../../../text/spelled-text.ts";
import { createBlockSplitter } from "./block-splitter.ts";
import { blockRows } from "./blocks.ts";
import { EMPTY_ROW, span, type TextRow, withoutTrailingBlanks, wrapped } from "./spans.ts";

/** A longer block is not read as Markdown, unless it is code: finding emphasis in hostile text takes quadratic time. */
const MAX_BLOCK = 8_000;
const FENCED = /^(`{3}|~{3})/;

/** @param columns cells of a row */
export function markdownRows(text: string, columns: number): TextRow[] {
  const splitter = createBlockSplitter();
  const blocks = isJson(text) ? [{ text, isApart: false }] : [...splitter.add(text.trim()), ...splitter.end()];
  return blocks.flatMap((block, index) => {
    const rows = blockRowsOf(block.text, columns);
    return block.isApart && index > 0 ? [EMPTY_ROW, ...rows] : rows;
  });
}

/** The rows of one block. */
export function blockRowsOf(text: string, columns: number): TextRow[] {
  // Before the lexer: nothing that it finds is a control character, and escapes of ours contain no Markdown.
  const safe = harmless(text).trimEnd();
  const isPlain = (safe.length > MAX_BLOCK && !FENCED.test(safe)) || isJson(safe);
  return (isPlain ? wrapped([span(safe)], columns) : rowsOfMarkdown(safe, columns)).map(withoutTrailingBlanks);
}

function rowsOfMarkdown(text: string, columns: number): TextRow[] {
  try {
    return blockRows(new (loadMarked().Lexer)({ gfm: true, breaks: true }).lex(text), columns);
  } catch {
    return wrapped([span(text)], columns); // Nested deeper than the stack.
  }
}

/** An answer by a schema is a value, in which `*` and `_` are no marks. */
function isJson(text: string): boolean {
  if (!/^\s*[[{]/.test(text)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

const requireModule = createRequire(import.meta.url);

/** Loaded for the first answer: most commands print none. */
function loadMarked(): typeof import("marked") {
  return requireModule("marked") as typeof import("marked");
}
