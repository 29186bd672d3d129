/** A command's output in bounded memory: its beginning, its end, and the size of the part in between. */
import { headOf, tailOf } from "../cut.ts";

const HEAD_BYTES = 12_000;
const TAIL_BYTES = 20_000;

export function createOutputWindow() {
  let head = Buffer.alloc(0);
  let tail: Buffer[] = [];
  let tailBytes = 0;
  let totalBytes = 0;

  /** Room for several tails, so that joining them stays rare however small the pieces are. */
  function keepTail(bytes: Buffer): void {
    tail.push(bytes);
    tailBytes += bytes.length;
    if (tailBytes > 4 * TAIL_BYTES) joinTail();
  }

  function joinTail(): Buffer {
    const joined = Buffer.concat(tail).subarray(-TAIL_BYTES);
    tail = [joined];
    tailBytes = joined.length;
    return joined;
  }

  return {
    write(chunk: Buffer): void {
      totalBytes += chunk.length;
      const room = HEAD_BYTES - head.length;
      if (room > 0) head = Buffer.concat([head, chunk.subarray(0, room)]);
      if (chunk.length > room) keepTail(chunk.subarray(Math.max(0, room)));
    },
    text(): string {
      const end = joinTail();
      if (totalBytes === head.length + end.length) return Buffer.concat([head, end]).toString();
      const first = headOf(head.toString(), HEAD_BYTES);
      const last = tailOf(end.toString());
      const cutBytes = totalBytes - Buffer.byteLength(first) - Buffer.byteLength(last);
      return `${first}\n[… ${cutBytes} of ${totalBytes} bytes cut here …]\n${last}`;
    },
  };
}
