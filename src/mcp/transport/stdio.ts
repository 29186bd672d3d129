/** MCP over standard input and output: one client, from its first message until it closes the pipe. */
import { type Readable, Writable } from "node:stream";
import { StdioServerTransport, serveStdio } from "@modelcontextprotocol/server/stdio";
import { MAX_MESSAGE_BYTES } from "../limits.ts";
import type { CreateMcpServer } from "../server.ts";
import { createMessageLines } from "./message-lines.ts";

export type StdioAdapterDeps = {
  input: Readable;
  /** Receives only protocol messages. */
  output: { write(text: string): unknown };
  createServer: CreateMcpServer;
  /** Receives errors that no response can report. */
  onError(error: Error): void;
};

/** Resolves when the client has closed its end, or the signal aborts. */
export function serveOverStdio(
  { input, output, createServer, onError }: StdioAdapterDeps,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve) => {
    const writable = new Writable({
      decodeStrings: false,
      write(text, _encoding, done) {
        output.write(text);
        done();
      },
    });
    const messages = createMessageLines((error) => output.write(`${JSON.stringify(error)}\n`));
    input.on("error", (error) => messages.destroy(error)).pipe(messages);
    const transport = new StdioServerTransport(messages, writable, { maxBufferSize: MAX_MESSAGE_BYTES });
    const handle = serveStdio(() => createServer(transport), { transport, onerror: onError });
    const closed = transport.onclose;
    transport.onclose = () => {
      closed?.();
      input.unpipe(messages).pause();
      resolve();
    };
    signal.addEventListener("abort", () => void handle.close(), { once: true });
    if (signal.aborted) void handle.close();
  });
}
