/** A server of pages or of a search engine, on a free port of this machine, which remembers what it was asked. */
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";

export type WebAnswer = { status?: number; type?: string; body?: string; location?: string };
export type WebArrival = { method: string; url: string; headers: IncomingHttpHeaders; body: string };

/** @param answer responds to each request; default: the page `the page` */
export async function createWebServer(answer: (arrival: WebArrival) => WebAnswer = () => ({ body: "the page" })) {
  const arrivals: WebArrival[] = [];
  const server = createServer(async (request, response) => {
    const { method = "", url = "", headers } = request;
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece);
    const arrival = { method, url, headers, body: Buffer.concat(pieces).toString() };
    arrivals.push(arrival);
    const { status = 200, type = "text/plain", body = "", location } = answer(arrival);
    response.writeHead(status, { "content-type": type, ...(location !== undefined && { location }) }).end(body);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    port,
    host: `127.0.0.1:${port}`,
    url: `http://127.0.0.1:${port}`,
    arrivals,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
