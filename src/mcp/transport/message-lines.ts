/** Splits a client's input into messages, one per line, and passes the valid ones on to the SDK's reader. */
import { Transform } from "node:stream";
import { MAX_MESSAGE_BYTES } from "../limits.ts";
import { createIdFinder, type FrameError, frameError, type IdFinder, readFrame } from "./frames.ts";

const NEWLINE = 0x0a;

/** @param answer sends the answer to an invalid frame. One without an id is passed on to the reader, which reports it. */
export function createMessageLines(answer: (error: FrameError) => void): Transform {
  let held: Buffer[] = [];
  let heldBytes = 0;
  /** Set while the rest of a line that is too long is skipped. */
  let skipped: IdFinder | undefined;

  function hold(piece: Buffer): void {
    if (skipped !== undefined) {
      skipped.push(piece);
      return;
    }
    held.push(piece);
    heldBytes += piece.length;
    if (heldBytes <= MAX_MESSAGE_BYTES) return;
    skipped = createIdFinder();
    for (const each of release()) skipped.push(each);
  }

  function release(): Buffer[] {
    const pieces = held;
    held = [];
    heldBytes = 0;
    return pieces;
  }

  function endLine(push: (text: string | Buffer) => void): void {
    if (skipped !== undefined) {
      answer(frameError(skipped.found(), `Expected a message of at most ${MAX_MESSAGE_BYTES} bytes; found more.`));
      skipped = undefined;
      return;
    }
    const line = Buffer.concat(release());
    const text = line.toString().trim();
    if (text === "") return;
    const frame = readFrame(text);
    if ("errors" in frame) {
      for (const error of frame.errors) if (error.id !== null) answer(error);
      if (frame.errors.every(({ id }) => id === null)) push(line);
    } else if (Array.isArray(frame.value) || text.includes("null")) {
      for (const message of frame.messages) push(`${JSON.stringify(message)}\n`);
    } else push(line);
  }

  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      let start = 0;
      for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
        hold(chunk.subarray(start, end + 1));
        endLine((text) => this.push(text));
        start = end + 1;
      }
      if (start < chunk.length) hold(chunk.subarray(start));
      done();
    },
    flush(done) {
      for (const piece of release()) this.push(piece);
      done();
    },
  });
}
