/**
 * The first program in a sandbox. It starts the commands that Deputy names, each as outside in a session of its own, and
 * sends back their output and ends. It also leads connections from the port that proxy variables name to the socket
 * behind which Deputy decides on hosts. It ends with its standard input, and everything in the sandbox with it.
 */
import { readFileSync, writeSync } from "node:fs";
import { createConnection, createServer } from "node:net";
import { errorCode, errorMessage } from "../../errors.ts";
import { blockThread } from "../../system/block-thread.ts";
import { runInShell } from "../terminal/shell.ts";
import { createFrameReader, type Frame, frameBytes } from "./frames.ts";
import { NETWORK_SOCKET, PROXY_PORT } from "./inside.ts";

const OUT = 1;
/** Interval at which a full pipe is written to again, in milliseconds. */
const WRITE_AGAIN_MS = 2;

const running = new Map<number, AbortController>();

/** Waits while Deputy reads: a command cannot print faster than its output is taken. */
function send(bytes: Buffer): void {
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(OUT, bytes, at);
    } catch (error) {
      if (errorCode(error) !== "EAGAIN") process.exit(1); // Deputy is gone.
      blockThread(WRITE_AGAIN_MS);
    }
  }
}

const sendJson = (kind: "end" | "fail", id: number, value: unknown) =>
  send(frameBytes(kind, id, Buffer.from(JSON.stringify(value))));

function start({ id, body }: Frame): void {
  const stopping = new AbortController();
  running.set(id, stopping);
  const { command, cwd, environment, input } = JSON.parse(body.toString());
  const onOutput = (chunk: Buffer) => send(frameBytes("output", id, chunk));
  runInShell({ command, cwd, environment, input, timeoutMs: Number.POSITIVE_INFINITY, onOutput }, stopping.signal)
    .then(
      (end) => sendJson("end", id, end),
      (error: unknown) => sendJson("fail", id, { code: errorCode(error), message: errorMessage(error) }),
    )
    .finally(() => running.delete(id));
}

const read = createFrameReader();
process.stdin.on("data", (chunk: Buffer) => {
  for (const frame of read(chunk)) {
    if (frame.kind === "run") start(frame);
    else running.get(frame.id)?.abort();
  }
});
process.stdin.on("end", () => process.exit(0));

createServer({ allowHalfOpen: true }, (inner) => {
  const outer = createConnection({ path: NETWORK_SOCKET, allowHalfOpen: true });
  for (const [one, other] of [
    [inner, outer],
    [outer, inner],
  ] as const) {
    one.on("error", () => other.destroy()).pipe(other);
  }
}).listen(PROXY_PORT, "127.0.0.1", () => send(frameBytes("ready", 0, readFileSync("/proc/self/mountinfo"))));
