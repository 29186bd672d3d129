/**
 * Chat Completions: every event is a `chat.completion.chunk` with a delta, the last one names the finish, then usage if
 * it was requested, then `[DONE]`. Reasoning goes in `reasoning_content`, as with vendors that show it.
 */
import type { Finish } from "../../event.ts";
import { fieldsOf } from "../../record.ts";
import type { ModelRequest } from "../model-request.ts";
import { inPieces, type ScriptedReply, toolCallId } from "../turn.ts";
import { bearerIn, sseData, type WireFormat, type WireFrame } from "../wire-format.ts";
import { checkChatRequest, readChatRequest } from "./chat-request.ts";
import { type OpenAiErrorForm, openAiError, openAiErrorBody, openAiHeaders, openAiModelList } from "./openai-errors.ts";

const FINISH = {
  stop: "stop",
  "tool-calls": "tool_calls",
  length: "length",
  refused: "content_filter",
} satisfies Record<Finish, string>;

const ERROR_FORM: OpenAiErrorForm = {
  effortField: "reasoning_effort",
  contextOverflow: {
    message:
      "This model's maximum context length is 128000 tokens. However, your messages resulted in 150000 tokens. " +
      "Please reduce the length of the messages.",
    param: "messages",
  },
};

export const chatWire: WireFormat = {
  keyIn: bearerIn,
  check: (body, _headers, extra) => checkChatRequest(body, extra),
  read: readChatRequest,
  stream: chatFrames,
  whole: chatCompletion,
  error: (rejection, request) => openAiError(rejection, request, ERROR_FORM),
  errorBody: openAiErrorBody,
  errorFrame: (error) => sseData(openAiErrorBody(error)),
  headers: openAiHeaders,
  modelList: openAiModelList,
};

function chatFrames(reply: ScriptedReply, request: ModelRequest): WireFrame[] {
  const wantsUsage = fieldsOf(request.body.stream_options).include_usage === true;
  const start =
    `data: {"id":"chatcmpl-${reply.id}","object":"chat.completion.chunk","created":${reply.createdAt},` +
    `"model":${JSON.stringify(reply.model)},"system_fingerprint":null,"choices":[`;
  const end = wantsUsage ? '],"usage":null}\n\n' : "]}\n\n";
  const frame = (deltaJson: string, finish: string | null, delta: boolean): WireFrame => ({
    data: `${start}{"index":0,"delta":${deltaJson},"logprobs":null,"finish_reason":${JSON.stringify(finish)}}${end}`,
    delta,
  });

  const frames = [frame('{"role":"assistant","content":"","refusal":null}', null, false)];
  for (const piece of reply.reasoning) frames.push(frame(`{"reasoning_content":${JSON.stringify(piece)}}`, null, true));
  for (const piece of reply.text) frames.push(frame(`{"content":${JSON.stringify(piece)}}`, null, true));
  if (reply.refusal !== undefined) frames.push(frame(JSON.stringify({ refusal: reply.refusal }), null, true));
  for (const [index, call] of reply.toolCalls.entries()) {
    const { name, argumentsText } = call;
    const opening = { index, id: toolCallId(call, "call_"), type: "function", function: { name, arguments: "" } };
    frames.push(frame(JSON.stringify({ tool_calls: [opening] }), null, false));
    for (const written of inPieces(argumentsText, 2)) {
      frames.push(frame(JSON.stringify({ tool_calls: [{ index, function: { arguments: written } }] }), null, true));
    }
  }
  frames.push(frame("{}", finishOf(reply), false));
  if (wantsUsage) frames.push({ data: `${start}],"usage":${JSON.stringify(usageOf(reply))}}\n\n`, delta: false });
  frames.push({ data: sseData("[DONE]"), delta: false });
  return frames;
}

function chatCompletion(reply: ScriptedReply): string {
  const text = reply.text.join("");
  const calls = reply.toolCalls.map((call) => ({
    id: toolCallId(call, "call_"),
    type: "function",
    function: { name: call.name, arguments: call.argumentsText },
  }));
  return JSON.stringify({
    id: `chatcmpl-${reply.id}`,
    object: "chat.completion",
    created: reply.createdAt,
    model: reply.model,
    choices: [
      {
        index: 0,
        message: {
          role: "assistant",
          content: text === "" && (calls.length > 0 || reply.refusal !== undefined) ? null : text,
          refusal: reply.refusal ?? null,
          ...(reply.reasoning.length > 0 && { reasoning_content: reply.reasoning.join("") }),
          ...(calls.length > 0 && { tool_calls: calls }),
        },
        logprobs: null,
        finish_reason: finishOf(reply),
      },
    ],
    usage: usageOf(reply),
    system_fingerprint: null,
  });
}

/** A refusal as text ends like any answer. */
function finishOf({ finish, refusal }: ScriptedReply): string {
  return FINISH[refusal === undefined ? finish : "stop"];
}

function usageOf({ usage }: ScriptedReply) {
  return {
    prompt_tokens: usage.input,
    completion_tokens: usage.output,
    total_tokens: usage.input + usage.output,
    prompt_tokens_details: { audio_tokens: 0, cached_tokens: usage.cached },
    completion_tokens_details: {
      accepted_prediction_tokens: 0,
      audio_tokens: 0,
      reasoning_tokens: usage.reasoning,
      rejected_prediction_tokens: 0,
    },
  };
}
