/**
 * A model provider on loopback with scripted responses: real HTTP, and the real wire formats of all four API modes,
 * distinguished by path. A script is a function from the request to a turn, and depends on nothing else.
 */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { type Clock, systemClock } from "../clock.ts";
import type { ApiMode } from "../route.ts";
import { isRecord } from "../values/record.ts";
import { createAdmission } from "./admission.ts";
import { createServedWires, type DialectOf } from "./dialects/dialects.ts";
import type { DialectName } from "./dialects/vendor-api.ts";
import { type Exchange, errorSteps, responseSteps } from "./fault-handlers.ts";
import type { ModelRequest } from "./model-request.ts";
import { BASE_PATH, endpointOf, type RequestTarget } from "./request-target.ts";
import { type ResponseStep, sendSteps, waited } from "./response-steps.ts";
import { replyTo, type Turn } from "./turn.ts";
import type { WireFormat } from "./wire-format.ts";

export type Script = (request: ModelRequest) => Turn | Promise<Turn>;

export type ModelServerOptions = {
  script: Script;
  /** Keys by name. A request must carry one of them, in its mode's own header. Default: no key is required. */
  keys?: Readonly<Record<string, string>>;
  /** Models it serves; others get the vendor's own error. Default: any. */
  models?: readonly string[];
  /** Rejects what the vendor rejects: unknown fields, calls without results, impossible limits. Default true. */
  strict?: boolean;
  /**
   * The vendor that the server acts as: it rejects what the vendor rejects, answers in its form and fails in its words. A
   * function chooses it for each request. Default: the API modes' own formats.
   */
  dialect?: DialectName | DialectOf;
  /** Top-level request fields accepted in addition to the vendor's own, such as `reasoning` to act as OpenRouter. */
  extraFields?: readonly string[];
  /**
   * What `requests` keeps: everything; everything except system, messages, tools, headers and body; nothing. Default
   * `whole`.
   */
  keepRequests?: "whole" | "brief" | "none";
  /** Times the requests, and every latency, pace and silence of a turn. Default: the system clock. */
  clock?: Clock;
  /** Default: any free port. */
  port?: number;
};

export interface ModelServer {
  /** Origin, such as `http://127.0.0.1:41234`. */
  readonly url: string;
  /** The base URL for a client of this mode. @param prefix a path before it, such as `/zai` */
  baseUrl(apiMode: ApiMode, prefix?: string): string;
  /** Every request, including rejected ones. */
  readonly requests: readonly ModelRequest[];
  /** Number of model requests so far, kept or not. */
  readonly count: number;
  /** Errors thrown by scripts. Each also got an error response that says so. */
  readonly scriptErrors: readonly unknown[];
  readonly openConnections: number;
  /** Number of requests being read, scripted or answered. */
  readonly inFlight: number;
  readonly maxInFlight: number;
  /** Stops listening and cuts every connection, even in use. */
  close(): Promise<void>;
}

/** Backlog of connections to accept; the system may allow fewer. */
const BACKLOG = 8192;

/** @throws Error of the system if it cannot listen on the port */
export async function createModelServer(options: ModelServerOptions): Promise<ModelServer> {
  const {
    script,
    dialect,
    strict = true,
    extraFields = [],
    keepRequests = "whole",
    clock = systemClock,
    port = 0,
  } = options;
  const admission = createAdmission({ keys: options.keys, models: options.models, strict, extraFields });
  const nonce = randomBytes(4).toString("hex");
  const wireFor = createServedWires(dialect);
  const requests: ModelRequest[] = [];
  const scriptErrors: unknown[] = [];
  const sockets = new Set<Socket>();
  let count = 0;
  let inFlight = 0;
  let maxInFlight = 0;

  async function answer(
    endpoint: Extract<RequestTarget, { asks: "answer" }>,
    wire: WireFormat,
    incoming: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const { url: path = "", headers } = incoming;
    const index = count++;
    const requestId = `req_${nonce}${index.toString().padStart(6, "0")}`;
    const body = await bodyOf(incoming);
    if (body === undefined) return;
    const { request, error } = admission.admit(wire, { endpoint, path, headers, body, index, at: clock.now() });
    const kept = keepRequests === "whole" ? request : brief(request);
    if (keepRequests !== "none") requests.push(kept);
    const exchange = { wire, request, requestId };
    const steps = error ? errorSteps(exchange, error) : await scripted(exchange, response);
    sendSteps(steps, response, clock, (status) => {
      kept.status = status;
    });
  }

  /** Creates the response only when its latency is over: thousands may be waiting. */
  async function scripted(
    { wire, request, requestId }: Pick<Exchange, "wire" | "request" | "requestId">,
    response: ServerResponse,
  ): Promise<ResponseStep[]> {
    try {
      const turn = await script(request);
      if (!isRecord(turn)) throw new Error(`Expected a turn from the script; found ${String(turn)}.`);
      const stayed = await waited(turn.latencyMs ?? 0, response, clock);
      return !stayed ? [] : responseSteps({ wire, request, turn, reply: replyTo(turn, request, nonce), requestId });
    } catch (error) {
      scriptErrors.push(error);
      const message = `The script of this model server failed at request ${request.index}: ${String(error)}`;
      return errorSteps({ wire, requestId }, wire.error({ kind: "invalid", message }, request));
    }
  }

  function listModels(wire: WireFormat, { headers }: IncomingMessage, response: ServerResponse): void {
    const { rejection } = admission.keyOf(wire, headers);
    if (rejection) {
      const error = wire.error(rejection, { model: "", at: clock.now() });
      sendSteps(errorSteps({ wire, requestId: `req_${nonce}models` }, error), response, clock);
    } else sendJson(response, 200, wire.modelList(options.models ?? []));
  }

  const server = createServer(
    { noDelay: true, keepAlive: true, keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0 },
    (incoming, response) => {
      const endpoint = endpointOf(incoming.method ?? "", incoming.url ?? "", incoming.headers);
      const wire = endpoint && wireFor(endpoint, incoming);
      if (endpoint === undefined || wire === undefined) return refuseUnknownPath(incoming, response);
      if (endpoint.asks === "models") return listModels(wire, incoming, response);
      inFlight += 1;
      maxInFlight = Math.max(maxInFlight, inFlight);
      response.once("close", () => {
        inFlight -= 1;
      });
      void answer(endpoint, wire, incoming, response);
    },
  );
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  server.listen({ port, host: "127.0.0.1", backlog: BACKLOG });
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  return {
    url,
    baseUrl: (apiMode, prefix = "") => url + prefix + BASE_PATH[apiMode],
    requests,
    scriptErrors,
    get count() {
      return count;
    },
    get openConnections() {
      return sockets.size;
    },
    get inFlight() {
      return inFlight;
    },
    get maxInFlight() {
      return maxInFlight;
    },
    close: async () => {
      if (!server.listening) return;
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function brief(request: ModelRequest): ModelRequest {
  return { ...request, system: "", messages: [], tools: [], headers: {}, body: {} };
}

/** The whole body; undefined if the client disconnected before the end. */
function bodyOf(incoming: IncomingMessage): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.once("end", () => resolve(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks)));
    incoming.once("close", () => resolve(undefined));
  });
}

function refuseUnknownPath({ method, url }: IncomingMessage, response: ServerResponse): void {
  const served = "…/chat/completions, …/responses, …/messages, …:generateContent, …/converse, …/models";
  const message = `Not served here: ${method} ${url}. Expected ${served}.`;
  sendJson(response, 404, { error: { message, type: "invalid_request_error", param: null, code: "unknown_url" } });
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}
