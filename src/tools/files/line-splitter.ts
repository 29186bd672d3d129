/** Splits a stream of bytes into lines, in bounded memory: only the start of a line longer than `keepBytes` is kept. */
import { isUtf8 } from "node:buffer";
import { legacyEncodingOf } from "./edits/text-form.ts";

/** `encoding`: a guess, for a line that is not UTF-8. */
export type Line = { text: string; cutBytes: number; encoding?: string };

/**
 * Passes every line to `onLine`, until it returns false.
 * @param separator the byte between lines: 10 for line feeds, 0 for NUL
 * @returns `write` takes the next bytes and returns whether more are wanted; `end` passes on the last, unfinished line
 */
export function createLineSplitter(separator: number, keepBytes: number, onLine: (line: Line) => boolean) {
  let held: Buffer[] = [];
  let heldBytes = 0;
  let cutBytes = 0;

  function hold(bytes: Buffer): void {
    const kept = bytes.subarray(0, keepBytes - heldBytes);
    if (kept.length > 0) held.push(kept);
    heldBytes += kept.length;
    cutBytes += bytes.length - kept.length;
  }

  function finish(): boolean {
    const line = { ...readText(Buffer.concat(held), cutBytes > 0), cutBytes };
    held = [];
    heldBytes = 0;
    cutBytes = 0;
    return onLine(line);
  }

  return {
    write(chunk: Buffer): boolean {
      let start = 0;
      for (let end = chunk.indexOf(separator); end >= 0; end = chunk.indexOf(separator, start)) {
        hold(chunk.subarray(start, end));
        start = end + 1;
        if (!finish()) return false;
      }
      hold(chunk.subarray(start));
      return true;
    },
    end(): void {
      if (heldBytes > 0) finish();
    },
  };
}

/** @param isCut the last character may be incomplete */
function readText(bytes: Buffer, isCut: boolean): { text: string; encoding?: string } {
  const whole = isCut ? bytes.subarray(0, endOfWholeCharacters(bytes)) : bytes;
  if (isUtf8(whole)) return { text: whole.toString() };
  const { name, label } = legacyEncodingOf(bytes);
  return { text: new TextDecoder(label).decode(bytes), encoding: name };
}

/** Start of an incomplete UTF-8 character at the end; the length if there is none. */
function endOfWholeCharacters(bytes: Buffer): number {
  const isContinued = (at: number) => ((bytes[at] ?? 0) & 0xc0) === 0x80;
  let start = bytes.length - 1;
  while (start > bytes.length - 4 && isContinued(start)) start -= 1;
  return (bytes[start] ?? 0) >= 0xc0 ? start : bytes.length;
}
