/**
 * Amazon Bedrock's Converse API: the same blocks for all models, in Amazon's binary frames. A request carries an API key
 * as a bearer token, or an AWS signature: then its key is the access key's id, and the signature is not verified.
 */
import type { IncomingHttpHeaders } from "node:http";
import type { Finish } from "../../event.ts";
import type { JsonFields } from "../json-fields.ts";
import { inPieces, reasoningSignature, type ScriptedReply, toolCallId } from "../turn.ts";
import {
  bearerIn,
  type Rejection,
  retryAfterHeader,
  type WireError,
  type WireFormat,
  type WireFrame,
} from "../wire-format.ts";
import { awsEvent, awsException } from "./aws-frames.ts";
import { checkConverseRequest, readConverseRequest, validation } from "./converse-request.ts";

const STOP_REASON = {
  stop: "end_turn",
  "tool-calls": "tool_use",
  length: "max_tokens",
  refused: "guardrail_intervened",
} satisfies Record<Finish, string>;

export const converseWire: WireFormat = {
  binary: "application/vnd.amazon.eventstream",
  keyIn: (headers) => bearerIn(headers) ?? accessKeyIn(headers),
  check: (body, _headers, extra) => checkConverseRequest(body, extra),
  read: readConverseRequest,
  stream: converseFrames,
  whole: wholeAnswer,
  error: converseError,
  errorBody: ({ message }) => JSON.stringify({ message }),
  errorFrame: ({ type, message }) =>
    awsException(type.charAt(0).toLowerCase() + type.slice(1), message).toString("latin1"),
  headers: (requestId) => ({ "x-amzn-requestid": requestId }),
  modelList: (models) => ({ modelSummaries: models.map((modelId) => ({ modelId, modelName: modelId })) }),
};

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-authentication-methods.html */
const SIGNED =
  /^AWS4-HMAC-SHA256 Credential=([^/,]+)\/\d{8}\/[^/]+\/bedrock\/aws4_request, ?SignedHeaders=[^,]*host[^,]*, ?Signature=[0-9a-f]{64}$/;

function accessKeyIn({ authorization = "", "x-amz-date": date }: IncomingHttpHeaders): string | undefined {
  return date === undefined ? undefined : SIGNED.exec(authorization)?.[1];
}

function converseError(rejection: Rejection): WireError {
  switch (rejection.kind) {
    case "key-missing":
      return { status: 403, type: "MissingAuthenticationTokenException", message: "Missing Authentication Token" };
    case "unauthorized":
      return {
        status: rejection.status ?? 403,
        type: "UnrecognizedClientException",
        message: "The security token included in the request is invalid.",
      };
    case "model-missing":
      return validation("The provided model identifier is invalid.");
    case "rate-limited":
      return {
        status: 429,
        type: "ThrottlingException",
        message: "Too many requests, please wait before trying again.",
        headers: retryAfterHeader(rejection.retryAfter),
      };
    case "quota-exhausted":
      return {
        status: rejection.status ?? 429,
        type: "ThrottlingException",
        message: "Too many tokens per day, please wait before trying again.",
      };
    case "overloaded":
      return {
        status: rejection.status ?? 503,
        type: "ServiceUnavailableException",
        message: "Bedrock is unable to process your request.",
        headers: retryAfterHeader(rejection.retryAfter),
      };
    case "context-overflow":
      return validation("Input is too long for requested model.");
    case "effort-unsupported":
      return validation("The model returned the following errors: thinking is not supported by this model.");
    case "parameter-unsupported":
      return validation(
        `The model returned the following errors: ${rejection.parameter}: Extra inputs are not permitted`,
      );
    case "prompt-refused":
      return validation("The request was blocked by a guardrail.");
    case "invalid":
      return validation(rejection.message);
    default:
      return rejection satisfies never;
  }
}

function converseFrames(reply: ScriptedReply): WireFrame[] {
  const frames: WireFrame[] = [];
  let index = -1;
  const event = (type: string, payload: JsonFields, delta = false) =>
    frames.push({ data: awsEvent(type, payload).toString("latin1"), delta });
  const deltas = (pieces: readonly JsonFields[]) => {
    for (const delta of pieces) event("contentBlockDelta", { contentBlockIndex: index, delta }, true);
  };
  const block = (pieces: readonly JsonFields[], start?: JsonFields) => {
    index += 1;
    if (start !== undefined) event("contentBlockStart", { contentBlockIndex: index, start });
    deltas(pieces);
    event("contentBlockStop", { contentBlockIndex: index });
  };

  event("messageStart", { role: "assistant" });
  if (reply.reasoning.length > 0) {
    const signature = reasoningSignature(reply);
    block([...reply.reasoning.map((text) => ({ reasoningContent: { text } })), { reasoningContent: { signature } }]);
  }
  if (reply.text.length > 0) block(reply.text.map((text) => ({ text })));
  for (const call of reply.toolCalls) {
    const pieces = inPieces(call.argumentsText, 2).map((input) => ({ toolUse: { input } }));
    block(pieces, { toolUse: { toolUseId: toolCallId(call, "tooluse_"), name: call.name } });
  }
  event("messageStop", { stopReason: stopReason(reply) });
  event("metadata", { usage: usageOf(reply), metrics: { latencyMs: 1 } });
  return frames;
}

function wholeAnswer(reply: ScriptedReply): string {
  const thought = reply.reasoning.join("");
  const calls = reply.toolCalls.map((call) => ({
    toolUse: { toolUseId: toolCallId(call, "tooluse_"), name: call.name, input: JSON.parse(call.argumentsText) },
  }));
  const content = [
    ...(thought === ""
      ? []
      : [{ reasoningContent: { reasoningText: { text: thought, signature: reasoningSignature(reply) } } }]),
    ...(reply.text.length === 0 ? [] : [{ text: reply.text.join("") }]),
    ...calls,
  ];
  return JSON.stringify({
    output: { message: { role: "assistant", content } },
    stopReason: stopReason(reply),
    usage: usageOf(reply),
    metrics: { latencyMs: 1 },
  });
}

function stopReason({ finish, finishReason = STOP_REASON[finish] }: ScriptedReply): string {
  return finishReason;
}

/** Amazon counts cached tokens separately from the input. */
function usageOf({ usage }: ScriptedReply): JsonFields {
  return {
    inputTokens: usage.input - usage.cached,
    outputTokens: usage.output,
    totalTokens: usage.input + usage.output,
    cacheReadInputTokens: usage.cached,
  };
}
