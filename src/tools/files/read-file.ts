/**
 * `read_file`: a part of a text file, with line numbers, or an image. Text is read in chunks, so memory use does not depend
 * on its size.
 */
import { createHash } from "node:crypto";
import { closeSync, readSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { TextDecoder } from "node:util";
import { z } from "zod";
import type { Tool, ToolOutput } from "../../tool.ts";
import { ToolError } from "../tool-error.ts";
import { type Encoding, encodingOf } from "./edits/text-form.ts";
import { createExcerpt, RANGE, RANGE_TEXT, type Range } from "./excerpt.ts";
import { imageOutput, type OpenFile } from "./image-file.ts";
import { fileSubject } from "./paths/file-subject.ts";
import { locate, openToRead, type Workspace } from "./paths/workspace.ts";
import { MAX_TEXT_BYTES } from "./text-file.ts";

const CHUNK_BYTES = 65_536;
const CHUNKS_IN_A_ROW = 16;

const input = z.strictObject({
  path: z.string().min(1).describe("The file, relative to the workspace."),
  ...RANGE,
});

export function createReadFile(workspace: Workspace): Tool<z.infer<typeof input>> {
  return {
    name: "read_file",
    description:
      "Reads a text file of the workspace. Each line starts with its number and a tab, which are not part of the file. " +
      `${RANGE_TEXT} An image (PNG, JPEG, GIF, WebP) is shown if your model accepts images. Other binary files are rejected.`,
    effect: "read",
    input,
    subject: ({ path }) => fileSubject(workspace, path, "read"),
    run: async ({ path, ...range }, { signal }) => {
      const place = locate(workspace, path);
      const { descriptor, stats } = openToRead(workspace, place);
      try {
        const file = { descriptor, size: stats.size, shown: place.shown };
        return imageOutput(file) ?? (await textOutput(file, range, signal));
      } finally {
        closeSync(descriptor);
      }
    },
  };
}

async function textOutput(
  { descriptor, size, shown }: OpenFile,
  range: Range,
  signal: AbortSignal,
): Promise<ToolOutput> {
  const excerpt = createExcerpt(range);
  const reader = createUtf8Reader(excerpt.write, shown, size);
  const hash = size <= MAX_TEXT_BYTES ? createHash("sha256") : undefined;
  let isWanted = true;
  await readChunks(descriptor, size, signal, (chunk) => {
    hash?.update(chunk);
    isWanted &&= reader.write(chunk);
    return isWanted || hash !== undefined;
  });
  const { output, seen } = excerpt.end(shown, reader.encoding());
  if (hash === undefined || seen === undefined) return output;
  return { ...output, seen: [{ path: shown, sha256: hash.digest("hex"), ...seen }] };
}

/**
 * Reads a file until `take` has enough. Reading is synchronous: a stream costs a small file five times as much. Between
 * chunks of a large file, other work can run.
 */
async function readChunks(
  descriptor: number,
  size: number,
  signal: AbortSignal,
  take: (chunk: Buffer) => boolean,
): Promise<void> {
  for (let chunks = 1; ; chunks++) {
    const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, size + 1));
    const length = readSync(descriptor, chunk);
    if (length === 0 || !take(chunk.subarray(0, length))) return;
    if (chunks % CHUNKS_IN_A_ROW === 0) await setImmediate();
    signal.throwIfAborted();
  }
}

/** Passes chunks of a file on as UTF-8, whichever encoding the first one shows. A byte order mark is left out. */
function createUtf8Reader(take: (chunk: Buffer) => boolean, shown: string, size: number) {
  let encoding: Encoding | undefined;
  let decoder: TextDecoder | undefined;

  function start(head: Buffer): Buffer {
    encoding = encodingOf(head);
    if (encoding !== "UTF-8") decoder = new TextDecoder(encoding);
    const hasMark = encoding === "UTF-8" && head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf;
    return hasMark ? head.subarray(3) : head;
  }

  return {
    write(chunk: Buffer): boolean {
      const bytes = encoding === undefined ? start(chunk) : chunk;
      const text = decoder === undefined ? bytes : Buffer.from(decoder.decode(bytes, { stream: true }));
      if (text.includes(0)) throw new ToolError(`${shown} is a binary file (${size} bytes), not text.`);
      return take(text);
    },
    encoding: () => encoding ?? "UTF-8",
  };
}
