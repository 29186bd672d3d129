/**
 * Where a provider's failure becomes a kind: the only place that reads status codes and error wording. Everything after
 * it (retries, fallbacks, words for people) goes by the kind alone.
 */
import { APICallError } from "@ai-sdk/provider";
import type { Failure, ProviderFailureKind } from "../../errors.ts";
import { present } from "../../present.ts";
import { isRecord } from "../../record.ts";
import { retryAfterMs } from "./retry-after.ts";
import { AnswerTooLarge, UnsendableHeader } from "./transport.ts";
import { addressAdvice } from "./wrong-address.ts";

/** Longest part of a provider's own message that is repeated, in characters. */
const MAX_QUOTE = 400;

/** What could be read of an error, whatever its shape. */
type Symptoms = {
  status?: number;
  /** The provider's words, for people. */
  message: string;
  /** Everything there is to match wording against, lower case. */
  text: string;
  headers: Record<string, string>;
};

/**
 * The failure of one request.
 * @param who `glm-4.7 @ zai`, for the message
 * @param now milliseconds since the epoch, to read a Retry-After date against
 * @param redact takes keys out of the provider's words: providers like to repeat the one they did not accept
 */
export function failureOf(error: unknown, who: string, now: number, redact: (text: string) => string): Failure {
  const read = readSymptoms(error);
  const symptoms = { ...read, message: redact(read.message) };
  const kind = kindOf(error, symptoms);
  const waitMs = retryAfterMs(symptoms, now);
  const certificate = codeIn(error, CERTIFICATE_CODE);
  const message =
    certificate === undefined ? describe(kind, who, symptoms) : untrusted(who, certificate, symptoms.message);
  const advice = addressAdvice(error);
  return {
    kind,
    message: advice === undefined ? message : `${message}. ${redact(advice)}`,
    ...present({
      isLasting: certificate === undefined ? undefined : true,
      retryAfterMs: waitMs,
      httpStatus: symptoms.status,
    }),
  };
}

function readSymptoms(error: unknown): Symptoms {
  if (APICallError.isInstance(error)) {
    // Without a refusal the packages only say that they failed; their cause says why.
    const cause = error.statusCode === undefined || error.statusCode < 300 ? deepestMessage(error.cause) : "";
    const message = cause || error.message;
    return {
      ...present({ status: error.statusCode }),
      message,
      text: `${message} ${error.responseBody ?? ""}`.toLowerCase(),
      headers: error.responseHeaders ?? {},
    };
  }
  const payload = isRecord(error) && typeof error.error === "object" ? (error.error ?? error) : error;
  const message = isRecord(payload) && typeof payload.message === "string" ? payload.message : String(payload);
  const status = isRecord(payload) ? numericStatus(payload) : undefined;
  return {
    ...present({ status }),
    message,
    text: `${message} ${error instanceof Error ? error.name : safeJson(error)}`.toLowerCase(),
    headers: {},
  };
}

/** Wording that says a budget is empty, as against a minute's allowance being used up. */
const OUT_OF_CREDIT =
  /insufficient_quota|insufficient (balance|credit|funds|quota)|credit balance is too low|billing|payment required|add credits|out of credits|usage limit|perday|per day|daily limit|monthly/;
const PER_MINUTE = /per ?minute|perminute|requests per|tokens per min|rpm\b|tpm\b/;
const TOO_LONG =
  /context.?length|context window|maximum context|prompt is too long|input is too long|too many (input )?tokens|exceeds? the (maximum|limit|context)|input token count|request too large|context_length_exceeded|string_above_max_length/;
const REFUSED =
  /content.?(policy|filter|management)|safety (system|policy|reasons)|violat|moderation|prohibited_content|blocked/;
const OVERLOADED =
  /overload|server_error|api_error|internal(_| )?(server )?error|unavailable|try again later|bad gateway|timed? ?out/;
const UNAUTHORIZED =
  /authentication_error|invalid.?api.?key|api.?key (not valid|invalid)|unauthorized|permission_(error|denied)/;
const RATE = /rate.?limit|too many requests|resource_exhausted/;

function kindOf(error: unknown, { status, text }: Symptoms): ProviderFailureKind {
  if (error instanceof UnsendableHeader) return "invalid-request";
  if (error instanceof AnswerTooLarge || text.includes("the answer is larger than")) return "malformed-response";
  if (status === undefined || status < 300) return kindOfBrokenAnswer(error, text);
  if (status === 401) return "unauthorized";
  if (status === 402) return "quota-exhausted";
  if (status === 403)
    return OUT_OF_CREDIT.test(text) ? "quota-exhausted" : REFUSED.test(text) ? "refused" : "unauthorized";
  if (status === 429) return OUT_OF_CREDIT.test(text) && !PER_MINUTE.test(text) ? "quota-exhausted" : "rate-limited";
  if (status === 408 || status === 425) return "network";
  if (status >= 500) return "overloaded";
  if (TOO_LONG.test(text)) return "context-overflow";
  if (OUT_OF_CREDIT.test(text)) return "quota-exhausted";
  if (REFUSED.test(text)) return "refused";
  if (UNAUTHORIZED.test(text)) return "unauthorized";
  return "invalid-request";
}

/** No error status: the connection failed, the stream carried an error, or its content could not be read. */
function kindOfBrokenAnswer(error: unknown, text: string): ProviderFailureKind {
  if (codeIn(error, NETWORK_CODE) !== undefined) return "network";
  if (isParseError(error)) return "malformed-response";
  if (OUT_OF_CREDIT.test(text)) return "quota-exhausted";
  if (RATE.test(text)) return "rate-limited";
  if (UNAUTHORIZED.test(text)) return "unauthorized";
  if (TOO_LONG.test(text)) return "context-overflow";
  if (OVERLOADED.test(text)) return "overloaded";
  if (REFUSED.test(text)) return "refused";
  if (text.includes("invalid_request")) return "invalid-request";
  return "malformed-response";
}

const NETWORK_CODE =
  /^(ECONN\w+|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|EADDR\w+|UND_ERR_\w+|HPE_\w+|CERT_\w+|ERR_TLS\w*|DEPTH_ZERO\w+|SELF_SIGNED\w+|UNABLE_TO\w+)$/;

/** OpenSSL's names for what is wrong with a certificate, as Node reports them. */
const CERTIFICATE_CODE = /^(CERT_\w+|ERR_TLS_CERT_\w+|DEPTH_ZERO\w+|SELF_SIGNED\w+|UNABLE_TO_(GET_ISSUER|VERIFY)\w*)$/;

/** The first code of this form among an error, its causes, and the errors it stands for. */
function codeIn(error: unknown, form: RegExp): string | undefined {
  for (let current = error; isRecord(current); current = current.cause) {
    if (typeof current.code === "string" && form.test(current.code)) return current.code;
    const inside = Array.isArray(current.errors) ? current.errors.map((one) => codeIn(one, form)) : [];
    const found = inside.find((code) => code !== undefined);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Nothing was sent. Trying again shows the same certificate. */
function untrusted(who: string, code: string, words: string): string {
  const advice = /EXPIRED|NOT_YET_VALID/.test(code)
    ? "Renew it, or correct this machine's clock."
    : code.includes("ALTNAME")
      ? "It was issued for another host: correct base_url."
      : "If you trust who issued it (your own authority, or a proxy that inspects TLS), set NODE_EXTRA_CA_CERTS to a file with that authority's certificate.";
  return `${who} showed a certificate that is not accepted (${code}: ${words}). ${advice}`;
}

function isParseError(error: unknown): boolean {
  return (
    error instanceof Error &&
    /NotAStream|JSONParseError|TypeValidationError|InvalidResponseDataError|EmptyResponseBodyError|NoContentGenerated/.test(
      error.name,
    )
  );
}

const ADVICE: Record<ProviderFailureKind, string> = {
  "rate-limited": "limits the rate of requests",
  "quota-exhausted": "says its quota or credit is used up: top it up, or choose another provider",
  overloaded: "is overloaded or failing",
  network: "cannot be reached or broke the connection off",
  stalled: "went silent",
  unauthorized: "does not accept the key: correct or replace it",
  "context-overflow": "says the text is longer than the model's context window",
  refused: "refused to answer",
  "invalid-request": "does not take the request",
  "malformed-response": "sent an answer that cannot be read",
  "served-mismatch": "answered with another model",
  aborted: "was broken off",
};

/** The key is known there. */
const FORBIDDEN = "does not let this key do that: choose another model, or another key";

function describe(kind: ProviderFailureKind, who: string, { status, message, headers }: Symptoms): string {
  if (status !== undefined && status >= 300 && status < 400) {
    return `${who} answered with a redirect to ${hostOf(headers.location)}, which is not followed: keys stay with their own origin. Set base_url to the real address.`;
  }
  const advice = status === 403 && kind === "unauthorized" ? FORBIDDEN : ADVICE[kind];
  const quote = message.replace(/\s+/g, " ").trim();
  const cut = quote.length > MAX_QUOTE ? `${quote.slice(0, MAX_QUOTE)}…` : quote;
  const refused = status !== undefined && status >= 300 ? status : undefined;
  return `${who} ${advice} (${[refused, cut].filter(Boolean).join(": ")})`;
}

function numericStatus(payload: Record<string, unknown>): number | undefined {
  for (const value of [payload.statusCode, payload.status, payload.code]) {
    const status = typeof value === "string" ? Number(value) : value;
    if (typeof status === "number" && Number.isInteger(status) && status >= 300 && status < 600) return status;
  }
  return undefined;
}

function hostOf(location: string | undefined): string {
  return location !== undefined && URL.canParse(location) ? new URL(location).host : "another address";
}

function deepestMessage(error: unknown): string {
  let message = "";
  for (let current = error; isRecord(current); current = current.cause) {
    if (typeof current.message === "string") message = current.message;
  }
  return message;
}

function safeJson(value: unknown): string {
  try {
    return JSON.stringify(value) ?? "";
  } catch {
    return "";
  }
}
