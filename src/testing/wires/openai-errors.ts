/** OpenAI's errors, shared by its two APIs: one JSON object with a message, a type, a parameter and a code. */

import { pathText } from "../../values/key-path.ts";
import { faultInUrl, type UrlFault } from "../request-images.ts";
import type { ShapeIssue } from "../shape.ts";
import { type ErrorSubject, type Rejection, retryAfterHeader, type WireError } from "../wire-format.ts";

const INVALID = "invalid_request_error";

const KEY_MISSING =
  "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth (i.e. " +
  "Authorization: Bearer YOUR_KEY).";

const PROMPT_REFUSED = "Invalid prompt: your prompt was flagged as potentially violating our usage policy.";

const OVERLOADED: Record<number, string> = {
  500: "The server had an error while processing your request. Sorry about that!",
  503: "The engine is currently overloaded, please try again later.",
};

/** Differences between the two APIs. */
export type OpenAiErrorForm = {
  /** The field that sets the effort. */
  effortField: string;
  contextOverflow: { message: string; param: string };
};

export function openAiError(
  rejection: Rejection,
  { model, effort, at }: ErrorSubject,
  form: OpenAiErrorForm,
): WireError {
  switch (rejection.kind) {
    case "key-missing":
      return { status: 401, type: INVALID, message: KEY_MISSING };
    case "unauthorized":
      return unauthorizedError(rejection, model);
    case "model-missing":
      return {
        status: 404,
        type: INVALID,
        message: `The model \`${model}\` does not exist or you do not have access to it.`,
        code: "model_not_found",
      };
    case "rate-limited":
      return {
        status: 429,
        type: "requests",
        message: `Rate limit reached for ${model} on requests per min (RPM): Limit 3, Used 3, Requested 1.`,
        code: "rate_limit_exceeded",
        headers: retryAfterHeader(rejection.retryAfter),
      };
    case "quota-exhausted":
      return quotaError(rejection, at);
    case "overloaded":
      return overloadedError(rejection);
    case "context-overflow":
      return { status: 400, type: INVALID, code: "context_length_exceeded", ...form.contextOverflow };
    case "effort-unsupported":
      return {
        status: 400,
        type: INVALID,
        message:
          `Unsupported value: '${form.effortField}' does not support '${effort ?? "none"}' with this model. ` +
          "Supported values are: 'low', 'medium', and 'high'.",
        code: "unsupported_value",
        param: form.effortField,
      };
    case "parameter-unsupported":
      return {
        status: 400,
        type: INVALID,
        message: `Unsupported parameter: '${rejection.parameter}' is not supported with this model.`,
        code: "unsupported_parameter",
        param: rejection.parameter,
      };
    case "prompt-refused":
      return { status: 400, type: INVALID, message: PROMPT_REFUSED, code: "invalid_prompt" };
    case "invalid":
      return { status: 400, type: INVALID, message: rejection.message };
    default:
      return rejection satisfies never;
  }
}

function unauthorizedError({ status }: Extract<Rejection, { kind: "unauthorized" }>, model: string): WireError {
  if (status !== 403)
    return { status: 401, type: INVALID, message: "Incorrect API key provided.", code: "invalid_api_key" };
  return {
    status,
    type: INVALID,
    message: `Project does not have access to model \`${model}\`.`,
    code: "model_not_found",
  };
}

function overloadedError({ status = 503, retryAfter }: Extract<Rejection, { kind: "overloaded" }>): WireError {
  return {
    status,
    type: status === 503 ? "overloaded_error" : "server_error",
    message: OVERLOADED[status] ?? "The server had an error while processing your request.",
    headers: retryAfterHeader(retryAfter),
  };
}

function quotaError(
  { status = 429, resetsAt }: Extract<Rejection, { kind: "quota-exhausted" }>,
  now: number,
): WireError {
  if (resetsAt !== undefined) {
    const seconds = Math.max(0, Math.ceil((resetsAt.getTime() - now) / 1000));
    return {
      status,
      type: "usage_limit_reached",
      message: `The usage limit has been reached. It resets at ${resetsAt.toISOString()}.`,
      code: "usage_limit_reached",
      more: { resets_at: Math.floor(resetsAt.getTime() / 1000), resets_in_seconds: seconds },
    };
  }
  return {
    status,
    type: "insufficient_quota",
    message:
      status === 402
        ? "Insufficient credits. Add more credits and try again."
        : "You exceeded your current quota, please check your plan and billing details.",
    code: "insufficient_quota",
  };
}

export function openAiErrorBody({ message, type, param = null, code = null, more }: WireError): string {
  return JSON.stringify({ error: { message, type, param, code, ...more } });
}

/** Words a schema issue as OpenAI does. */
export function openAiIssue({ path, kind, found, expected }: ShapeIssue): WireError {
  const param = pathText(path);
  switch (kind) {
    case "unknown":
      return {
        status: 400,
        type: INVALID,
        message: `Unknown parameter: '${param}'.`,
        param,
        code: "unknown_parameter",
      };
    case "missing":
      return {
        status: 400,
        type: INVALID,
        message: `Missing required parameter: '${param}'.`,
        param,
        code: "missing_required_parameter",
      };
    case "value":
      return {
        status: 400,
        type: INVALID,
        message: `Invalid value: '${String(found)}'. Supported values are: ${quotedList(expected)}.`,
        param,
        code: "invalid_value",
      };
    default:
      return kind satisfies never;
  }
}

export function invalidParameter(message: string, param: string): WireError {
  return { status: 400, type: INVALID, message, param, code: null };
}

const IMAGE_ERRORS: Record<UrlFault, { message: string; code: string }> = {
  "no-url": {
    message: "Failed to download image: expected a base64-encoded data URL or an HTTP(S) URL.",
    code: "invalid_image_url",
  },
  "not-base64": { message: "Invalid base64 image_url.", code: "invalid_base64" },
  "no-image": {
    message:
      "You uploaded an unsupported image. Please make sure your image has of one the following formats: " +
      "['png', 'jpeg', 'gif', 'webp'].",
    code: "invalid_image_format",
  },
};

/** Returns the error for an image URL, or undefined if it is accepted. */
export function imageError(url: string): WireError | undefined {
  const fault = faultInUrl(url);
  return fault && { status: 400, type: INVALID, param: null, ...IMAGE_ERRORS[fault] };
}

export function openAiHeaders(requestId: string): Record<string, string> {
  return { "x-request-id": requestId, "openai-version": "2020-10-01" };
}

export function openAiModelList(models: readonly string[]): unknown {
  return {
    object: "list",
    data: models.map((id) => ({ id, object: "model", created: 1_700_000_000, owned_by: "scripted" })),
  };
}

function quotedList(values: readonly string[]): string {
  const quoted = values.map((value) => `'${value}'`);
  return quoted.length < 2 ? quoted.join("") : `${quoted.slice(0, -1).join(", ")}, and ${quoted.at(-1)}`;
}
