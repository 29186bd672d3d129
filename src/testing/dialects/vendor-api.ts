/**
 * One vendor's API: what it does differently from the wire format that it shares with others. Written in the vendor's
 * terms, from its own sources: a client is tested against what the vendor does, not against what the client believes.
 */
import type { IncomingHttpHeaders } from "node:http";
import type { JsonFields } from "../json-fields.ts";
import type { ExtraFields } from "../shape.ts";
import { type ErrorSubject, type Rejection, sseData, type WireError, type WireFormat } from "../wire-format.ts";

/** Returns what the vendor finds wrong with a request, in its words. */
export type RequestRule = (body: JsonFields, model: string) => string | undefined;

/** A vendor, gateway or local server that the server can act as, in each API mode that it offers. */
export type DialectName =
  | "openai"
  | "azure"
  | "deepseek"
  | "kimi"
  | "xiaomi"
  | "zai"
  | "groq"
  | "cerebras"
  | "mistral"
  | "openrouter"
  | "xai"
  | "gemini"
  | "minimax"
  | "opencode-zen"
  | "vllm"
  | "llamacpp"
  | "lmstudio"
  | "ollama"
  | "sglang"
  | "tgi"
  | "alibaba"
  | "anthropic"
  | "vertex"
  | "bedrock";

type FormatRequest = { body: JsonFields; headers: IncomingHttpHeaders };

export type VendorApi = {
  /** Public pages that this is known from. */
  source: string;
  /** The request in the format's own form, where the vendor has another one. */
  inFormat?: (body: JsonFields, headers: IncomingHttpHeaders, model: string) => FormatRequest;
  /** Accepted request fields beyond the format's own; `any`: unknown fields are ignored. Default: none. */
  fields?: readonly string[] | "any";
  /** What it rejects beyond what the format does. */
  rejects?: readonly RequestRule[];
  /** The body of an error. Default: the format's. */
  errorBody?: ((error: WireError) => unknown) | undefined;
  /** An error in the middle of a stream. Default: the body of an error. */
  streamedError?: ((error: WireError) => unknown) | undefined;
  /** Its own words, status or code for an error; the rest is the format's. */
  errors?: Partial<Record<Rejection["kind"], Partial<WireError>>> | undefined;
  /** The key of a request. Default: in the format's header. */
  keyIn?: WireFormat["keyIn"];
  /** Paths at which it serves this API. Default: any. */
  path?: RegExp;
};

/** A wire format as a vendor speaks it. */
export function asVendor(format: WireFormat, api: VendorApi): WireFormat {
  const { inFormat = asIs, fields = [], rejects = [], errorBody, errors = {}, keyIn = format.keyIn } = api;
  const { streamedError = errorBody } = api;

  function error(rejection: Rejection, subject: ErrorSubject): WireError {
    const scripted = "status" in rejection && rejection.status !== undefined ? { status: rejection.status } : {};
    return { ...format.error(rejection, subject), ...errors[rejection.kind], ...scripted };
  }

  return {
    ...format,
    keyIn,
    error,
    check: (sent, sentHeaders, extra, model) => {
      const { body, headers } = inFormat(sent, sentHeaders, model);
      const issue = format.check(body, headers, accepted(extra, fields), model);
      if (issue) return { ...issue, ...errors.invalid };
      for (const rule of rejects) {
        const message = rule(body, model);
        if (message !== undefined) return error({ kind: "invalid", message }, { model, at: 0 });
      }
      return undefined;
    },
    ...(errorBody && { errorBody: (error) => JSON.stringify(errorBody(error)) }),
    ...(streamedError && { errorFrame: (error) => sseData(JSON.stringify(streamedError(error))) }),
  };
}

const asIs = (body: JsonFields, headers: IncomingHttpHeaders): FormatRequest => ({ body, headers });

function accepted(extra: ExtraFields, fields: readonly string[] | "any"): ExtraFields {
  return extra === "any" || fields === "any" ? "any" : new Set([...extra, ...fields]);
}
