/** A command's output in bounded memory: its beginning, its end, and the size of the part in between. */
import { headOf, tailOf } from "../cut.ts";
import { readableText } from "./readable-text.ts";

const HEAD_CHARACTERS = 12_000;
const TAIL_CHARACTERS = 20_000;

export function createOutputWindow() {
  let head = "";
  let tail: string[] = [];
  let tailLength = 0;
  let totalBytes = 0;

  /** Room for several tails, so that joining them stays rare however small the pieces are. */
  function keepTail(text: string): void {
    tail.push(text);
    tailLength += text.length;
    if (tailLength > 4 * TAIL_CHARACTERS) joinTail();
  }

  function joinTail(): string {
    const joined = tail.join("").slice(-TAIL_CHARACTERS);
    tail = [joined];
    tailLength = joined.length;
    return joined;
  }

  return {
    write(text: string): void {
      totalBytes += Buffer.byteLength(text);
      const room = HEAD_CHARACTERS - head.length;
      if (room > 0) head += text.slice(0, room);
      if (text.length > room) keepTail(text.slice(Math.max(0, room)));
    },
    text(): string {
      const end = joinTail();
      if (totalBytes === Buffer.byteLength(head) + Buffer.byteLength(end)) return readableText(head + end);
      const first = headOf(head, HEAD_CHARACTERS);
      const last = tailOf(end);
      const cutBytes = totalBytes - Buffer.byteLength(first) - Buffer.byteLength(last);
      return `${readableText(first)}\n[… ${cutBytes} of ${totalBytes} bytes cut here …]\n${readableText(last)}`;
    },
  };
}
