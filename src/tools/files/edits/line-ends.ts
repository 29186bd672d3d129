/**
 * A text as models write it, with line feeds, and changes of it carried over to the original. Each line that a change
 * replaces keeps its own line end, even where a text has several kinds; further lines get that of the last one.
 */
import { lineEndOf } from "./text-form.ts";

/** Replaces `length` characters at `at` in the text with line feeds. */
export type Splice = { at: number; length: number; text: string };

export type FeedText = {
  /** With line feeds: what a model matches. */
  text: string;
  /** A model's text in the same form. */
  read(written: string): string;
  /** The original with these changes. @param splices in ascending order, none over another */
  spliced(splices: readonly Splice[]): string;
};

export function withLineFeeds(original: string): FeedText {
  if (lineEndOf(original) === "\r") {
    const read = (written: string) => written.replaceAll(/\r\n?/g, "\n");
    const text = read(original);
    return { text, read, spliced: (splices) => plainlySpliced(text, splices).replaceAll("\n", "\r") };
  }
  const text = feeds(original);
  if (text === original) return { text, read: feeds, spliced: (splices) => plainlySpliced(text, splices) };
  return { text, read: feeds, spliced: (splices) => splicedWithLineEnds(original, text, splices) };
}

/** A text in which a model means its line ends as it writes them. */
export function asWritten(text: string): FeedText {
  return { text, read: (written) => written, spliced: (splices) => plainlySpliced(text, splices) };
}

function feeds(text: string): string {
  return text.replaceAll("\r\n", "\n");
}

function plainlySpliced(text: string, splices: readonly Splice[]): string {
  const pieces: string[] = [];
  let done = 0;
  for (const splice of splices) {
    pieces.push(text.slice(done, splice.at), splice.text);
    done = splice.at + splice.length;
  }
  return pieces.join("") + text.slice(done);
}

function splicedWithLineEnds(original: string, text: string, splices: readonly Splice[]): string {
  const originalPlace = createPlaceMap(original);
  const lineEndAfter = createLineEndFinder(original);
  const pieces: string[] = [];
  let done = 0;
  for (const [index, splice] of splices.entries()) {
    const most = splices[index + 1]?.at ?? text.length;
    const { at, length, text: added } = onWholeLines(narrowed(splice, text), text, most);
    const start = originalPlace(at);
    const end = originalPlace(at + length);
    const replaced = original.slice(start, end);
    const lineEnds: string[] = replaced.match(/\r?\n/g) ?? [];
    if (!replaced.endsWith("\n")) lineEnds.push(lineEndAfter(end));
    let line = 0;
    pieces.push(
      original.slice(done, start),
      added.replaceAll("\n", () => lineEnds[line++] ?? lineEnds.at(-1) ?? "\n"),
    );
    done = end;
  }
  return pieces.join("") + original.slice(done);
}

/** Without what stays the same at both ends: context keeps its line ends. */
function narrowed({ at, length, text: added }: Splice, text: string): Splice {
  const most = Math.min(length, added.length);
  let before = 0;
  while (before < most && text[at + before] === added[before]) before += 1;
  let after = 0;
  while (after < most - before && text[at + length - 1 - after] === added[added.length - 1 - after]) after += 1;
  return { at: at + before, length: length - before - after, text: added.slice(before, added.length - after) };
}

/**
 * Lines that are only added or removed come with the line ends after them: the line before keeps its own.
 * @param most the change may not reach beyond this position
 */
function onWholeLines({ at, length, text: added }: Splice, text: string, most: number): Splice {
  const isAddition = length === 0 && added.startsWith("\n");
  const isRemoval = added === "" && text[at] === "\n";
  const isAtLineEnd = text[at + length] === "\n" && at + length < most;
  if (!isAtLineEnd || !(isAddition || isRemoval)) return { at, length, text: added };
  return { at: at + 1, length, text: isAddition ? `${added.slice(1)}\n` : "" };
}

/** Converts places in a text with line feeds to places in the original. Places are asked for in ascending order. */
function createPlaceMap(original: string): (place: number) => number {
  let returns = 0;
  let next = original.indexOf("\r\n");
  return (place) => {
    while (next >= 0 && next - returns < place) {
      returns += 1;
      next = original.indexOf("\r\n", next + 2);
    }
    return place + returns;
  };
}

/** The line end of the line at a place, or else of the last line. Places are asked for in ascending order. */
function createLineEndFinder(text: string): (place: number) => string {
  let feed = -1;
  return (place) => {
    if (feed < place) feed = text.indexOf("\n", place);
    if (feed < 0) feed = text.lastIndexOf("\n");
    return text[feed - 1] === "\r" ? "\r\n" : "\n";
  };
}
