/**
 * The Gemini API: every event is a whole `GenerateContentResponse` with the next parts and the usage so far; the last
 * one names the finish reason. Function calls arrive in one piece and without ids.
 */
import type { Finish } from "../../event.ts";
import { type ScriptedReply, signatureOf } from "../turn.ts";
import {
  type ErrorSubject,
  headerIn,
  type Rejection,
  retryAfterHeader,
  type WireError,
  type WireFormat,
  type WireFrame,
} from "../wire-format.ts";
import { checkGeminiRequest, invalidArgument, readGeminiRequest } from "./gemini-request.ts";

const FINISH_REASON = {
  stop: "STOP",
  "tool-calls": "STOP",
  length: "MAX_TOKENS",
  refused: "SAFETY",
} satisfies Record<Finish, string>;

export const geminiWire: WireFormat = {
  keyIn: (headers) => headerIn(headers, "x-goog-api-key"),
  check: (body, _headers, extra, model) => checkGeminiRequest(body, extra, model),
  read: readGeminiRequest,
  stream: geminiFrames,
  whole: wholeResponse,
  error: geminiError,
  errorBody: geminiErrorBody,
  errorFrame: (error) => eventText(geminiErrorBody(error)),
  headers: () => ({ server: "scaffolding on HTTPServer2" }),
  modelList: (models) => ({
    models: models.map((id) => ({
      name: `models/${id}`,
      version: "001",
      displayName: id,
      inputTokenLimit: 1_048_576,
      outputTokenLimit: 65_536,
      supportedGenerationMethods: ["generateContent", "countTokens"],
    })),
  }),
};

function geminiErrorBody({ status, message, type, more }: WireError): string {
  return JSON.stringify({ error: { code: status, message, status: type, ...more } });
}

/** The names of Google's status codes. */
const STATUS_NAMES: Record<number, string> = { 500: "INTERNAL", 503: "UNAVAILABLE", 504: "DEADLINE_EXCEEDED" };

const PROMPT_REFUSED =
  "The prompt could not be submitted. This prompt contains sensitive words that violate Google's Responsible AI " +
  "practices. Try rephrasing the prompt.";

function geminiError(rejection: Rejection, { model, effort, at }: ErrorSubject): WireError {
  switch (rejection.kind) {
    case "key-missing":
      return {
        status: 403,
        type: "PERMISSION_DENIED",
        message:
          "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or " +
          "other form of API consumer identity to call this API.",
      };
    case "unauthorized":
      return keyError(rejection.status);
    case "model-missing":
      return {
        status: 404,
        type: "NOT_FOUND",
        message: `models/${model} is not found for API version v1beta, or is not supported for generateContent.`,
      };
    case "rate-limited":
      return quotaError("GenerateRequestsPerMinutePerProjectPerModel", delayMs(rejection.retryAfter, at), {
        headers: retryAfterHeader(rejection.retryAfter),
      });
    case "quota-exhausted":
      return quotaError("GenerateRequestsPerDayPerProjectPerModel", delayMs(rejection.resetsAt, at), {
        status: rejection.status ?? 429,
      });
    case "overloaded": {
      const status = rejection.status ?? 503;
      return {
        status,
        type: STATUS_NAMES[status] ?? "UNAVAILABLE",
        message:
          status === 500
            ? "An internal error has occurred. Please retry."
            : "The model is overloaded. Please try again later.",
        headers: retryAfterHeader(rejection.retryAfter),
      };
    }
    case "context-overflow":
      return invalidArgument("The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).");
    case "effort-unsupported":
      return invalidArgument(
        effort === undefined
          ? "The thinking budget is invalid for this model."
          : `Thinking level ${effort.toUpperCase()} is not supported for this model.`,
      );
    case "parameter-unsupported":
      return invalidArgument(
        `Invalid JSON payload received. Unknown name "${rejection.parameter}": Cannot find field.`,
      );
    case "prompt-refused":
      return invalidArgument(PROMPT_REFUSED);
    case "invalid":
      return invalidArgument(rejection.message);
    default:
      return rejection satisfies never;
  }
}

/** A wrong key is an invalid argument here; 401 is for tokens, 403 for keys without permission. */
function keyError(status: 401 | 403 | undefined): WireError {
  if (status === 401) {
    return { status, type: "UNAUTHENTICATED", message: "Request had invalid authentication credentials." };
  }
  if (status === 403) {
    return { status, type: "PERMISSION_DENIED", message: "The caller does not have permission" };
  }
  return invalidArgument("API key not valid. Please pass a valid API key.", [
    {
      "@type": "type.googleapis.com/google.rpc.ErrorInfo",
      reason: "API_KEY_INVALID",
      domain: "googleapis.com",
      metadata: { service: "generativelanguage.googleapis.com" },
    },
  ]);
}

function quotaError(quotaId: string, retryMs: number | undefined, differing: Partial<WireError>): WireError {
  const details: unknown[] = [{ "@type": "type.googleapis.com/google.rpc.QuotaFailure", violations: [{ quotaId }] }];
  if (retryMs !== undefined) {
    details.push({ "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: `${retryMs / 1000}s` });
  }
  return {
    status: 429,
    type: "RESOURCE_EXHAUSTED",
    message: "You exceeded your current quota, please check your plan.",
    more: { details },
    ...differing,
  };
}

function delayMs(until: number | Date | undefined, now: number): number | undefined {
  return until instanceof Date ? Math.max(0, until.getTime() - now) : until && until * 1000;
}

/** Google's lines end in CR LF. */
function eventText(json: string): string {
  return `data: ${json}\r\n\r\n`;
}

function geminiFrames(reply: ScriptedReply): WireFrame[] {
  if (reply.refusal !== undefined) return [{ data: eventText(blockedPrompt(reply)), delta: false }];
  const end = `],"role":"model"},"index":0}],${tailOf(reply)}}`;
  const frame = (partJson: string): WireFrame => ({
    data: eventText(`{"candidates":[{"content":{"parts":[${partJson}${end}`),
    delta: true,
  });
  return [
    ...reply.reasoning.map((piece) => frame(`{"text":${JSON.stringify(piece)},"thought":true}`)),
    ...reply.text.map((piece) => frame(`{"text":${JSON.stringify(piece)}}`)),
    ...functionCallParts(reply).map(frame),
    { data: eventText(lastResponse(reply)), delta: false },
  ];
}

function lastResponse(reply: ScriptedReply): string {
  const part = {
    text: "",
    ...(reply.reasoning.length > 0 && { thoughtSignature: signatureOf("", reply.signatureMark) }),
  };
  const content = JSON.stringify({ parts: [part], role: "model" });
  const finish = `"finishReason":"${finishReason(reply)}","index":0`;
  return `{"candidates":[{"content":${content},${finish}}],${tailOf(reply)}}`;
}

function finishReason({ finish, finishReason = FINISH_REASON[finish] }: ScriptedReply): string {
  return finishReason;
}

function wholeResponse(reply: ScriptedReply): string {
  if (reply.refusal !== undefined) return blockedPrompt(reply);
  const { reasoning, text, toolCalls } = reply;
  const parts = [
    ...(reasoning.length > 0 ? [JSON.stringify({ text: reasoning.join(""), thought: true })] : []),
    ...(text.length > 0 || toolCalls.length === 0 ? [JSON.stringify({ text: text.join("") })] : []),
    ...functionCallParts(reply),
  ];
  const finish = `"finishReason":"${finishReason(reply)}","index":0`;
  return `{"candidates":[{"content":{"parts":[${parts.join(",")}],"role":"model"},${finish}}],${tailOf(reply)}}`;
}

/** The arguments are an object, not text: inserted as written, so that half of them breaks the whole event. */
function functionCallParts({ toolCalls, signatureMark }: ScriptedReply): string[] {
  return toolCalls.map(({ id, named, name, argumentsText }, index) => {
    const idJson = named ? `"id":${JSON.stringify(id)},` : "";
    const signature = index === 0 ? `,"thoughtSignature":"${signatureOf(name, signatureMark)}"` : "";
    return `{"functionCall":{${idJson}"name":${JSON.stringify(name)},"args":${argumentsText}}${signature}}`;
  });
}

function blockedPrompt(reply: ScriptedReply): string {
  return `{"promptFeedback":{"blockReason":"PROHIBITED_CONTENT"},${tailOf(reply)}}`;
}

/** The end of every response. Gemini counts thoughts separately from the answer. */
function tailOf({ id, model, usage }: ScriptedReply): string {
  const usageMetadata = {
    promptTokenCount: usage.input,
    candidatesTokenCount: usage.output - usage.reasoning,
    totalTokenCount: usage.input + usage.output,
    ...(usage.cached > 0 && { cachedContentTokenCount: usage.cached }),
    promptTokensDetails: [{ modality: "TEXT", tokenCount: usage.input }],
    ...(usage.reasoning > 0 && { thoughtsTokenCount: usage.reasoning }),
  };
  return JSON.stringify({ usageMetadata, modelVersion: model, responseId: id }).slice(1, -1);
}
