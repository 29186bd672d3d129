/** A scripted MCP server over streamable HTTP on loopback: answers as events, and a stream for what it says by itself. */
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { createScript, type Message, type ScriptOptions } from "./script.ts";

export type HttpMcpServer = {
  url: string;
  /** Headers of each request, oldest first. */
  readonly headers: readonly IncomingHttpHeaders[];
  readonly messages: readonly Message[];
  close(): Promise<void>;
};

/** @param redirect where every request is sent on to, instead of an answer */
export async function createHttpMcpServer(options: ScriptOptions = {}, redirect?: string): Promise<HttpMcpServer> {
  const headers: IncomingHttpHeaders[] = [];
  const messages: Message[] = [];
  const open = new Map<unknown, ServerResponse>();
  let own: ServerResponse | undefined;

  function send(message: Message): void {
    const answering = "method" in message ? undefined : open.get(message.id);
    const stream = answering ?? [...open.values()].at(-1) ?? own;
    stream?.write(`data: ${JSON.stringify(message)}\n\n`);
    if (answering === undefined) return;
    open.delete(message.id);
    answering.end();
  }

  const handle = createScript(
    {
      send,
      sendRaw: (raw) => void [...open.values()].at(-1)?.write(raw),
      die() {
        for (const response of open.values()) response.destroy();
        open.clear();
      },
    },
    options,
  );
  const server = createServer(async (request, response) => {
    headers.push(request.headers);
    if (redirect !== undefined) return response.writeHead(307, { location: redirect }).end();
    if (request.method === "DELETE") return response.writeHead(405).end();
    const stream = { "content-type": "text/event-stream" };
    if (request.method === "GET") {
      own = response.writeHead(200, stream);
      return response.flushHeaders();
    }
    const message: Message = JSON.parse(await text(request));
    messages.push(message);
    if (!("id" in message) || !("method" in message)) response.writeHead(202).end();
    else {
      open.set(message.id, response.writeHead(200, stream));
      response.flushHeaders();
    }
    return handle(message);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    headers,
    messages,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
