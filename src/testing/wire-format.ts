/**
 * One vendor's wire format behind one small type: how it reads a request, what it refuses, how it writes an answer and
 * an error. The server knows only this; a vendor's peculiarities stay in its own file.
 */
import type { IncomingHttpHeaders } from "node:http";
import type { ErrorFault } from "./faults.ts";
import type { JsonFields } from "./json-fields.ts";
import type { ModelRequest, RequestContent } from "./model-request.ts";
import type { ScriptedReply } from "./turn.ts";

/** One event of a stream as it is written. `delta`: it carries a piece of the answer. */
export type WireFrame = { data: string; delta: boolean };

/** What a vendor's error says; each format has its own place for each field, or none. */
export type WireError = {
  status: number;
  /** The vendor's name for it: `invalid_request_error`, `RESOURCE_EXHAUSTED`. */
  type: string;
  message: string;
  code?: string | null;
  param?: string | null;
  /** Further fields of the error object. */
  more?: JsonFields;
  headers?: Record<string, string>;
};

/** Why a request is refused: a fault the script plays, or something the server found itself. */
export type Rejection = ErrorFault | { kind: "key-missing" } | { kind: "invalid"; message: string };

/** What a vendor's words name. */
export type ErrorSubject = Pick<ModelRequest, "model" | "effort" | "at">;

export type WireFormat = {
  /** The key a request carries in this format's own header. */
  keyIn(headers: IncomingHttpHeaders): string | undefined;
  /** What this vendor would refuse. @param extra further top-level fields it takes */
  check(
    body: JsonFields,
    headers: IncomingHttpHeaders,
    extra: ReadonlySet<string>,
    model: string,
  ): WireError | undefined;
  read(body: JsonFields): RequestContent;
  stream(reply: ScriptedReply, request: ModelRequest): WireFrame[];
  /** The answer to a request that asked for no stream: one JSON document. */
  whole(reply: ScriptedReply, request: ModelRequest): string;
  error(complaint: Rejection, about: ErrorSubject): WireError;
  errorBody(error: WireError, requestId: string): string;
  /** An error said in the middle of a stream. */
  errorFrame(error: WireError): string;
  /** What every answer carries beside its content type. */
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

/** The `Retry-After` header: seconds, or an HTTP date; none where the vendor does not say. */
export function retryAfterHeader(retryAfter: number | Date | undefined): Record<string, string> {
  if (retryAfter === undefined) return {};
  return { "retry-after": retryAfter instanceof Date ? retryAfter.toUTCString() : String(retryAfter) };
}

/** One server-sent event without a name. */
export function sseData(json: string): string {
  return `data: ${json}\n\n`;
}
