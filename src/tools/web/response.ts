/** One GET request: to checked addresses, without cookies, credentials or a referrer, and without following a redirect. */
import type { LookupAddress } from "node:dns";
import { pipeline, type Readable } from "node:stream";
import { createBrotliDecompress, createGunzip, createInflate } from "node:zlib";
import type undici from "undici";
import type { Dispatcher } from "undici";
import { errorCode, errorMessage } from "../../errors.ts";
import { fieldsOf } from "../../values/record.ts";
import { ToolError } from "../tool-error.ts";

/** Most of a page that is read, in bytes, after decompression. */
export const MAX_BYTES = 10 * 1024 * 1024;

const HEADERS = {
  "user-agent": "deputy",
  accept: "text/markdown, text/html;q=0.9, application/xhtml+xml;q=0.9, text/plain;q=0.8, */*;q=0.5",
  "accept-encoding": "gzip, deflate, br",
};

/** The way to a page: directly, to these addresses, or through a proxy. */
export type Way = { addresses: readonly LookupAddress[] } | { proxy: string };

export type PageHead = {
  status: number;
  /** The media type with its parameters; empty if the server names none. */
  type: string;
  location?: string;
  /** As the server says. */
  length?: number;
};

/** `isCut`: the body is longer than what was read. */
export type PageBody = { bytes: Buffer; isCut: boolean };

/** @param wants whether the body of this response is read at all */
export async function getOnce(
  url: URL,
  way: Way,
  wants: (head: PageHead) => boolean,
  signal: AbortSignal,
): Promise<{ head: PageHead; body?: PageBody }> {
  // The whole package: a tunnel through a proxy needs what only its index assembles.
  const { default: library } = await import("undici");
  const dispatcher = createDispatcher(library, way);
  try {
    const response = await dispatcher.request({
      origin: url.origin,
      path: url.pathname + url.search,
      method: "GET",
      headers: HEADERS,
      signal,
    });
    const head = headOf(response);
    response.body.on("error", () => {}); // What is not read may fail.
    if (!wants(head)) return { head };
    const body = await readBody(decompressed(response.body, header(response, "content-encoding")));
    return { head, body };
  } catch (error) {
    if (signal.aborted || error instanceof ToolError) throw error;
    throw new ToolError(`The page ${url.href} cannot be read: ${reasonOf(error)}.`);
  } finally {
    await dispatcher.destroy();
  }
}

function createDispatcher({ Agent, ProxyAgent }: typeof undici, way: Way): Dispatcher {
  if ("proxy" in way) return new ProxyAgent({ uri: way.proxy, allowH2: false });
  const [first] = way.addresses;
  return new Agent({
    allowH2: false,
    connect: {
      lookup(_name, { all }, resolve) {
        if (all) resolve(null, [...way.addresses]);
        else resolve(null, first?.address ?? "", first?.family);
      },
    },
  });
}

function headOf(response: Dispatcher.ResponseData): PageHead {
  const location = header(response, "location");
  const length = Number.parseInt(header(response, "content-length"), 10);
  return {
    status: response.statusCode,
    type: header(response, "content-type"),
    ...(location !== "" && { location }),
    ...(Number.isSafeInteger(length) && { length }),
  };
}

function header({ headers }: Dispatcher.ResponseData, name: string): string {
  return [headers[name] ?? ""].flat()[0] ?? "";
}

const DECODERS = {
  gzip: createGunzip,
  "x-gzip": createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
};

/** @throws ToolError for an encoding that was not asked for */
function decompressed(body: Readable, encoding: string): Readable {
  const name = encoding.trim().toLowerCase();
  if (name === "" || name === "identity") return body;
  if (!isDecoded(name))
    throw new ToolError(`The page cannot be read: expected a body in gzip, deflate or br; found ${name.slice(0, 40)}.`);
  return pipeline(body, DECODERS[name](), () => {}); // Its reader receives the error.
}

function isDecoded(name: string): name is keyof typeof DECODERS {
  return Object.hasOwn(DECODERS, name);
}

/** Stops at the limit, however much the body would become. */
async function readBody(body: Readable): Promise<PageBody> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > MAX_BYTES) break;
  }
  return { bytes: Buffer.concat(chunks).subarray(0, MAX_BYTES), isCut: length > MAX_BYTES };
}

/** The reasons that a library words for its own users. */
const REASONS: Record<string, string> = {
  ECONNREFUSED: "the server refuses the connection",
  ECONNRESET: "the server closed the connection",
  UND_ERR_SOCKET: "the server closed the connection before the end of the page",
  UND_ERR_CONNECT_TIMEOUT: "the server cannot be reached in time",
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: "the server sent another length than it announced",
  ETIMEDOUT: "the server cannot be reached in time",
  ENETUNREACH: "its network cannot be reached",
  EHOSTUNREACH: "the server cannot be reached",
  Z_BUF_ERROR: "its compressed body ends too early",
  Z_DATA_ERROR: "its compressed body is damaged",
};

function reasonOf(error: unknown): string {
  const cause = error instanceof AggregateError ? error.errors[0] : error;
  const code = errorCode(cause) ?? "";
  if (code.startsWith("HPE_")) return `the server does not answer in HTTP/1.1 (${errorMessage(cause)})`;
  if (/SSL|TLS|CERT|SIGNATURE|EPROTO/.test(code)) return `the encrypted connection fails (${tlsReason(cause)})`;
  return REASONS[code] ?? (errorMessage(cause) || code);
}

/** OpenSSL's own word, without the places in its source. */
function tlsReason(error: unknown): string {
  const { reason } = fieldsOf(error);
  return typeof reason === "string" ? reason : errorMessage(error).trim();
}
