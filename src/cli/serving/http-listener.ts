/**
 * The HTTP listener of `deputy serve`: it authorizes requests and routes them by path. A request needs the token; one
 * from a web page in a browser is rejected by its Origin, and one to a rebound name by its Host.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, isIP } from "node:net";
import type { AccessToken } from "../../config/access-token.ts";
import { DeputyError } from "../../errors.ts";

export type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

export type ListenOptions = {
  host: string;
  /** 0: any free port. */
  port: number;
  token: AccessToken;
  /** Handlers by path. */
  handlers: Record<string, Handler>;
  onError(error: unknown): void;
};

export type HttpListener = {
  /** Base URL: `http://127.0.0.1:4747`. */
  url: string;
  /** Resolves when every request has its response. Event streams are not waited for. */
  answered(): Promise<void>;
  /** Stops listening and closes open connections. */
  close(): Promise<void>;
};

type HttpRejection = { status: number; message: string; headers?: Record<string, string> };

/** @throws DeputyError `usage` if it cannot listen there */
export async function listen({ host, port, token, handlers, onError }: ListenOptions): Promise<HttpListener> {
  const open = new Set<Promise<void>>();
  const server = createServer((request, response) => {
    const refusal = rejectionOf(request, host, token, handlers);
    if (refusal !== undefined) return reject(response, refusal);
    if (request.method === "POST") {
      const answer = Promise.withResolvers<void>();
      open.add(answer.promise);
      response.once("close", () => {
        open.delete(answer.promise);
        answer.resolve();
      });
    }
    handlers[pathOf(request)]?.(request, response).catch((error: unknown) => {
      onError(error);
      if (!response.headersSent) reject(response, { status: 500, message: "Internal error" });
      else response.destroy();
    });
  });
  await opened(server, host, port);
  const { address, family, port: given } = server.address() as AddressInfo;
  return {
    url: `http://${family === "IPv6" ? `[${address}]` : address}:${given}`,
    answered: async () => void (await Promise.all(open)),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function opened(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error) =>
      reject(
        new DeputyError(
          "usage",
          `Cannot listen on ${host}:${port}: ${error.message}. Choose another with --port or --host.`,
          {
            cause: error,
          },
        ),
      ),
    );
    server.listen(port, host, resolve);
  });
}

function rejectionOf(
  request: IncomingMessage,
  host: string,
  token: AccessToken,
  handlers: ListenOptions["handlers"],
): HttpRejection | undefined {
  const { host: asked, origin, authorization } = request.headers;
  if (!isOurHost(asked, host)) {
    return { status: 403, message: `Host ${asked ?? "(none)"} is not a name of this server.` };
  }
  if (origin !== undefined && !isOurPage(URL.parse(origin), asked)) {
    return { status: 403, message: `Origin ${origin} may not use this server.` };
  }
  if (!Object.hasOwn(handlers, pathOf(request))) {
    return { status: 404, message: `Not found. Available paths: ${Object.keys(handlers).join(", ")}` };
  }
  const [, given] = /^Bearer +(\S+) *$/i.exec(authorization ?? "") ?? [];
  if (given !== undefined && token.matches(given)) return undefined;
  return {
    status: 401,
    message: `Expected Authorization: Bearer TOKEN, with the token in ${token.path}.`,
    headers: { "www-authenticate": 'Bearer realm="deputy"' },
  };
}

function pathOf({ url = "/" }: IncomingMessage): string {
  return url.replace(/[?#].*$/s, "");
}

/** Returns whether a page comes from this machine, or from the address of the request. */
function isOurPage(page: URL | null, asked: string | undefined): boolean {
  if (page === null || page.hostname === "") return false;
  return isLoopback(page.hostname) || page.host === URL.parse(`${page.protocol}//${asked}`)?.host;
}

/**
 * Returns whether a Host is this server's: an address or `localhost`, which no foreign DNS can control, or the name it
 * was told to listen on. On loopback, it must be a loopback address. `hostHeaderValidation` of the MCP SDK (2.4) checks
 * less: it parses a Host as a URL, so `evil.example@localhost` and `localhost/x` pass, and it compares names with a
 * list, which cannot contain every address.
 */
function isOurHost(asked: string | undefined, listensOn: string): boolean {
  const name = URL.parse(`http://${asked ?? ""}`)?.hostname.toLowerCase();
  if (name === undefined || /[^\w.:[\]-]/.test(asked ?? "")) return false;
  const address = name.replace(/^\[|\]$/g, "");
  if (isLoopback(name)) return true;
  return !isLoopback(listensOn) && (isIP(address) !== 0 || name === listensOn.toLowerCase());
}

/** Returns whether only this machine can reach the address. */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase().replace(/^\[|\]$/g, "");
  return name === "localhost" || name === "::1" || /^127\.\d+\.\d+\.\d+$/.test(name);
}

/** Responds in the form of MCP errors, which other clients can read too. */
function reject(response: ServerResponse, { status, message, headers }: HttpRejection): void {
  const body = JSON.stringify({ jsonrpc: "2.0", error: { code: -32_000, message }, id: null });
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(body);
}
