/**
 * Explains why a passage does not occur in a text: what it differs in from the passage that looks the same, or which
 * passage is nearest. The work is linear in the size of the text.
 */
import { headOf } from "../../cut.ts";
import { foldLooks } from "./look-alike.ts";

/** In a longer text, no passage is looked for that only resembles the wanted one. */
const MAX_TEXT_CHARACTERS = 2_000_000;
const MAX_SHOWN_LINES = 20;
const MAX_SHOWN_CHARACTERS = 2_000;
/** Longer lines are not compared letter by letter. */
const MAX_COMPARED_CHARACTERS = 400;
const MAX_COMPARED_LINES = 10_000;
const MAX_PLACES_OF_A_LINE = 50;

/** Spellings that a model gets wrong, each with how to write the passage instead. */
const MISSPELLINGS: { what: string; undo(text: string): string }[] = [
  {
    what: "It contains the line numbers that read_file adds; leave them out",
    undo: (text) => text.replaceAll(/^ *\d+(?:\t|→|: ?|\| ?)/gm, ""),
  },
  {
    what: "It contains HTML entities (such as &amp;) for characters; write the characters",
    undo: (text) => text.replaceAll(/&(amp|lt|gt|quot|apos|#39|nbsp);/g, (_, name: string) => ENTITIES[name] ?? ""),
  },
  {
    what: "It contains backslash escapes for characters; write the characters",
    undo: (text) => text.replaceAll(/\\([nt"'\\/])/g, (_, escaped: string) => ESCAPES[escaped] ?? escaped),
  },
  {
    what: "It begins or ends with blank lines that are not there; leave them out",
    undo: (text) => text.replace(/^\s*\n|\n\s*$/g, ""),
  },
];
const ENTITIES: Record<string, string> = {
  ...{ amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", "#39": "'", nbsp: "\u00a0" },
};
const ESCAPES: Record<string, string> = { n: "\n", t: "\t" };

/** Ways in which lines can look the same, each with its name. The first that makes them equal explains them. */
const LIKENESSES: { differsIn: string; fold(line: string): string }[] = [
  { differsIn: "blanks at the end of a line (trailing blanks)", fold: (line) => line.trimEnd() },
  { differsIn: "its indentation", fold: (line) => line.trim() },
  { differsIn: "quotes, dashes, blanks or other characters that look alike", fold: (line) => foldLooks(line).trim() },
  { differsIn: "blanks within a line", fold: (line) => foldLooks(line).replaceAll(/\s+/g, "") },
  { differsIn: "upper and lower case", fold: (line) => foldLooks(line).replaceAll(/\s+/g, "").toLowerCase() },
];

/**
 * One to three sentences, and the passage of the text that was probably meant. Both texts have line feeds.
 * @param called what the model knows the passage as
 */
export function explainMiss(text: string, wanted: string, called = "old_string"): string {
  const misspelling = MISSPELLINGS.find(({ undo }) => occursInstead(text, wanted, undo(wanted)));
  if (misspelling !== undefined) {
    const meant = misspelling.undo(wanted);
    const line = text.slice(0, text.indexOf(meant)).split("\n").length;
    return `${misspelling.what}: then it occurs at line ${line}.`;
  }
  const advice = "It must match exactly, blanks and indentation included: read the file again.";
  if (text.length > MAX_TEXT_CHARACTERS) return advice;
  const lines = text.split("\n");
  const wantedLines = wanted.split("\n");
  for (const { differsIn, fold } of LIKENESSES) {
    const at = placeOf(lines.map(fold), wantedLines.map(fold));
    if (at === undefined) continue;
    const passage = lines.slice(at, at + wantedLines.length);
    const detail = firstDifference(passage.join("\n"), wanted, called);
    return `${placeInWords(at, wantedLines.length)} differs from it only in ${differsIn}${detail}. The file has:\n${shown(passage, at)}`;
  }
  const at = nearest(lines, wantedLines);
  if (at === undefined) return `No passage resembles it. ${advice}`;
  const passage = lines.slice(at, at + wantedLines.length);
  return `${advice} The nearest passage is:\n${shown(passage, at)}`;
}

function occursInstead(text: string, wanted: string, meant: string): boolean {
  return meant !== wanted && meant.trim() !== "" && text.includes(meant);
}

/** Index at which the wanted lines follow each other. The first may be the end of a line, the last the start of one. */
function placeOf(lines: readonly string[], wanted: readonly string[]): number | undefined {
  if (wanted.every((line) => line === "")) return undefined;
  const last = wanted.length - 1;
  const fits = (line: string, index: number) => {
    const part = wanted[index] ?? "";
    if (last === 0) return line.includes(part);
    if (index === 0) return line.endsWith(part);
    return index === last ? line.startsWith(part) : line === part;
  };
  // The longest line is the rarest: only around it are the others compared.
  const anchor = longestOf(wanted);
  for (let at = anchor, tries = 0; at < lines.length && tries < MAX_COMPARED_LINES; at++) {
    if (!fits(lines[at] ?? "", anchor)) continue;
    tries += wanted.length;
    const start = at - anchor;
    if (start + last < lines.length && wanted.every((_, index) => fits(lines[start + index] ?? "", index)))
      return start;
  }
  return undefined;
}

function longestOf(lines: readonly string[]): number {
  return lines.reduce((longest, line, index) => (line.length > (lines[longest] ?? "").length ? index : longest), 0);
}

/** The place where most of the wanted lines are, in order; else the line that is most like the longest wanted one. */
function nearest(lines: readonly string[], wanted: readonly string[]): number | undefined {
  const fold = (line: string) => foldLooks(line).replaceAll(/\s+/g, "").toLowerCase();
  const folded = lines.map(fold);
  const places = new Map<string, number[]>();
  for (const [index, line] of folded.entries()) {
    const known = places.get(line) ?? [];
    if (line.length > 3 && known.length < MAX_PLACES_OF_A_LINE) places.set(line, [...known, index]);
  }
  const votes = new Map<number, number>();
  for (const [index, line] of wanted.map(fold).entries()) {
    for (const place of places.get(line) ?? []) votes.set(place - index, (votes.get(place - index) ?? 0) + line.length);
  }
  const [best] = [...votes].sort(([a, votesA], [b, votesB]) => votesB - votesA || a - b);
  if (best !== undefined) return Math.max(0, best[0]);
  const longest = longestOf(wanted);
  const line = mostAlike(folded, fold(wanted[longest] ?? ""));
  return line && Math.max(0, line - longest);
}

/** The line that shares most pairs of letters with a line; undefined if none shares half of them. */
function mostAlike(lines: readonly string[], wanted: string): number | undefined {
  const pairs = pairsOf(wanted);
  let best: { index: number; score: number } = { index: -1, score: 0.5 };
  for (const [index, line] of lines.slice(0, MAX_COMPARED_LINES).entries()) {
    if (line.length * 3 < Math.min(wanted.length, MAX_COMPARED_CHARACTERS)) continue;
    const others = pairsOf(line);
    let shared = 0;
    for (const pair of others) if (pairs.has(pair)) shared += 1;
    const score = (2 * shared) / Math.max(1, pairs.size + others.size);
    if (score > best.score) best = { index, score };
  }
  return best.index < 0 ? undefined : best.index;
}

function pairsOf(line: string): Set<string> {
  const pairs = new Set<string>();
  for (let at = 0; at + 1 < Math.min(line.length, MAX_COMPARED_CHARACTERS); at++) pairs.add(line.slice(at, at + 2));
  return pairs;
}

/** The first character that is not what it looks like. */
function firstDifference(passage: string, wanted: string, called: string): string {
  const characters = [...wanted].filter((character) => /[^\s\w]/u.test(character) && !passage.includes(character));
  const missing = characters[0];
  const instead = [...passage].find(
    (character) => /[^\s\w]|[\u00a0\u202f]/u.test(character) && !wanted.includes(character),
  );
  if (missing === undefined && instead === undefined) return "";
  const parts = [
    instead !== undefined && `the file has ${codePoint(instead)}`,
    missing !== undefined && `${called} has ${codePoint(missing)}`,
  ].filter(Boolean);
  return ` (${parts.join(", ")})`;
}

function codePoint(character: string): string {
  return `${character} (U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")})`;
}

function placeInWords(at: number, count: number): string {
  return count === 1 ? `Line ${at + 1}` : `The passage in lines ${at + 1} to ${at + count}`;
}

function shown(lines: readonly string[], at: number): string {
  const numbered = lines.slice(0, MAX_SHOWN_LINES).map((line, index) => `${at + index + 1}\t${line}`);
  const text = numbered.join("\n");
  if (text.length > MAX_SHOWN_CHARACTERS) return `${headOf(text, MAX_SHOWN_CHARACTERS)}\n[…]`;
  return lines.length > MAX_SHOWN_LINES ? `${text}\n[…]` : text;
}
