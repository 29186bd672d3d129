/**
 * Sends requests: one `fetch` over undici's `dispatch`, which adds the auth headers here and nowhere else. A key goes
 * only to its own origin, redirects are not followed, and the bytes of a streamed answer are batched for a moment,
 * because every chunk costs the readers above far more than it costs the wire.
 */
import { createRequire } from "node:module";
import type undici from "undici";
import type { Dispatcher } from "undici";
import type { Access, KeyHeader } from "../../secret.ts";
import type { Environment } from "../../template.ts";
import { awsCredentialsIn, awsHeaders } from "./aws-signature.ts";
import { proxyFor } from "./proxy.ts";

/** Time for which the bytes of one answer are batched before they are passed on, in milliseconds. */
const GATHER_MS = 25;
/**
 * A larger response is not a model's answer: the request is aborted. The longest answers have 128,000 tokens, each in an
 * event of about 300 bytes.
 */
const MAX_RESPONSE_BYTES = 64 * 1024 * 1024;
/** As much is batched at most. What a slow reader has not taken by then pauses the socket. A chunk may be one byte. */
const MAX_GATHERED = { chunks: 4_096, bytes: 1024 * 1024 };
/** Lifetime of idle connections, in milliseconds: the length of a typical tool call. */
const KEEP_ALIVE_MS = 30_000;

export type Fetch = typeof globalThis.fetch;

export type Transport = {
  /** Returns a `fetch` with one credential. It rejects every origin except that of `baseUrl`. */
  fetchFor(baseUrl: string, access: Access): Fetch;
  /** Closes every connection, including those in use. */
  close(): Promise<void>;
};

export type TransportOptions = {
  /** Maximum connections to one origin; further requests wait for one. */
  connectionsPerOrigin: number;
  /** Source of `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`, in upper or lower case. */
  environment: Environment;
  userAgent: string;
};

/** Thrown for a response that is too large for an answer; read by `failure.ts`. */
export class AnswerTooLarge extends Error {
  constructor(maxBytes: number) {
    super(`the answer is larger than ${maxBytes / 1024 / 1024} MB`);
    this.name = "AnswerTooLarge";
  }
}

/** Thrown before anything is sent; read by `failure.ts`. */
export class UnsendableHeader extends Error {
  constructor(what: string) {
    super(
      `${what} contains characters that HTTP cannot carry: nothing was sent. Correct it in the config or environment`,
    );
    this.name = "UnsendableHeader";
  }
}

export function createTransport(options: TransportOptions): Transport {
  /** By the address of the proxy; the one without a proxy at "". */
  const dispatchers = new Map<string, Dispatcher>();

  function dispatcherTo(proxy = ""): Dispatcher {
    const dispatcher = dispatchers.get(proxy) ?? createDispatcher(options.connectionsPerOrigin, proxy);
    dispatchers.set(proxy, dispatcher);
    return dispatcher;
  }

  return {
    fetchFor(baseUrl, access) {
      const { origin } = new URL(baseUrl);
      return async (input, init = {}) => {
        const url = new URL(String(input));
        if (url.origin !== origin) throw new Error(`A request for ${origin} was about to go to ${url.origin}.`);
        const proxy = proxyFor(url, options.environment);
        const headers = authHeaders(url, init, access, options.userAgent);
        return dispatch(dispatcherTo(proxy), url, init, headers).catch((error) => {
          throw withProxyNamed(error, proxy);
        });
      };
    },
    async close() {
      const open = [...dispatchers.values()];
      dispatchers.clear();
      await Promise.all(open.map((dispatcher) => dispatcher.destroy()));
    },
  };
}

/** Loaded with the first request, and by file: the package's index would load four times as much, 55 ms instead of 15. */
function createDispatcher(connections: number, proxy: string): Dispatcher {
  const require = createRequire(import.meta.url);
  const settings = {
    connections,
    pipelining: 1,
    keepAliveTimeout: KEEP_ALIVE_MS,
    // The child's own clock detects stalls (`stall_seconds`), not the socket's.
    headersTimeout: 0,
    bodyTimeout: 0,
  };
  if (proxy === "") {
    const Agent: typeof undici.Agent = require("undici/lib/dispatcher/agent.js");
    return new Agent(settings);
  }
  // The whole package: a tunnel to an https origin needs what only its index assembles.
  const { ProxyAgent }: typeof undici = require("undici");
  return new ProxyAgent({ ...settings, uri: proxy });
}

/** A connection may fail at the proxy, so the error names its host: the rest of its address may contain a password. */
function withProxyNamed(error: unknown, proxy: string | undefined): unknown {
  if (proxy !== undefined && URL.canParse(proxy) && error instanceof Error && error.name !== "AbortError")
    error.message += `, through the proxy ${new URL(proxy).host}`;
  return error;
}

const KEY_HEADERS: readonly string[] = [
  "authorization",
  "x-api-key",
  "x-goog-api-key",
  "api-key",
  "x-subscription-token",
] satisfies KeyHeader[];

/** The request's headers with the provider packages' placeholder key replaced by the real one. */
function authHeaders(url: URL, init: RequestInit, access: Access, userAgent: string): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries((init.headers ?? {}) as Record<string, string>)) {
    if (value !== undefined && !KEY_HEADERS.includes(name.toLowerCase())) headers[name.toLowerCase()] = value;
  }
  headers["user-agent"] = userAgent;
  for (const [name, value] of Object.entries(access.headers)) headers[name.toLowerCase()] = value;
  if (access.key !== undefined) {
    const { secret, header } = access.key;
    const value = secret.reveal(url.origin);
    const signing = awsCredentialsIn(value);
    if (signing === undefined) headers[header] = header === "authorization" ? `Bearer ${value}` : value;
    else Object.assign(headers, awsHeaders(signing, { url, init, headers }, new Date()));
  }
  for (const [name, value] of Object.entries(headers)) {
    if (/^[\w!#$%&'*+.^`|~-]+$/.test(name) && /^[\t\x20-\x7e\x80-\xff]*$/.test(value)) continue;
    throw new UnsendableHeader(access.key?.header === name ? access.key.secret.name : `the header ${name}`);
  }
  return headers;
}

function dispatch(
  dispatcher: Dispatcher,
  url: URL,
  { method = "GET", body, signal }: RequestInit,
  headers: Record<string, string>,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const answer = createAnswer(resolve, reject, signal ?? undefined);
    dispatcher.dispatch(
      {
        origin: url.origin,
        path: url.pathname + url.search,
        method: method as Dispatcher.HttpMethod,
        headers,
        body: (body ?? null) as string | null,
      },
      answer,
    );
  });
}

/** Receives one response: resolves with a `Response` at its headers, then passes on its body, in batches, on demand. */
function createAnswer(
  resolve: (response: Response) => void,
  reject: (error: unknown) => void,
  signal: AbortSignal | undefined,
): Dispatcher.DispatchHandler {
  let request: Dispatcher.DispatchController | undefined;
  let body: ReadableStreamDefaultController<Uint8Array> | undefined;
  let gathered: Buffer[] = [];
  let gatheredBytes = 0;
  let gathering: NodeJS.Timeout | undefined;
  let wanted = false;
  let over: { error?: unknown } | undefined;
  let received = 0;

  const abort = () => request?.abort(signal?.reason);

  const isFull = () => gathered.length >= MAX_GATHERED.chunks || gatheredBytes >= MAX_GATHERED.bytes;

  /** Passes on the batched bytes before the reader sees the end. */
  function handOn(): void {
    gathering = undefined;
    if (!wanted || body === undefined) return;
    const [first, ...more] = gathered;
    if (first !== undefined) {
      wanted = false;
      gathered = [];
      gatheredBytes = 0;
      body.enqueue(more.length === 0 ? first : Buffer.concat([first, ...more]));
      if (request?.paused) request.resume();
    } else if (over !== undefined) {
      end(body, over);
      body = undefined;
    }
  }

  /** An error overtakes data in the pipes above, so it waits until they are empty. */
  function end(stream: ReadableStreamDefaultController, how: { error?: unknown }): void {
    if ("error" in how) setImmediate(() => stream.error(how.error));
    else stream.close();
  }

  function finish(how: { error?: unknown }): void {
    over = how;
    clearTimeout(gathering);
    signal?.removeEventListener("abort", abort);
    handOn();
  }

  return {
    onRequestStart(controller) {
      request = controller;
      if (signal?.aborted) return abort();
      signal?.addEventListener("abort", abort, { once: true });
    },
    onResponseStart(controller, status, headers, statusText = "") {
      const stream = new ReadableStream<Uint8Array>({
        start: (streamController) => {
          body = streamController;
        },
        pull: () => {
          wanted = true;
          if (gathering === undefined) handOn();
        },
        cancel: () => {
          body = undefined;
          controller.abort(new Error("the rest of the answer was not wanted"));
        },
      });
      resolve(responseOf(status, statusText, headers, stream));
    },
    onResponseData(controller, chunk) {
      received += chunk.length;
      if (received > MAX_RESPONSE_BYTES) return controller.abort(new AnswerTooLarge(MAX_RESPONSE_BYTES));
      gathered.push(chunk);
      gatheredBytes += chunk.length;
      if (isFull()) {
        clearTimeout(gathering);
        handOn();
        if (isFull()) controller.pause();
      } else gathering ??= setTimeout(handOn, GATHER_MS);
    },
    onResponseEnd: () => finish({}),
    onResponseError(_controller, error) {
      const reason = signal?.aborted ? signal.reason : error;
      if (body === undefined) reject(reason);
      finish({ error: reason });
    },
  };
}

/**
 * The parts of a `Response` that its readers need. Node's own class would load Node's own undici in addition to this
 * one: 40 ms and 8 MB for a few fields.
 */
function responseOf(
  status: number,
  statusText: string,
  headers: Record<string, string | string[] | undefined>,
  body: ReadableStream<Uint8Array>,
): Response {
  const flat = Object.entries(headers).map(([name, value = ""]) => [name, String(value)] as const);
  const response = { ok: status >= 200 && status < 300, status, statusText, headers: new Map(flat), body };
  return response as unknown as Response;
}
