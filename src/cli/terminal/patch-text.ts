/** A patch for people: colored, and without anything that acts on the terminal. A program gets the bytes instead. */
import { harmless } from "../../text/spelled-text.ts";
import type { Paint, TextStyle } from "../io.ts";

const LINE_STYLES: Record<string, TextStyle> = { "+": "green", "-": "red", "\\": "dim" };

export function paintedPatch(patch: Buffer, paint: Paint): string {
  let isHeader = true;
  const lines = patch
    .toString("utf8")
    .replace(/\n$/, "")
    .split("\n")
    .map((line) => {
      if (line.startsWith("diff --git ")) isHeader = true;
      if (line.startsWith("@@ ")) isHeader = false;
      return painted(line, isHeader, paint);
    });
  return patch.length === 0 ? "" : `${lines.join("\n")}\n`;
}

function painted(line: string, isHeader: boolean, paint: Paint): string {
  const text = harmless(line);
  if (isHeader) return paint("bold", text);
  if (line.startsWith("@@ ")) return paint("cyan", text);
  const style = LINE_STYLES[line[0] ?? ""];
  return style === undefined ? text : paint(style, text);
}
