/** Code blocks, with colors by the language that they name. */
import { createRequire } from "node:module";
import type { Tokens } from "marked";
import type { TextStyle } from "../../io.ts";
import { EMPTY_ROW, indented, span, type TextRow, type TextSpan, wrapped } from "./spans.ts";

/** Longer code has no colors: patterns of languages may take long. */
const MAX_COLORED = 20_000;
const INDENT = span("  ");
/** A block without its closing fence: an answer that was cut, or no block at all. */
const FENCED = /^ {0,3}(`{3,}|~{3,})/;

export function codeRows({ raw, text, lang = "" }: Tokens.Code, columns: number): TextRow[] {
  const [, fence] = FENCED.exec(raw) ?? [];
  if (fence !== undefined && !isClosed(raw, fence)) return wrapped([span(raw.trimEnd())], columns);
  const [language = ""] = lang.trim().split(/\s+/);
  const code = coloredCode(text, language.toLowerCase());
  const rowsIn = (room: number) => (code.length === 0 ? [EMPTY_ROW] : wrapped(code, room));
  return indented(rowsIn, columns, INDENT, INDENT);
}

function isClosed(raw: string, fence: string): boolean {
  const lines = raw.trimEnd().split("\n");
  const last = lines.at(-1)?.trim() ?? "";
  return lines.length > 1 && last.startsWith(fence) && last.replaceAll(fence.charAt(0), "") === "";
}

/** Styles by the first part of a class that the highlighter names. */
const STYLES: Record<string, TextStyle> = {
  keyword: "magenta",
  built_in: "cyan",
  type: "cyan",
  literal: "yellow",
  number: "yellow",
  string: "green",
  regexp: "green",
  symbol: "yellow",
  comment: "dim",
  doctag: "dim",
  meta: "dim",
  title: "blue",
  name: "blue",
  attr: "cyan",
  attribute: "cyan",
  section: "bold",
  addition: "green",
  deletion: "red",
};

function coloredCode(code: string, language: string): TextSpan[] {
  if (language === "" || code.length > MAX_COLORED) return [span(code)];
  const highlighter = loadHighlighter();
  if (highlighter.getLanguage(language) === undefined) return [span(code)];
  return spansIn(highlighter.highlight(code, { language, ignoreIllegals: true }).value);
}

const ENTITIES: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', "#x27": "'" };

/** Reads the highlighter's output: spans with classes, and five entities. */
function spansIn(html: string): TextSpan[] {
  const open: (TextStyle | undefined)[] = [];
  const spans: TextSpan[] = [];
  for (const [found, classes, entity] of html.matchAll(
    /<span class="hljs-([\w-]+)[^"]*">|<\/span>|&(#?\w+);|[^<&]+/g,
  )) {
    if (classes !== undefined) open.push(STYLES[classes.replace(/-.*/, "")]);
    else if (found === "</span>") open.pop();
    else
      spans.push(
        span(entity === undefined ? found : (ENTITIES[entity] ?? found), ...open.flatMap((style) => style ?? [])),
      );
  }
  return spans;
}

/** What is used of the highlighter. Its own types would bring those of a browser. */
type Highlighter = {
  getLanguage(name: string): unknown;
  highlight(code: string, options: { language: string; ignoreIllegals: boolean }): { value: string };
};

/** Loaded for the first block that names a language: its tables take 50 ms. */
function loadHighlighter(): Highlighter {
  const require = createRequire(import.meta.url);
  return require("highlight.js/lib/common") as Highlighter;
}
