/**
 * MCP over HTTP for any number of clients: those of the 2026 protocol revision, whose requests are independent, and
 * those of 2025, which open a session. It handles requests that were already authorized.
 */
import { randomUUID } from "node:crypto";
import {
  createMcpHandler,
  type HandleRequestOptions,
  isInitializeRequest,
  isLegacyRequest,
  readRequestBody,
  type Server,
  WebStandardStreamableHTTPServerTransport,
} from "@modelcontextprotocol/server";
import { MAX_INITIALIZE_BYTES, MAX_MESSAGE_BYTES, MAX_SESSIONS, RETRY_AFTER_SECONDS } from "../limits.ts";
import type { CreateMcpServer } from "../server.ts";
import { type FrameError, frameError, idOf, readFrame } from "./frames.ts";

export type HttpAdapterDeps = {
  createServer: CreateMcpServer;
  onError(error: Error): void;
  /** Default: `MAX_SESSIONS`. */
  maxSessions?: number;
};

export type HttpAdapter = {
  fetch(request: Request): Promise<Response>;
  /** Ends every session. */
  close(): Promise<void>;
};

type Session = {
  server: Server;
  transport: WebStandardStreamableHTTPServerTransport;
  /** Number of requests whose answer its client has not received. */
  requests: number;
};

const TRY_LATER = { "retry-after": String(RETRY_AFTER_SECONDS) };

export function createHttpAdapter(deps: HttpAdapterDeps): HttpAdapter {
  const { createServer, onError, maxSessions = MAX_SESSIONS } = deps;
  /** By id, least recently used first. */
  const sessions = new Map<string, Session>();
  /** Number of sessions that are about to be added. */
  let opening = 0;
  const modern = createMcpHandler(() => createServer(), {
    legacy: "reject",
    maxRequestBodySize: MAX_MESSAGE_BYTES,
    onerror: onError,
  });

  async function fetch(request: Request): Promise<Response> {
    if (request.method !== "POST") return handle(request, request.headers.get("mcp-session-id"), {});
    const body = await readRequestBody(request, MAX_MESSAGE_BYTES);
    if (body.tooLarge) return refusal(413, `Expected a message of at most ${MAX_MESSAGE_BYTES} bytes; found more.`);
    const frame = readFrame(body.text);
    if ("errors" in frame) return refused(frame.errors);
    const parsed = { parsedBody: frame.value };
    if (!(await isLegacyRequest(request, frame.value))) return modern.fetch(request, parsed);
    const [first] = frame.messages;
    if (!isInitializeRequest(first)) return handle(request, request.headers.get("mcp-session-id"), parsed);
    // A session header is stale then: some clients keep it from the session before.
    if (Buffer.byteLength(body.text) > MAX_INITIALIZE_BYTES)
      return refused([
        frameError(idOf(first), `Expected an initialize of at most ${MAX_INITIALIZE_BYTES} bytes; found more.`),
      ]);
    return initialize(request, parsed);
  }

  async function handle(request: Request, id: string | null, body: HandleRequestOptions): Promise<Response> {
    const session = id === null ? await openSession() : sessions.get(id);
    if (session === undefined) return refusal(404, `Session ${id} no longer exists. Initialize again.`);
    if (id !== null) touch(id, session);
    return request.method === "POST" ? answer(session, request, body) : session.transport.handleRequest(request, body);
  }

  /** A session is busy until its client has every answer. An event stream without a request does not count. */
  async function answer(session: Session, request: Request, body: HandleRequestOptions): Promise<Response> {
    session.requests += 1;
    const done = () => {
      session.requests -= 1;
    };
    try {
      return whenSent(await session.transport.handleRequest(request, body), request.signal, done);
    } catch (error) {
      done();
      throw error;
    }
  }

  async function initialize(request: Request, body: HandleRequestOptions): Promise<Response> {
    if (!makeRoom()) return refusal(503, `All ${maxSessions} sessions are busy. Try again later.`, TRY_LATER);
    opening += 1;
    try {
      return await answer(await openSession(), request, body);
    } finally {
      opening -= 1;
    }
  }

  /**
   * Opens a session, which counts once its client has initialized it; the transport rejects other requests without an
   * id.
   */
  async function openSession(): Promise<Session> {
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      maxRequestBodySize: MAX_MESSAGE_BYTES,
      onsessioninitialized: (id) => void sessions.set(id, session),
      onsessionclosed: (id) => void sessions.delete(id),
    });
    const server = createServer(transport);
    server.onerror = onError;
    const session = { server, transport, requests: 0 };
    await server.connect(transport);
    return session;
  }

  function touch(id: string, session: Session): void {
    sessions.delete(id);
    sessions.set(id, session);
  }

  /** @returns false if there is no room, because every session is busy */
  function makeRoom(): boolean {
    if (sessions.size + opening < maxSessions) return true;
    const [id, idle] = [...sessions].find(([, { requests }]) => requests === 0) ?? [];
    if (id === undefined || idle === undefined) return false;
    sessions.delete(id);
    idle.server.close().catch(onError);
    return true;
  }

  return {
    fetch,
    async close() {
      await Promise.all([modern.close(), ...[...sessions.values()].map(({ server }) => server.close())]);
      sessions.clear();
    },
  };
}

/**
 * The same response; calls back once its body was sent. Its client has `gone` as soon as the connection is closed: the
 * next piece of the body, at which the handler would notice it, may be hours away.
 */
function whenSent(response: Response, gone: AbortSignal, done: () => void): Response {
  if (response.body === null) {
    done();
    return response;
  }
  const end = new TransformStream({ flush: done, cancel: done });
  return new Response(response.body.pipeThrough(end, { signal: gone }), response);
}

function refused(errors: FrameError[]): Response {
  return Response.json(errors.length === 1 ? errors[0] : errors, { status: 400 });
}

/** A response in the form that MCP clients read. */
function refusal(status: number, message: string, headers: Record<string, string> = {}): Response {
  return Response.json(frameError(null, message, -32_000), { status, headers });
}
