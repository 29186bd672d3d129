/** MCP over HTTP as a handler of Node's server. Only a few large bodies are in memory at once. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { toNodeHandler } from "@modelcontextprotocol/node";
import { LARGE_BODY_BYTES, MAX_LARGE_BODIES, MAX_MESSAGE_BYTES, RETRY_AFTER_SECONDS } from "../limits.ts";
import { frameError } from "./frames.ts";
import type { HttpAdapter } from "./http.ts";

export type NodeHandler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

export function createNodeHandler(adapter: HttpAdapter, onError: (error: Error) => void): NodeHandler {
  const handle = toNodeHandler(adapter, { onerror: onError, maxRequestBodySize: MAX_MESSAGE_BYTES }) as NodeHandler;
  let large = 0;
  return async (request, response) => {
    if (!isLarge(request)) return handle(request, response);
    if (large >= MAX_LARGE_BODIES) return refuse(response);
    large += 1;
    response.once("close", () => {
      large -= 1;
    });
    return handle(request, response);
  };
}

/** A body of unknown length may be large. */
function isLarge({ headers }: IncomingMessage): boolean {
  const { "content-length": length, "transfer-encoding": encoding } = headers;
  return encoding !== undefined || Number(length ?? 0) >= LARGE_BODY_BYTES;
}

/** Node reads the body to its end and drops it, so that the client can read the response. */
function refuse(response: ServerResponse): void {
  response.writeHead(503, { "content-type": "application/json", "retry-after": String(RETRY_AFTER_SECONDS) });
  response.end(
    JSON.stringify(frameError(null, `${MAX_LARGE_BODIES} large messages are in progress. Try again later.`, -32_000)),
  );
}
