/**
 * The interface of a vendor's wire format: how it parses a request, what it rejects, how it writes a response and an
 * error. The server knows only this; a vendor's peculiarities stay in its own file.
 */
import type { IncomingHttpHeaders } from "node:http";
import type { ErrorFault } from "./faults.ts";
import type { JsonFields } from "./json-fields.ts";
import type { ModelRequest, RequestContent } from "./model-request.ts";
import type { ExtraFields } from "./shape.ts";
import type { ScriptedReply } from "./turn.ts";

/** One written event of a stream. `delta`: it contains a piece of the answer. */
export type WireFrame = { data: string; delta: boolean };

/** A vendor's error; each format has its own place for each field, or none. */
export type WireError = {
  status: number;
  /** The vendor's error type: `invalid_request_error`, `RESOURCE_EXHAUSTED`. */
  type: string;
  message: string;
  code?: string | null;
  param?: string | null;
  /** Further fields of the error object. */
  more?: JsonFields;
  headers?: Record<string, string>;
};

/** The reason of a rejected request: a scripted fault, or an issue that the server found itself. */
export type Rejection =
  | ErrorFault
  | { kind: "key-missing" }
  | { kind: "invalid"; message: string }
  | { kind: "prompt-refused" };

/** The facts that a vendor's message refers to. */
export type ErrorSubject = Pick<ModelRequest, "model" | "effort" | "at">;

export type WireFormat = {
  /** The content type of a stream of bytes; `data` then has one character for each byte. Default: server-sent events. */
  binary?: string;
  /** The key in this format's own header. */
  keyIn(headers: IncomingHttpHeaders): string | undefined;
  /** What this vendor would reject. @param extra further accepted top-level fields */
  check(body: JsonFields, headers: IncomingHttpHeaders, extra: ExtraFields, model: string): WireError | undefined;
  read(body: JsonFields): RequestContent;
  stream(reply: ScriptedReply, request: ModelRequest): WireFrame[];
  /** The response to a request without streaming: one JSON document. */
  whole(reply: ScriptedReply, request: ModelRequest): string;
  error(rejection: Rejection, subject: ErrorSubject): WireError;
  errorBody(error: WireError, requestId: string): string;
  /** An error in the middle of a stream. */
  errorFrame(error: WireError): string;
  /** Headers of every response, in addition to its content type. */
  headers(requestId: string): Record<string, string>;
  modelList(models: readonly string[]): unknown;
};

export function bearerIn(headers: IncomingHttpHeaders): string | undefined {
  const value = headers.authorization;
  return value?.slice(0, 7).toLowerCase() === "bearer " ? value.slice(7) : undefined;
}

export function headerIn(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return typeof value === "string" ? value : undefined;
}

/** The `Retry-After` header: seconds, or an HTTP date; none if the fault has none. */
export function retryAfterHeader(retryAfter: number | Date | undefined): Record<string, string> {
  if (retryAfter === undefined) return {};
  return { "retry-after": retryAfter instanceof Date ? retryAfter.toUTCString() : String(retryAfter) };
}

/** One unnamed server-sent event. */
export function sseData(json: string): string {
  return `data: ${json}\n\n`;
}
