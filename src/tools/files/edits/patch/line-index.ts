/** The lines of a text, searched for passages of whole lines: exactly first, then without regard to how they look. */
import { getOrMake } from "../../../../values/get-or-make.ts";
import { foldLooks } from "../look-alike.ts";

/**
 * Ways to compare lines, as in the program that models know (openai/codex, `seek_sequence.rs`). The first that finds a
 * passage decides.
 */
const COMPARISONS: readonly Comparison[] = [
  { fold: (line) => line },
  { ignores: "blanks at the end of lines", fold: (line) => line.trimEnd() },
  { ignores: "indentation", fold: (line) => line.trim() },
  { ignores: "quotes, dashes and blanks that look alike", fold: (line) => foldLooks(line).trim() },
];
const MAX_PLACES = 6;

type Comparison = { ignores?: string; fold(line: string): string };

/** Indices of the lines at which a passage starts, `MAX_PLACES` at most. `ignored`: what differs. */
export type FoundPassage = { places: [number, ...number[]]; ignored?: string | undefined };

export type LineIndex = {
  text: string;
  count: number;
  /** Position of a line in the text; of its end for the line after the last. */
  startOf(line: number): number;
  /** Finds a passage that starts at a line or after it. */
  find(passage: readonly string[], from: number): FoundPassage | undefined;
  /** Finds a passage that ends with the text. */
  findAtEnd(passage: readonly string[]): FoundPassage | undefined;
};

export function createLineIndex(text: string): LineIndex {
  const lines = text.split("\n");
  // A line feed ends a line; it does not begin an empty one.
  if (lines.at(-1) === "") lines.pop();
  const starts = startsOf(lines);
  const folded = new Map<Comparison, { text: string; starts: number[] }>();

  function foldedBy(comparison: Comparison) {
    return getOrMake(folded, comparison, () => {
      const all = lines.map(comparison.fold);
      return { text: `\n${all.join("\n")}\n`, starts: startsOf(all) };
    });
  }

  function placesIn(comparison: Comparison, passage: readonly string[], from: number): number[] {
    const hay = foldedBy(comparison);
    const needle = `\n${passage.map(comparison.fold).join("\n")}\n`;
    const places: number[] = [];
    for (let at = hay.text.indexOf(needle, hay.starts[from]); at >= 0; at = hay.text.indexOf(needle, at + 1)) {
      places.push(indexOf(hay.starts, at));
      if (places.length === MAX_PLACES) break;
    }
    return places;
  }

  function find(passage: readonly string[], from: number): FoundPassage | undefined {
    if (from + passage.length > lines.length) return undefined;
    for (const comparison of COMPARISONS) {
      const [first, ...others] = placesIn(comparison, passage, from);
      if (first !== undefined) return { places: [first, ...others], ignored: comparison.ignores };
    }
    return undefined;
  }

  return {
    text,
    count: lines.length,
    startOf: (line) => Math.min(starts[line] ?? text.length, text.length),
    find,
    findAtEnd: (passage) => find(passage, Math.max(0, lines.length - passage.length)),
  };
}

/** Position of each line, and of the end of the last. */
function startsOf(lines: readonly string[]): number[] {
  const starts = [0];
  let at = 0;
  for (const { length } of lines) {
    at += length + 1;
    starts.push(at);
  }
  return starts;
}

/** Index of a value in ascending ones. */
function indexOf(ascending: readonly number[], value: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ascending[middle] ?? 0) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
