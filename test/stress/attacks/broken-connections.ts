/** Connections break, hang or go on with junk after a complete answer. It counts, and is not requested again. */
import { createServer, type IncomingMessage, request as requestOf, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { stepOf } from "../../support/end-to-end.ts";
import type { Round } from "./round.ts";
import { runSomehow } from "./run.ts";

/** What comes after the last byte of an answer. */
const AFTERS: Record<string, (response: ServerResponse) => void> = {
  "a reset": (response) => void response.socket?.resetAndDestroy(),
  "a break": (response) => void response.socket?.destroy(),
  "half of a chunk": (response) => {
    response.socket?.write("ffff\r\nhal");
    setTimeout(() => response.socket?.destroy(), 20);
  },
  "no chunk": (response) => {
    response.socket?.write("junk\r\n\r\n");
    setTimeout(() => response.socket?.destroy(), 20);
  },
  silence: (response) => void setTimeout(() => response.end(), 3_000),
  "a late break": (response) => void setTimeout(() => response.socket?.destroy(), 300),
  "an ordinary end": (response) => void response.end(),
};

export async function attackByBrokenConnections(round: Round): Promise<void> {
  const { draw } = round;
  const afters = draw.some(Object.keys(AFTERS), 3);
  const relay = createServer((incoming, outgoing) => void pass(round, incoming, outgoing, draw.pick(afters)));
  await new Promise<void>((resolve) => relay.listen(0, "127.0.0.1", resolve));
  try {
    round.configure({}, (relay.address() as AddressInfo).port);
    const steps = draw.whole(1, 3);
    round.answerWith((request) =>
      stepOf(request) > steps
        ? { text: "word ".repeat(draw.whole(1, 300)) }
        : { text: "I look.", toolCalls: [{ name: "list_dir", input: {} }] },
    );
    const tasks = Array.from({ length: draw.whole(1, 3) }, (_, index) => ({ goal: `Order ${index}` }));
    const run = await round.whileAwaiting(() => runSomehow(round, tasks, { ends: ["by itself"], limits: ":" }));
    const { code, stderr } = await run.ended;
    if (code !== 0)
      round.breach({ kind: "lost", words: `after ${afters.join(", ")} (${code}): ${stderr.slice(-400)}` });
    const extra = round.requests.length - tasks.length * (steps + 1);
    if (extra !== 0) round.breach({ kind: "repeat", words: `after ${afters.join(", ")}: ${extra} requests too many` });
  } finally {
    relay.closeAllConnections();
    relay.close();
  }
}

/** Passes a request on, and the answer back, up to its last byte. */
async function pass(round: Round, incoming: IncomingMessage, outgoing: ServerResponse, after: string): Promise<void> {
  const { port } = new URL(round.server.baseUrl("chat_completions"));
  const { method = "POST", url = "/", headers } = incoming;
  const inner = requestOf({ host: "127.0.0.1", port, method, path: url, headers });
  incoming.pipe(inner);
  inner.on("response", (response) => {
    const { "content-length": _, ...others } = response.headers;
    outgoing.writeHead(response.statusCode ?? 500, others);
    response.on("data", (bytes: Buffer) => outgoing.write(bytes));
    // What was written must have left before the connection breaks.
    response.on("end", () => outgoing.write("", () => setTimeout(() => AFTERS[after]?.(outgoing), 50)));
  });
}
