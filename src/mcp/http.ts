/**
 * MCP over HTTP for any number of clients: those of the 2026 protocol revision, whose requests are independent, and
 * those of 2025, which open a session. It handles requests that were already authorized.
 */
import { randomUUID } from "node:crypto";
import {
  createMcpHandler,
  isLegacyRequest,
  readRequestBody,
  type Server,
  WebStandardStreamableHTTPServerTransport,
} from "@modelcontextprotocol/server";
import { MAX_MESSAGE_BYTES, MAX_SESSIONS } from "./limits.ts";
import { withoutNulls } from "./nulls.ts";
import type { CreateMcpServer } from "./server.ts";

export type HttpAdapterDeps = {
  createServer: CreateMcpServer;
  onError(error: Error): void;
};

export type HttpAdapter = {
  fetch(request: Request): Promise<Response>;
  /** Ends every session. */
  close(): Promise<void>;
};

type Session = { server: Server; transport: WebStandardStreamableHTTPServerTransport };

export function createHttpAdapter({ createServer, onError }: HttpAdapterDeps): HttpAdapter {
  /** By id, least recently used first. */
  const sessions = new Map<string, Session>();
  const modern = createMcpHandler(() => createServer(), {
    legacy: "reject",
    maxRequestBodySize: MAX_MESSAGE_BYTES,
    onerror: onError,
  });

  async function fetch(sent: Request): Promise<Response> {
    const request = await withoutNullsIn(sent);
    if (!(await isLegacyRequest(request, undefined, { maxRequestBodySize: MAX_MESSAGE_BYTES }))) {
      return modern.fetch(request);
    }
    const id = request.headers.get("mcp-session-id");
    const session = id === null ? await openSession() : sessions.get(id);
    if (session === undefined) return refusal(404, `Session ${id} no longer exists. Initialize again.`);
    if (id !== null) touch(id, session);
    return session.transport.handleRequest(request);
  }

  /**
   * Opens a session, which counts once its client has initialized it; the transport rejects other requests without an
   * id.
   */
  async function openSession(): Promise<Session> {
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      maxRequestBodySize: MAX_MESSAGE_BYTES,
      onsessioninitialized: (id) => {
        makeRoom();
        sessions.set(id, session);
      },
      onsessionclosed: (id) => void sessions.delete(id),
    });
    const server = createServer(transport);
    server.onerror = onError;
    const session = { server, transport };
    await server.connect(transport);
    return session;
  }

  function touch(id: string, session: Session): void {
    sessions.delete(id);
    sessions.set(id, session);
  }

  function makeRoom(): void {
    for (const [id, { server }] of [...sessions].slice(0, Math.max(0, sessions.size + 1 - MAX_SESSIONS))) {
      sessions.delete(id);
      server.close().catch(onError);
    }
  }

  return {
    fetch,
    async close() {
      await Promise.all([modern.close(), ...[...sessions.values()].map(({ server }) => server.close())]);
      sessions.clear();
    },
  };
}

/** The request with its messages cleaned; as it came where it is too large, which the transports refuse. */
async function withoutNullsIn(request: Request): Promise<Request> {
  if (request.method !== "POST" || request.body === null) return request;
  const body = await readRequestBody(request.clone(), MAX_MESSAGE_BYTES);
  if (body.tooLarge || !body.text.includes("null")) return request;
  return new Request(request.url, {
    method: request.method,
    headers: request.headers,
    body: withoutNulls(body.text),
    signal: request.signal,
  });
}

/** A response in the form that MCP clients read. */
function refusal(status: number, message: string): Response {
  return Response.json({ jsonrpc: "2.0", error: { code: -32_000, message }, id: null }, { status });
}
