/**
 * Messages of clients that write what is absent as null, as those in Go, Java and C# do. The protocol's schemas take a
 * field or none; so nulls are taken out before the SDK reads a message. The arguments of a tool stay as they are: in a
 * JSON Schema null is a value, and the tools themselves read it as absent.
 */
import { Transform } from "node:stream";
import { isRecord } from "../record.ts";
import { MAX_MESSAGE_BYTES } from "./limits.ts";

/** A message, or a batch of them, without its nulls. What is no JSON stays for the SDK to refuse. */
export function withoutNulls(text: string): string {
  if (!text.includes("null")) return text;
  try {
    return JSON.stringify(withoutNullFields(JSON.parse(text)));
  } catch {
    return text;
  }
}

/** An `id` of null in an answer says which request could not be read. */
function withoutNullFields(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNullFields);
  if (!isRecord(value)) return value;
  const isFailure = isRecord(value.error);
  const entries = Object.entries(value)
    .filter(([key, inner]) => inner !== null || (isFailure && key === "id"))
    .map(([key, inner]) => [key, key === "arguments" ? inner : withoutNullFields(inner)]);
  return Object.fromEntries(entries);
}

const NEWLINE = 0x0a;

/** The same for messages that are a line each. */
export function createNullFilter(): Transform {
  let held: Buffer[] = [];
  let heldBytes = 0;
  const hold = (piece: Buffer) => {
    held.push(piece);
    heldBytes += piece.length;
  };
  function release(): Buffer {
    const line = Buffer.concat(held);
    held = [];
    heldBytes = 0;
    return line;
  }
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      let start = 0;
      for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
        hold(chunk.subarray(start, end + 1));
        const line = release();
        this.push(line.includes("null") ? `${withoutNulls(line.toString().trimEnd())}\n` : line);
        start = end + 1;
      }
      hold(chunk.subarray(start));
      // A longer message is refused by its reader.
      if (heldBytes > MAX_MESSAGE_BYTES) this.push(release());
      done();
    },
    flush(done) {
      this.push(release());
      done();
    },
  });
}
