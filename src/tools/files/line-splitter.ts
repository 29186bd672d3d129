/** Splits a stream of bytes into lines, in bounded memory: only the start of a line longer than `keepBytes` is kept. */

export type Line = { text: string; cutBytes: number };

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
    const line = { text: Buffer.concat(held).toString(), cutBytes };
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
