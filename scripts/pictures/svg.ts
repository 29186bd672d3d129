/** Draws the output of a command as an SVG, with the terminal's colors, readable on light and dark pages. */
import { stripVTControlCharacters } from "node:util";
import stringWidth from "string-width";

/** A piece of text in one style. */
type Span = { text: string; classes: readonly string[] };

/** Sizes of a monospaced font of 14 px. */
const CELL = { width: 8.43, height: 20 };
const MARGIN = 16;
/** Begins the continuation of a long line. */
const INDENT = "      ";

/** Classes by the codes of "select graphic rendition"; the other codes change nothing. */
const STYLES: Record<number, { group: "weight" | "color" | "slant"; name?: string }> = {
  1: { group: "weight", name: "bold" },
  2: { group: "weight", name: "dim" },
  22: { group: "weight" },
  3: { group: "slant", name: "italic" },
  23: { group: "slant" },
  39: { group: "color" },
  ...Object.fromEntries(
    ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"].flatMap((name, index) => [
      [30 + index, { group: "color", name }],
      [90 + index, { group: "color", name }],
    ]),
  ),
};

const CSS = `
  .page { fill: #ffffff; stroke: #d0d7de }
  text { font: 14px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #1f2328 }
  .bold { font-weight: 600 } .italic { font-style: italic } .dim, .black, .white { fill: #656d76 }
  .red { fill: #cf222e } .green { fill: #1a7f37 } .yellow { fill: #9a6700 } .blue { fill: #0969da }
  .magenta { fill: #8250df } .cyan { fill: #0b7285 }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117; stroke: #30363d }
    text { fill: #e6edf3 }
    .dim, .black, .white { fill: #8b949e }
    .red { fill: #ff7b72 } .green { fill: #3fb950 } .yellow { fill: #d29922 } .blue { fill: #58a6ff }
    .magenta { fill: #bc8cff } .cyan { fill: #39c5cf }
  }`;

/**
 * @param title read aloud in place of the picture @param output text with colors, without cursor movements @param columns
 * longer lines continue below
 */
export function svgOf(title: string, output: string, columns: number): string {
  const lines = linesOf(output.trimEnd()).flatMap((spans) => wrapped(spans, columns));
  const widest = Math.max(...lines.map((spans) => widthOf(spans)));
  const width = Math.ceil(widest * CELL.width + 2 * MARGIN);
  const height = lines.length * CELL.height + 2 * MARGIN;
  const rows = lines.flatMap((spans, index) => rowOf(spans, MARGIN + (index + 0.75) * CELL.height));
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">
<title>${escaped(title)}</title>
<style>${CSS}
</style>
<rect class="page" x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="8"/>
${rows.join("\n")}
</svg>
`;
}

/** The words of a picture, line by line. */
export function textOf(svg: string): string {
  const rows = svg.match(/<text.*<\/text>/g) ?? [];
  return rows.map((row) => row.replace(/<[^>]*>/g, "")).join("\n");
}

/** Each span has its column, so that a font with other widths keeps the table straight. */
function rowOf(spans: readonly Span[], y: number): string[] {
  let column = 0;
  const parts = spans.map(({ text, classes }) => {
    const x = (MARGIN + column * CELL.width).toFixed(2);
    column += stringWidth(text);
    const names = classes.length === 0 ? "" : ` class="${classes.join(" ")}"`;
    return `<tspan x="${x}"${names}>${escaped(text)}</tspan>`;
  });
  return parts.length === 0 ? [] : [`<text y="${y}" xml:space="preserve">${parts.join("")}</text>`];
}

function widthOf(spans: readonly Span[]): number {
  return spans.reduce((sum, { text }) => sum + stringWidth(text), 0);
}

/** A line in rows of at most this many columns, broken between words. */
function wrapped(spans: readonly Span[], columns: number): Span[][] {
  const rows: Span[][] = [[]];
  for (const { text, classes } of spans)
    for (const word of text.match(/\s+|\S+/g) ?? []) {
      const row = rows.at(-1) ?? [];
      if (widthOf(row) + stringWidth(word) <= columns) row.push({ text: word, classes });
      else rows.push([{ text: INDENT, classes: [] }, ...(word.trim() === "" ? [] : [{ text: word, classes }])]);
    }
  return rows.map(joined);
}

/** Puts neighbors of one style together. */
function joined(spans: readonly Span[]): Span[] {
  const whole: Span[] = [];
  for (const span of spans) {
    const last = whole.at(-1);
    if (last !== undefined && last.classes.join() === span.classes.join())
      whole.splice(-1, 1, { ...last, text: last.text + span.text });
    else whole.push(span);
  }
  return whole;
}

function linesOf(output: string): Span[][] {
  const style = new Map<string, string>();
  return output.split(/\r?\n/).map((line) => {
    const spans: Span[] = [];
    // biome-ignore lint/suspicious/noControlCharactersInRegex: it begins every sequence of a terminal.
    for (const [, codes, text = ""] of line.matchAll(/(?:\u001b\[([\d;]*)m)|((?:(?!\u001b\[[\d;]*m)[\s\S])+)/g)) {
      if (codes === undefined) spans.push({ text: stripVTControlCharacters(text), classes: [...style.values()] });
      else for (const code of codes.split(";")) apply(style, Number(code));
    }
    return spans.filter(({ text }) => text !== "");
  });
}

function apply(style: Map<string, string>, code: number): void {
  if (code === 0) style.clear();
  const change = STYLES[code];
  if (change === undefined) return;
  if (change.name === undefined) style.delete(change.group);
  else style.set(change.group, change.name);
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
