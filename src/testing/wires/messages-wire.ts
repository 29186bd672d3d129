/**
 * Anthropic's Messages API: content blocks, each started, filled and stopped by named events, between a `message_start`
 * with the input tokens and a `message_delta` with the stop reason and the output tokens.
 */
import type { Finish } from "../../event.ts";
import { inPieces, reasoningSignature, type ScriptedReply, toolCallId } from "../turn.ts";
import {
  bearerIn,
  type ErrorSubject,
  headerIn,
  type Rejection,
  retryAfterHeader,
  type WireError,
  type WireFormat,
  type WireFrame,
} from "../wire-format.ts";
import {
  checkMessagesRequest,
  invalidRequest,
  readMessagesRequest,
  type ThinkingSignatures,
} from "./messages-request.ts";

const STOP_REASON = {
  stop: "end_turn",
  "tool-calls": "tool_use",
  length: "max_tokens",
  refused: "refusal",
} satisfies Record<Finish, string>;

export const createMessagesWire = (signatures: ThinkingSignatures = "verified"): WireFormat => ({
  keyIn: (headers) => headerIn(headers, "x-api-key") ?? bearerIn(headers),
  check: (body, headers, extra) => checkMessagesRequest(body, headers, extra, signatures),
  read: readMessagesRequest,
  stream: (reply) => messageFrames(reply, signatures),
  whole: (reply) => wholeMessage(reply, signatures),
  error: messagesError,
  errorBody: ({ type, message, more }, requestId) =>
    JSON.stringify({ type: "error", error: { type, message, ...more }, request_id: requestId }),
  errorFrame: ({ type, message }) => eventText("error", { type: "error", error: { type, message } }),
  headers: (requestId) => ({ "request-id": requestId }),
  modelList: (models) => ({
    data: models.map((id) => ({ type: "model", id, display_name: id, created_at: "2025-01-01T00:00:00Z" })),
    has_more: false,
    first_id: models[0] ?? null,
    last_id: models.at(-1) ?? null,
  }),
});

function messagesError(rejection: Rejection, { model, effort, at }: ErrorSubject): WireError {
  switch (rejection.kind) {
    case "key-missing":
      return { status: 401, type: "authentication_error", message: "x-api-key header is required" };
    case "unauthorized":
      return rejection.status === 403
        ? {
            status: 403,
            type: "permission_error",
            message: "Your API key does not have permission to use the specified resource.",
          }
        : { status: 401, type: "authentication_error", message: "invalid x-api-key" };
    case "model-missing":
      return { status: 404, type: "not_found_error", message: `model: ${model}` };
    case "rate-limited":
      return {
        status: 429,
        type: "rate_limit_error",
        message: "This request would exceed your organization's rate limit of 50 requests per minute.",
        headers: retryAfterHeader(rejection.retryAfter),
      };
    case "quota-exhausted":
      return quotaError(rejection, at);
    case "overloaded": {
      const status = rejection.status ?? 529;
      return {
        status,
        ...(status === 500
          ? { type: "api_error", message: "Internal server error" }
          : { type: "overloaded_error", message: "Overloaded" }),
        headers: retryAfterHeader(rejection.retryAfter),
      };
    }
    case "context-overflow":
      return invalidRequest("prompt is too long: 210000 tokens > 200000 maximum");
    case "effort-unsupported":
      return invalidRequest(
        effort === undefined
          ? "thinking: Extended thinking is not supported with this model."
          : `This model does not support effort level '${effort}'. Supported levels: high, low, medium.`,
      );
    case "parameter-unsupported":
      return invalidRequest(`${rejection.parameter}: Extra inputs are not permitted`);
    case "prompt-refused":
      return invalidRequest("Output blocked by content filtering policy");
    case "invalid":
      return invalidRequest(rejection.message);
    default:
      return rejection satisfies never;
  }
}

/** Anthropic reports exhausted credit with 400, an exhausted plan with 429, an unpaid bill with 402. */
function quotaError({ status, resetsAt }: Extract<Rejection, { kind: "quota-exhausted" }>, now: number): WireError {
  if (status === 402) {
    return {
      status,
      type: "billing_error",
      message: "Your account has a billing problem. Check your payment details.",
    };
  }
  if (resetsAt === undefined) {
    return { ...invalidRequest("Your credit balance is too low to access the Anthropic API."), status: status ?? 400 };
  }
  if (status === 400) {
    const when = resetsAt.toISOString();
    return invalidRequest(
      `You have reached your specified API usage limits. You will regain access on ${when.slice(0, 10)} at ` +
        `${when.slice(11, 16)} UTC.`,
    );
  }
  return {
    status: 429,
    type: "rate_limit_error",
    message: "You have exceeded your account's usage limit. Please try again later.",
    headers: {
      "retry-after": String(Math.max(0, Math.ceil((resetsAt.getTime() - now) / 1000))),
      "anthropic-ratelimit-unified-status": "rejected",
      "anthropic-ratelimit-unified-reset": String(Math.floor(resetsAt.getTime() / 1000)),
    },
  };
}

function eventText(type: string, fields: Record<string, unknown>): string {
  return `event: ${type}\ndata: ${JSON.stringify(fields)}\n\n`;
}

function messageFrames(reply: ScriptedReply, signatures: ThinkingSignatures): WireFrame[] {
  const frames: WireFrame[] = [];
  let index = -1;

  const event = (type: string, fields: Record<string, unknown> = {}) => {
    frames.push({ data: eventText(type, { type, ...fields }), delta: false });
  };
  const start = (content_block: Record<string, unknown>) => {
    index += 1;
    event("content_block_start", { index, content_block });
    if (index === 0) event("ping");
  };
  const deltas = (type: string, field: string, pieces: readonly string[]) => {
    const opening =
      `event: content_block_delta\ndata: {"type":"content_block_delta","index":${index},` +
      `"delta":{"type":"${type}","${field}":`;
    for (const piece of pieces) frames.push({ data: `${opening}${JSON.stringify(piece)}}}\n\n`, delta: true });
  };
  const stop = () => event("content_block_stop", { index });

  event("message_start", {
    message: { ...messageOf(reply), content: [], stop_reason: null, usage: { ...startUsage(reply), output_tokens: 1 } },
  });
  if (reply.reasoning.length > 0) {
    start({ type: "thinking", thinking: "", signature: "" });
    deltas("thinking_delta", "thinking", reply.reasoning);
    if (signatures !== "none") deltas("signature_delta", "signature", [reasoningSignature(reply)]);
    stop();
  }
  if (reply.text.length > 0) {
    start({ type: "text", text: "" });
    deltas("text_delta", "text", reply.text);
    stop();
  }
  for (const call of reply.toolCalls) {
    start({ type: "tool_use", id: toolCallId(call, "toolu_"), name: call.name, input: {} });
    deltas("input_json_delta", "partial_json", ["", ...inPieces(call.argumentsText, 2)]);
    stop();
  }
  event("message_delta", {
    delta: { stop_reason: stopReason(reply), stop_sequence: null, ...stopDetails(reply) },
    usage: usageOf(reply),
  });
  event("message_stop");
  return frames;
}

function stopReason({ finish, finishReason = STOP_REASON[finish] }: ScriptedReply): string {
  return finishReason;
}

function wholeMessage(reply: ScriptedReply, signatures: ThinkingSignatures): string {
  const { reasoning, text, toolCalls } = reply;
  const calls = toolCalls.map((call) => {
    const opening = JSON.stringify({ type: "tool_use", id: toolCallId(call, "toolu_"), name: call.name });
    return `${opening.slice(0, -1)},"input":${call.argumentsText}}`;
  });
  const thinking = reasoning.join("");
  const spoken = [
    ...(thinking === ""
      ? []
      : [{ type: "thinking", thinking, signature: signatures === "none" ? "" : reasoningSignature(reply) }]),
    ...(text.length === 0 ? [] : [{ type: "text", text: text.join("") }]),
  ].map((block) => JSON.stringify(block));
  const opening = JSON.stringify({
    ...messageOf(reply),
    stop_reason: stopReason(reply),
    ...stopDetails(reply),
    usage: startUsage(reply),
  });
  return `${opening.slice(0, -1)},"content":[${[...spoken, ...calls].join(",")}]}`;
}

function messageOf({ id, model }: ScriptedReply) {
  return { model, id: `msg_${id}`, type: "message", role: "assistant", stop_sequence: null };
}

function stopDetails({ finish }: ScriptedReply) {
  if (finish !== "refused") return {};
  const explanation = "This request was blocked under Anthropic's Usage Policy.";
  return { stop_details: { type: "refusal", category: null, explanation } };
}

/** Anthropic counts cached tokens separately from the input. */
function usageOf({ usage }: ScriptedReply) {
  return {
    input_tokens: usage.input - usage.cached,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: usage.cached,
    output_tokens: usage.output,
  };
}

function startUsage(reply: ScriptedReply) {
  return {
    ...usageOf(reply),
    cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 },
    service_tier: "standard",
    inference_geo: "not_available",
  };
}
