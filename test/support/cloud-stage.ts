/**
 * Clouds on loopback: a server that answers whatever it is asked and keeps every request, and one task run against it.
 * Nothing here signs or reads as Deputy does.
 */
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import type { Result } from "../../src/result.ts";
import { impatientClock } from "./impatient-clock.ts";
import { play } from "./whole-stage.ts";

type After = (cleanUp: () => unknown) => void;

export type CloudRequest = {
  method: string;
  /** Path and query, as sent. */
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
};

export type CloudAnswer = { status?: number; headers?: Record<string, string>; body?: string | Uint8Array };

export type CloudServer = { url: string; requests: CloudRequest[] };

/** @param answer returns the response to a request, given the number of earlier ones */
export async function createCloudServer(
  after: After,
  answer: (request: CloudRequest, index: number) => CloudAnswer,
): Promise<CloudServer> {
  const requests: CloudRequest[] = [];
  const server = createServer(async (incoming, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const { method = "", url: path = "", headers } = incoming;
    const request = { method, path, headers, body: Buffer.concat(chunks).toString() };
    requests.push(request);
    const { status = 200, headers: more, body } = answer(request, requests.length - 1);
    response.writeHead(status, more);
    response.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  after(() => {
    server.close();
    server.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}

/** Runs one task at a cloud, and returns everything that was printed, stored and shown live. */
export type CloudRun = { result: Result; everything: string };

/** Waits take no time. */
export async function runAt(
  task: Record<string, unknown>,
  env: Record<string, string>,
  config = {},
): Promise<CloudRun> {
  const events: unknown[] = [];
  const { clock } = impatientClock();
  const call = { goal: "Say hello.", ...task };
  const watch = (event: unknown) => events.push(event);
  const { results, files } = await play(call, { env, config, clock, watch });
  const [result] = results;
  if (result === undefined) throw new Error("no result");
  return { result, everything: JSON.stringify([results, events, files]) };
}

/** The kind of the failure that ended a child. */
export function kindOf({ error }: Result): string | undefined {
  return error !== undefined && error !== null && "kind" in error ? error.kind : undefined;
}

export { awsEvent, awsException, awsFrame } from "../../src/testing/wires/aws-frames.ts";

export const EVENT_STREAM = { "content-type": "application/vnd.amazon.eventstream" };
