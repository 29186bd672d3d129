/** A terminal with the features that the live tree needs: wrapping lines, moving the cursor up, erasing, resizing. */
import type { Output } from "../../src/cli/io.ts";
import { displayWidth } from "../../src/cli/terminal/terminal-text.ts";

export type FakeTerminal = Output & {
  /** Makes it narrower or wider; lines that no longer fit wrap, and the cursor stays in its line. */
  resize(columns: number): void;
  /** All of its content, including scrolled rows, without trailing blanks. */
  text(): string;
  /** Maximum number of rows drawn over. */
  highestJump(): number;
};

export function createFakeTerminal(columns: number, rows: number): FakeTerminal {
  const lines: string[] = [""];
  let cursor = 0;
  let highest = 0;
  /** The cursor's row is still empty. */
  let isAtStart = true;

  function type(text: string, width: number) {
    const glyphs = Array.from(new Intl.Segmenter("en").segment(text), ({ segment }) => segment);
    for (const glyph of glyphs) {
      if (displayWidth(lines[cursor] ?? "") + displayWidth(glyph) > width) newline();
      lines[cursor] = (lines[cursor] ?? "") + glyph;
    }
  }

  function newline() {
    cursor += 1;
    if (cursor === lines.length) lines.push("");
    else lines[cursor] ??= "";
  }

  const terminal: FakeTerminal = {
    isTTY: true,
    columns,
    rows,
    write(text) {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: it is a terminal.
      for (const token of String(text).match(/\x1b\[\??\d*[A-Za-z]|\r|\n|[^\x1b\r\n]+/g) ?? []) {
        const isEmpty = isAtStart;
        if (token === "\x1b[K" && isEmpty) lines[cursor] = "";
        isAtStart = token === "\r" || token === "\n" || (token.startsWith("\x1b[") && token.endsWith("A"));
        if (token.startsWith("\x1b[") && token.endsWith("A")) {
          const up = Number(token.slice(2, -1));
          highest = Math.max(highest, up);
          cursor = Math.max(0, cursor - up);
        } else if (token === "\x1b[J") {
          lines.splice(cursor + 1);
          if (isEmpty) lines[cursor] = "";
        } else if (token === "\n") newline();
        else if (token === "\r" || token === "\x1b[K" || token.startsWith("\x1b[")) continue;
        else {
          lines[cursor] = "";
          type(token, terminal.columns ?? columns);
        }
      }
    },
    resize(narrower) {
      terminal.columns = narrower;
      const before = lines.splice(0);
      const kept = cursor;
      let moved = 0;
      lines.push("");
      cursor = 0;
      for (const [index, line] of before.entries()) {
        if (index > 0) newline();
        if (index === kept) moved = cursor;
        type(line, narrower);
      }
      cursor = moved;
    },
    text: () => lines.join("\n").replace(/[ \n]+$/, ""),
    highestJump: () => highest,
  };
  return terminal;
}
