/**
 * The only way out of a sandbox to the network: an HTTP proxy in Deputy's process, behind a socket that only the sandbox
 * has. Programs name the host and port that they want; Deputy decides, resolves the name itself and connects.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, request as requestOverHttp, type ServerResponse } from "node:http";
import { createConnection, isIP, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { errorMessage } from "../../errors.ts";
import { hostName, portOf } from "../../web-host.ts";
import { type AddressRules, dialedAddresses, UnresolvedHost } from "../web/dialed-address.ts";

/** Decides on one host and port. `reason` is a clause for the child. */
export type HostDecision = { allowed: true } | { allowed: false; reason: string };
export type DecideOnHost = (host: string, port: number) => Promise<HostDecision>;

export type NetworkDoor = {
  decide: DecideOnHost;
  /** Connects to a host that was allowed. @throws ToolError, or an error of the system */
  dial(url: URL): Promise<Duplex>;
  /** Tells whoever runs a command that a connection was refused, in a sentence. */
  onRefusal(text: string): void;
};

export type NetworkProxy = {
  /** @throws Error of the system */
  listen(socket: string): Promise<void>;
  /** Ends it with all of its connections. */
  close(): Promise<void>;
};

/** The proxy of one sandbox. It listens nowhere yet. */
export function createNetworkProxy(door: NetworkDoor): NetworkProxy {
  const connections = new Set<Duplex>();
  const server = createServer(
    (request, response) => void forward(door, request, response).catch(() => response.destroy()),
  );
  server.on("connect", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on("error", () => {}); // A program may leave at any time.
    void tunnel(door, request.url ?? "", socket, head).catch(() => socket.destroy());
  });
  server.on("connection", (socket: Duplex) => {
    connections.add(socket);
    socket.on("close", () => connections.delete(socket));
  });
  return {
    async listen(socket) {
      await once(server.listen(socket), "listening");
    },
    async close() {
      const closed = server.listening ? once(server, "close") : undefined;
      server.close();
      for (const connection of connections) connection.destroy();
      await closed;
    },
  };
}

async function tunnel(door: NetworkDoor, authority: string, socket: Duplex, head: Buffer): Promise<void> {
  const url = /^[^/?#@]+:\d+$/.test(authority) ? URL.parse(`http://${authority}`) : null;
  const opened = url === null ? BAD_REQUEST : await open(door, url);
  if ("refusal" in opened) {
    socket.end(`HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n${opened.refusal}\n`);
    return;
  }
  const { connection } = opened;
  connection.on("error", () => socket.destroy());
  socket.on("close", () => connection.destroy());
  socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
  if (head.length > 0) connection.write(head);
  connection.pipe(socket).pipe(connection);
}

/** Headers that concern one connection. `host` is set from the URL, so that it names the host that was allowed. */
const NOT_FORWARDED = ["host", "connection", "proxy-connection", "proxy-authorization", "keep-alive", "te", "upgrade"];

async function forward(door: NetworkDoor, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = /^http:\/\//i.test(request.url ?? "") ? URL.parse(request.url ?? "") : null;
  const opened = url === null ? BAD_REQUEST : await open(door, url);
  if (url === null || "refusal" in opened) {
    const { refusal } = "refusal" in opened ? opened : BAD_REQUEST;
    response.writeHead(403, { "content-type": "text/plain", connection: "close" }).end(`${refusal}\n`);
    return;
  }
  const kept = Object.entries(request.headers).filter(([name]) => !NOT_FORWARDED.includes(name));
  const headers = { ...Object.fromEntries(kept), host: url.host, connection: "close" };
  const { method } = request;
  const outgoing = requestOverHttp(url, { method, headers, createConnection: () => opened.connection });
  outgoing.on("response", (incoming) => {
    response.writeHead(incoming.statusCode ?? 502, incoming.headers);
    incoming.on("error", () => response.destroy()).pipe(response);
  });
  outgoing.on("error", () => response.destroy());
  request.on("error", () => outgoing.destroy()).pipe(outgoing);
}

const BAD_REQUEST = { refusal: "Expected a host and a port, or an http URL: this is a proxy." };

async function open(door: NetworkDoor, url: URL): Promise<{ connection: Duplex } | { refusal: string }> {
  const host = hostName(url);
  const port = Number(portOf(url));
  const decision = await door.decide(host, port);
  const refusal = decision.allowed ? await failureOf(door, url) : `refused ${host}:${port}: ${decision.reason}`;
  if (typeof refusal !== "string") return { connection: refusal };
  door.onRefusal(refusal);
  return { refusal };
}

/** The connection, or why there is none. */
async function failureOf({ dial }: NetworkDoor, url: URL): Promise<Duplex | string> {
  try {
    return await dial(url);
  } catch (error) {
    return `no connection to ${hostName(url)}:${portOf(url)}: ${errorMessage(error)}`;
  }
}

export type DialOptions = AddressRules & { proxyFor(url: URL): string | undefined };

/** Creates the connections of a proxy: to addresses that were checked, or through the user's own proxy. */
export function createDial({ proxyFor, ...rules }: DialOptions): NetworkDoor["dial"] {
  return async (url) => {
    const proxy = proxyFor(new URL(`${portOf(url) === "80" ? "http" : "https"}://${url.host}`));
    const addresses = await dialedAddresses(url, rules).catch((error: unknown) => {
      if (proxy !== undefined && error instanceof UnresolvedHost) return [];
      throw error;
    });
    if (proxy !== undefined) return throughProxy(new URL(proxy), url);
    let last: unknown;
    for (const { address } of addresses) {
      try {
        return await connected(createConnection({ host: address, port: Number(portOf(url)) }));
      } catch (error) {
        last = error;
      }
    }
    throw last;
  };
}

function connected(socket: Socket): Promise<Socket> {
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.off("error", reject);
      resolve(socket);
    });
  });
}

async function throughProxy(proxy: URL, url: URL): Promise<Duplex> {
  const { request } = proxy.protocol === "https:" ? await import("node:https") : await import("node:http");
  const authority = `${isIP(url.hostname) === 6 ? `[${url.hostname}]` : url.hostname}:${portOf(url)}`;
  const credentials = decodeURIComponent(`${proxy.username}:${proxy.password}`);
  const headers = {
    host: authority,
    ...(credentials !== ":" && { "proxy-authorization": `Basic ${Buffer.from(credentials).toString("base64")}` }),
  };
  return new Promise((resolve, reject) => {
    const asked = request({
      host: proxy.hostname,
      port: proxy.port || undefined,
      method: "CONNECT",
      path: authority,
      headers,
    });
    asked.once("error", reject);
    asked.once("connect", (response: IncomingMessage, socket: Duplex) => {
      if (response.statusCode === 200) return resolve(socket);
      socket.destroy();
      reject(new Error(`the proxy ${proxy.host} answers ${response.statusCode}`));
    });
    asked.end();
  });
}
