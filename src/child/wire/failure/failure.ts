/**
 * Classifies a provider's failure by kind: the only place that reads status codes and error wording. Everything after
 * it (retries, fallbacks, messages) uses only the kind.
 */
import { APICallError } from "@ai-sdk/provider";
import type { Failure, ProviderFailureKind } from "../../../errors.ts";
import type { Route } from "../../../route.ts";
import { present } from "../../../values/present.ts";
import { isRecord } from "../../../values/record.ts";
import { wordingOf } from "../dialect/failure-wording.ts";
import { AnswerTooLarge, UnsendableHeader } from "../transport.ts";
import { matchable, pageTitle, parsedJson, statusIn, wordsOf } from "./error-body.ts";
import { retryAfterMs } from "./retry-after.ts";
import { unknownModelAdvice } from "./unknown-model.ts";
import { addressAdvice } from "./wrong-address.ts";

/** Maximum length of a provider's quoted message, in characters. */
const MAX_QUOTE = 400;

/** The readable parts of an error, whatever its shape. */
type Symptoms = {
  status?: number;
  /** The provider's message, for people. */
  message: string;
  /** The text to match wording against, in lower case. */
  text: string;
  headers: Record<string, string>;
  /** The title of the web page that came instead of an answer. */
  page?: string;
};

/** The request that failed, and the name of its key. */
export type RejectedCall = { route?: Pick<Route, "provider" | "model">; keyName?: string | undefined };

type Meaning = { kind: ProviderFailureKind; advice?: string };

/**
 * The failure of one request.
 * @param who `glm-4.7 @ zai`, for the message
 * @param now milliseconds since the epoch, to compare a Retry-After date with
 * @param redact removes keys from the provider's message: providers like to repeat the rejected one
 */
export function failureOf(
  error: unknown,
  who: string,
  now: number,
  redact: (text: string) => string,
  { route, keyName }: RejectedCall = {},
): Failure {
  const read = readSymptoms(error);
  const page = read.page === undefined ? undefined : redact(read.page);
  const symptoms = { ...read, message: redact(read.message), ...present({ page }) };
  const waitMs = retryAfterMs(symptoms, now);
  const meaning = meaningOf(error, symptoms, waitMs);
  const certificate = codeIn(error, CERTIFICATE_CODE);
  const message =
    certificate === undefined
      ? describe(meaning, who, symptoms, keyName)
      : untrusted(who, certificate, symptoms.message);
  const advice =
    addressAdvice(error) ??
    (route && meaning.kind === "invalid-request" ? unknownModelAdvice(symptoms, route) : undefined);
  return {
    kind: meaning.kind,
    message: advice === undefined ? message : `${message}. ${redact(advice)}`,
    ...present({
      isLasting: certificate === undefined ? undefined : true,
      retryAfterMs: waitMs,
      httpStatus: symptoms.status,
    }),
  };
}

function readSymptoms(error: unknown): Symptoms {
  if (APICallError.isInstance(error)) return readRefusal(error);
  if (error instanceof Error) {
    const { message, name } = error;
    return { message, text: textOf(message, name), headers: {} };
  }
  const message = wordsOrWhole(error) ?? String(error);
  return { message, text: textOf(message, error), headers: {}, ...present({ status: statusIn(error) }) };
}

/** A refusal, or an error in the body of a 200. */
function readRefusal(error: APICallError): Symptoms {
  const { statusCode, responseBody = "", responseHeaders: headers = {} } = error;
  const page = pageTitle(responseBody);
  const body = parsedJson(responseBody);
  // Without a refusal the packages only say that they failed; their cause says why.
  const isRefusal = statusCode !== undefined && statusCode >= 300;
  const cause = isRefusal ? "" : deepestMessage(error.cause);
  const message = cause || (page === undefined && wordsOrWhole(body)) || error.message;
  const status = isRefusal ? statusCode : (statusIn(body) ?? statusCode);
  return { message, text: page === undefined ? textOf(message, body) : "", headers, ...present({ status, page }) };
}

/** An error of unknown shape is repeated whole, unless it is empty. */
function wordsOrWhole(payload: unknown): string | undefined {
  const words = wordsOf(payload);
  if (words !== undefined || typeof payload !== "object") return words;
  const whole = matchable(payload);
  return whole.length > "{}".length ? whole : undefined;
}

/** Maximum length of an error that is matched against wording, in characters. */
const MAX_TEXT = 64 * 1024;

function textOf(message: string, payload: unknown): string {
  const whole = typeof payload === "string" ? payload : matchable(payload);
  return `${message.slice(0, MAX_TEXT)} ${whole.slice(0, MAX_TEXT)}`.toLowerCase();
}

/** What a status means by itself, and which kinds the wording of an error may make of it instead. */
type StatusRule = { kind: ProviderFailureKind; unless: readonly ProviderFailureKind[] };

const ANY: readonly ProviderFailureKind[] = [
  "quota-exhausted",
  "rate-limited",
  "context-overflow",
  "refused",
  "unauthorized",
  "overloaded",
  "invalid-request",
];
const REFUSALS = ANY.filter((kind) => kind !== "overloaded");

const STATUS_RULES: Record<number, StatusRule> = {
  401: { kind: "unauthorized", unless: ["quota-exhausted"] },
  402: { kind: "quota-exhausted", unless: [] },
  403: { kind: "unauthorized", unless: ["quota-exhausted", "rate-limited", "context-overflow", "refused"] },
  408: { kind: "network", unless: [] },
  413: { kind: "context-overflow", unless: [] },
  // Bedrock: the model failed. https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html
  424: { kind: "overloaded", unless: [] },
  425: { kind: "network", unless: [] },
  429: { kind: "rate-limited", unless: ["quota-exhausted", "context-overflow"] },
  451: { kind: "refused", unless: [] },
  // Groq: no capacity for its flex tier. https://console.groq.com/docs/errors
  498: { kind: "overloaded", unless: [] },
};

const OVERLOADED: StatusRule = { kind: "overloaded", unless: ANY };

function statusRule(status: number | undefined): StatusRule {
  // No error status: the stream carried an error, or its content could not be read.
  if (status === undefined || status < 300) return { kind: "malformed-response", unless: ANY };
  // Gateways pass every refusal of a provider on as a failure of their own.
  return STATUS_RULES[status] ?? (status >= 500 ? OVERLOADED : { kind: "invalid-request", unless: REFUSALS });
}

/** No rate limit lasts longer than this, in milliseconds: a longer wait is for a quota. */
const LONGEST_RATE_WAIT_MS = 10 * 60_000;

function meaningOf(error: unknown, symptoms: Symptoms, waitMs = 0): Meaning {
  const meaning = meaningAsSaid(error, symptoms);
  return meaning.kind === "rate-limited" && waitMs > LONGEST_RATE_WAIT_MS ? { kind: "quota-exhausted" } : meaning;
}

function meaningAsSaid(error: unknown, { status, text, page }: Symptoms): Meaning {
  if (error instanceof UnsendableHeader) return { kind: "invalid-request" };
  if (error instanceof AnswerTooLarge || text.includes("the answer is larger than"))
    return { kind: "malformed-response" };
  const isAnswer = status === undefined || status < 300;
  if (isAnswer && codeIn(error, NETWORK_CODE) !== undefined) return { kind: "network" };
  if (isAnswer && isParseError(error)) return { kind: "malformed-response" };
  const { kind, unless } = statusRule(status);
  // A web page does not come from the model's provider: only its status counts.
  if (page !== undefined) return { kind };
  const wording = wordingOf(text, (possible) => possible === kind || unless.includes(possible));
  return wording === undefined ? { kind } : { kind: wording.means, ...present({ advice: wording.advice }) };
}

const NETWORK_CODE =
  /^(ECONN\w+|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|EADDR\w+|UND_ERR_\w+|HPE_\w+|CERT_\w+|ERR_TLS\w*|DEPTH_ZERO\w+|SELF_SIGNED\w+|UNABLE_TO\w+)$/;

/** OpenSSL's names for certificate errors, as Node reports them. */
const CERTIFICATE_CODE = /^(CERT_\w+|ERR_TLS_CERT_\w+|DEPTH_ZERO\w+|SELF_SIGNED\w+|UNABLE_TO_(GET_ISSUER|VERIFY)\w*)$/;

/** The first code of this form in an error, its causes, and the errors it aggregates. */
function codeIn(error: unknown, form: RegExp): string | undefined {
  for (let current = error; isRecord(current); current = current.cause) {
    if (typeof current.code === "string" && form.test(current.code)) return current.code;
    const inside = Array.isArray(current.errors) ? current.errors.map((one) => codeIn(one, form)) : [];
    const found = inside.find((code) => code !== undefined);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Nothing was sent. A retry would meet the same certificate. */
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

const EXPLANATIONS: Record<ProviderFailureKind, string> = {
  "rate-limited": "limits the rate of requests",
  "quota-exhausted": "says its quota or credit is used up: top it up, or choose another provider",
  overloaded: "is overloaded or failing",
  network: "cannot be reached or closed the connection",
  stalled: "went silent",
  unauthorized: "does not accept the key: correct or replace it",
  "context-overflow": "says the text is longer than the model's context window",
  refused: "refused to answer",
  "invalid-request": "does not accept the request",
  "malformed-response": "sent an answer that cannot be read",
  "served-mismatch": "answered with another model",
  aborted: "was aborted",
};

/** The provider knows the key. */
const FORBIDDEN = "does not let this key do that: choose another model, or another key";

/** Nobody judged the key or the request. */
const WEB_PAGE =
  "A firewall, a proxy or a login page may be in front of the endpoint: check base_url and your network.";

function describe(
  { kind, advice }: Meaning,
  who: string,
  { status, message, headers, page }: Symptoms,
  keyName: string | undefined,
): string {
  if (status !== undefined && status >= 300 && status < 400) {
    return `${who} answered with a redirect to ${hostOf(headers.location)}, which is not followed: keys stay with their own origin. Set base_url to the real address.`;
  }
  const refused = status !== undefined && status >= 300 ? status : undefined;
  if (page !== undefined && refused !== undefined) {
    const title = page === "" ? "" : `: "${page}"`;
    return `${who} sent a web page instead of an answer of its API (${refused}${title}). ${WEB_PAGE}`;
  }
  const said = advice ?? (status === 403 && kind === "unauthorized" ? FORBIDDEN : EXPLANATIONS[kind]);
  const quote = message.replace(/\s+/g, " ").trim();
  const cut = quote.length > MAX_QUOTE ? `${quote.slice(0, MAX_QUOTE)}…` : quote;
  const answer =
    kind === "unauthorized" && keyName !== undefined ? `${refused ?? "rejected"} with ${keyName}` : refused;
  return `${who} ${said} (${[answer, cut].filter(Boolean).join(": ")})`;
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
