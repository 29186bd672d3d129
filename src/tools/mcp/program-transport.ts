/**
 * MCP over the standard input and output of a program, in bounded memory. Servers also print what is no message: it
 * counts as output, like standard error, of which the end is kept for errors.
 */
import { finished } from "node:stream/promises";
import { StringDecoder } from "node:string_decoder";
import { setTimeout as sleep } from "node:timers/promises";
import type { JSONRPCMessage, Transport } from "@modelcontextprotocol/client";
import { type ProgramToWatch, startWatched, type WatchedProgram } from "../../system/watched-program.ts";
import { parseJson } from "../../text/parse-json.ts";
import { harmless } from "../../text/spelled-text.ts";
import { tailOf } from "../cut.ts";
import { createLineSplitter } from "../files/line-splitter.ts";
import { createCommandOutput } from "../terminal/command-output.ts";

/** Maximum length of a message, in bytes. */
const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;
/** Maximum output that is no message between two messages, in bytes. */
const MAX_NOISE_BYTES = 1024 * 1024;
/** Maximum size of what the server has not read yet, in bytes. */
const MAX_UNREAD_BYTES = 32 * 1024 * 1024;
/** Characters of its last output that are kept. */
const TAIL_CHARACTERS = 2_000;
/** Maximum wait for the output of a server that has ended, in milliseconds. */
const DRAIN_MS = 200;
const NEWLINE = 0x0a;

export type ProgramTransport = Transport & {
  /** The end of what it printed that was no message. */
  lastOutput(): string;
  /** Why the connection ended, as a clause; absent while it is open. */
  endedBecause?: string;
};

/** @param parse reads a message; throws for what is none */
export function createProgramTransport(
  program: ProgramToWatch,
  parse: (value: unknown) => JSONRPCMessage,
): ProgramTransport {
  let running: WatchedProgram | undefined;
  let noiseBytes = 0;
  let lineBytes = 0;
  let tail = "";

  function keep(text: string): void {
    tail = (tail + text).slice(-TAIL_CHARACTERS);
  }

  /** Ends a server that misbehaves, or notes that it has ended. */
  function finish(because: string): void {
    if (transport.endedBecause !== undefined) return;
    transport.endedBecause = because;
    void running?.end();
    transport.onclose?.();
  }

  function onLine({ text }: { text: string }): boolean {
    if (text.trim() !== "") receive(text);
    return transport.endedBecause === undefined;
  }

  /** A line that is too long may never end. */
  function countLine(chunk: Buffer): void {
    const end = chunk.lastIndexOf(NEWLINE);
    lineBytes = end < 0 ? lineBytes + chunk.length : chunk.length - end - 1;
    if (lineBytes > MAX_MESSAGE_BYTES) finish(`it sent a line of more than ${MAX_MESSAGE_BYTES / 1024 / 1024} MB`);
  }

  function receive(line: string): void {
    const message = messageIn(line, parse);
    if (message !== undefined) {
      noiseBytes = 0;
      transport.onmessage?.(message);
      return;
    }
    keep(`${line.slice(-TAIL_CHARACTERS)}\n`);
    noiseBytes += Buffer.byteLength(line);
    if (noiseBytes > MAX_NOISE_BYTES) finish("its standard output has much that is no message");
  }

  const transport: ProgramTransport = {
    lastOutput: () => shownOutput(tail.length < TAIL_CHARACTERS ? tail : tailOf(tail)),
    async start() {
      running = await startWatched(program);
      const lines = createLineSplitter(NEWLINE, MAX_MESSAGE_BYTES, onLine);
      running.stdout.on("data", (chunk: Buffer) => {
        const isOpen = lines.write(chunk);
        countLine(chunk);
        if (!isOpen || transport.endedBecause !== undefined) running?.stdout.destroy();
      });
      const decoder = new StringDecoder();
      running.stderr.on("data", (chunk: Buffer) => keep(decoder.write(chunk)));
      void endOf(running).then(finish);
    },
    async send(message) {
      if (running === undefined || transport.endedBecause !== undefined) throw new Error("the server has ended");
      running.stdin.write(`${JSON.stringify(message)}\n`);
      if (running.stdin.writableLength > MAX_UNREAD_BYTES) finish("it does not read what it is sent");
    },
    async close() {
      transport.endedBecause ??= "it was stopped";
      await running?.end();
      transport.onclose?.();
    },
  };
  return transport;
}

/** As a terminal would show it, with every character that could hide or reorder text spelled out. */
function shownOutput(text: string): string {
  const output = createCommandOutput();
  output.write(Buffer.from(text));
  return harmless(output.text()).trim();
}

/** Resolves with how a program ended, once its last output has arrived. */
async function endOf({ ended, stdout, stderr }: WatchedProgram): Promise<string> {
  const how = await ended;
  const read = Promise.allSettled([finished(stdout), finished(stderr)]);
  await Promise.race([read, sleep(DRAIN_MS, undefined, { ref: false })]);
  return how;
}

function messageIn(line: string, parse: (value: unknown) => JSONRPCMessage): JSONRPCMessage | undefined {
  try {
    return parse(parseJson(line));
  } catch {
    return undefined;
  }
}
