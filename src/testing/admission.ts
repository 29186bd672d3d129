/** Admission: parses a request and finds what its vendor would reject, in the order in which vendors check. */
import type { IncomingHttpHeaders } from "node:http";
import { parseJson } from "../text/parse-json.ts";
import { isRecord } from "../values/record.ts";
import { type JsonFields, textOf } from "./json-fields.ts";
import { lastUserText, type ModelRequest } from "./model-request.ts";
import { apiModeOf, type RequestTarget } from "./request-target.ts";
import type { WireError, WireFormat } from "./wire-format.ts";

export type AdmissionRules = {
  /** Keys by name. */
  keys?: Readonly<Record<string, string>> | undefined;
  models?: readonly string[] | undefined;
  strict: boolean;
  extraFields: readonly string[];
};

export type Arrival = {
  endpoint: Extract<RequestTarget, { asks: "answer" }>;
  path: string;
  headers: IncomingHttpHeaders;
  body: Buffer;
  index: number;
  at: number;
};

export type RequestAdmission = {
  /** The name of the key, or why there is none. */
  keyOf(wire: WireFormat, headers: IncomingHttpHeaders): KeyCheck;
  admit(wire: WireFormat, arrival: Arrival): { request: ModelRequest; error: WireError | undefined };
};

type KeyCheck = { keyName?: string; rejection?: { kind: "key-missing" } | { kind: "unauthorized" } };

export function createAdmission({ keys, models, strict, extraFields }: AdmissionRules): RequestAdmission {
  const nameOfKey = keys && new Map(Object.entries(keys).map(([name, key]) => [key, name]));
  const served = models && new Set(models);
  const extra = new Set(extraFields);

  function keyOf(wire: WireFormat, headers: IncomingHttpHeaders): KeyCheck {
    if (nameOfKey === undefined) return {};
    const key = wire.keyIn(headers);
    if (key === undefined) return { rejection: { kind: "key-missing" } };
    const keyName = nameOfKey.get(key);
    return keyName === undefined ? { rejection: { kind: "unauthorized" } } : { keyName };
  }

  function bodyError(wire: WireFormat, request: ModelRequest, parsed: unknown): WireError | undefined {
    if (!isRecord(parsed)) {
      return wire.error({ kind: "invalid", message: "We could not parse the JSON body of your request." }, request);
    }
    return strict ? wire.check(parsed, request.headers, extra, request.model) : undefined;
  }

  return {
    keyOf,
    admit: (wire, arrival) => {
      const parsed = parseJson(arrival.body.toString());
      const { keyName, rejection } = keyOf(wire, arrival.headers);
      const request = requestOf(wire, arrival, isRecord(parsed) ? parsed : {});
      if (keyName !== undefined) request.keyName = keyName;
      if (rejection) return { request, error: wire.error(rejection, request) };
      const error = bodyError(wire, request, parsed);
      if (error || !served || served.has(request.model)) return { request, error };
      return { request, error: wire.error({ kind: "model-missing" }, request) };
    },
  };
}

function requestOf(wire: WireFormat, { endpoint, body: bytes, ...arrived }: Arrival, body: JsonFields): ModelRequest {
  const content = wire.read(body);
  return {
    ...content,
    ...arrived,
    apiMode: apiModeOf(endpoint.format),
    model: endpoint.model ?? textOf(body.model),
    streaming: endpoint.streaming ?? body.stream === true,
    lastUserText: lastUserText(content.messages),
    body,
    bodyBytes: bytes.length,
  };
}
