/**
 * `read_file`: a part of a text file, with line numbers. It is read in chunks, so memory use does not depend on its
 * size.
 */
import { closeSync, readSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { z } from "zod";
import type { Tool, ToolOutput } from "../../tool.ts";
import { headOf } from "../cut.ts";
import { ToolError } from "../tool-error.ts";
import { fileSubject } from "./file-subject.ts";
import { createLineSplitter, type Line } from "./line-splitter.ts";
import { locate, openToRead, type Workspace } from "./workspace.ts";

const DEFAULT_LINES = 2_000;
const MAX_LINE_CHARACTERS = 2_000;
/** Enough for the longest shown line in any encoding. */
const MAX_LINE_BYTES = MAX_LINE_CHARACTERS * 4;
const MAX_CHARACTERS = 50_000;
const CHUNK_BYTES = 65_536;
const CHUNKS_IN_A_ROW = 16;

const input = z.strictObject({
  path: z.string().min(1).describe("The file, relative to the workspace."),
  offset: z.int().positive().optional().describe("First line to read, counted from 1. Default: 1."),
  limit: z.int().positive().optional().describe(`Maximum number of lines. Default: ${DEFAULT_LINES}.`),
});

export function createReadFile(workspace: Workspace): Tool<z.infer<typeof input>> {
  return {
    name: "read_file",
    description:
      "Reads a text file of the workspace. Each line starts with its number and a tab, which are not part of the file. " +
      `One call returns about ${MAX_CHARACTERS} characters at most; if it is cut, the last line says how to continue. ` +
      `Lines over ${MAX_LINE_CHARACTERS} characters are cut. Binary files are rejected.`,
    effect: "read",
    input,
    subject: ({ path }) => fileSubject(workspace, path, "read"),
    run: async ({ path, offset = 1, limit = DEFAULT_LINES }, { signal }) => {
      const place = locate(workspace, path);
      const { descriptor, stats } = openToRead(workspace, place);
      const excerpt = createExcerpt(offset, limit);
      await readChunks(descriptor, stats.size, signal, (chunk) => {
        if (chunk.includes(0)) throw new ToolError(`${place.shown} is a binary file (${stats.size} bytes), not text.`);
        return excerpt.write(chunk);
      });
      return excerpt.output(place.shown);
    },
  };
}

/**
 * Reads a file until `take` has enough, and closes it. Reading is synchronous: a stream costs a small file five times
 * as much. Between chunks of a large file, other work can run.
 */
async function readChunks(
  descriptor: number,
  size: number,
  signal: AbortSignal,
  take: (chunk: Buffer) => boolean,
): Promise<void> {
  try {
    for (let chunks = 1; ; chunks++) {
      const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, size + 1));
      const length = readSync(descriptor, chunk);
      if (length === 0 || !take(chunk.subarray(0, length))) return;
      if (chunks % CHUNKS_IN_A_ROW === 0) await setImmediate();
      signal.throwIfAborted();
    }
  } finally {
    closeSync(descriptor);
  }
}

/** Collects the wanted lines from the chunks written to it. */
function createExcerpt(offset: number, limit: number) {
  const lines: string[] = [];
  let characters = 0;
  let seen = 0;
  let goesOn = false;

  function take(line: Line): boolean {
    goesOn = lines.length === limit || characters >= MAX_CHARACTERS;
    if (goesOn) return false;
    seen += 1;
    if (seen < offset) return true;
    const text = `${seen}\t${shownLine(line)}`;
    lines.push(text);
    characters += text.length;
    return true;
  }

  const splitter = createLineSplitter(10, MAX_LINE_BYTES, take);
  return {
    write: splitter.write,
    output(shown: string): ToolOutput {
      if (!goesOn) splitter.end();
      if (seen === 0) return { ok: true, text: `(${shown} is empty)` };
      if (seen < offset) return { ok: false, text: `${shown} has ${seen} lines; line ${offset} is past its end.` };
      const next = goesOn ? [`[Cut after line ${seen}. Continue with offset ${seen + 1}.]`] : [];
      return { ok: true, text: [...lines, ...next].join("\n") };
    },
  };
}

function shownLine({ text, cutBytes }: Line): string {
  if (text.length <= MAX_LINE_CHARACTERS) return text.endsWith("\r") ? text.slice(0, -1) : text;
  const shown = headOf(text, MAX_LINE_CHARACTERS);
  return `${shown}[… ${Buffer.byteLength(text) - Buffer.byteLength(shown) + cutBytes} more bytes in this line]`;
}
