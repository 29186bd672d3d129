/**
 * Messages between Deputy and the runner in a sandbox, over two pipes. Each has a kind, the number of the command it is
 * about, and a body. What comes out of a sandbox is untrusted: any command in it can write there.
 */

/** To the runner: `run`, `stop`. From it: `ready`, `output`, `end`, and `fail` if a command cannot be started. */
export const FRAME_KINDS = ["run", "stop", "ready", "output", "end", "fail"] as const;
type FrameKind = (typeof FRAME_KINDS)[number];

export type Frame = { kind: FrameKind; id: number; body: Buffer };

/** Length of the body, kind, command. */
const HEADER_BYTES = 9;
const MOST_BODY_BYTES = 16 * 1024 * 1024;

const NO_BODY = Buffer.alloc(0);

export function frameBytes(kind: FrameKind, id: number, body: Buffer = NO_BODY): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32BE(body.length);
  header.writeUInt8(FRAME_KINDS.indexOf(kind), 4);
  header.writeUInt32BE(id, 5);
  return Buffer.concat([header, body]);
}

/**
 * Creates the reader of one pipe: it takes bytes as they come, and returns the frames that are whole.
 * @throws Error for bytes that are no frame
 */
export function createFrameReader(): (chunk: Buffer) => Frame[] {
  let chunks: Buffer[] = [];
  let length = 0;
  let wanted = HEADER_BYTES;
  return (chunk) => {
    chunks.push(chunk);
    length += chunk.length;
    const frames: Frame[] = [];
    while (length >= wanted) {
      const bytes = chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
      const end = HEADER_BYTES + bytes.readUInt32BE();
      if (end > HEADER_BYTES + MOST_BODY_BYTES) throw new Error("a frame is too long");
      chunks = [bytes];
      wanted = end;
      if (length < end) break;
      const kind = FRAME_KINDS[bytes.readUInt8(4)];
      if (kind === undefined) throw new Error("a frame is of no known kind");
      frames.push({ kind, id: bytes.readUInt32BE(5), body: bytes.subarray(HEADER_BYTES, end) });
      chunks = [bytes.subarray(end)];
      length -= end;
      wanted = HEADER_BYTES;
    }
    return frames;
  };
}
