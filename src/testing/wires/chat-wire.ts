/**
 * Chat Completions: every event is a `chat.completion.chunk` with a delta, the last one names the finish, then usage if
 * it was requested, then `[DONE]`. By default, reasoning goes in `reasoning_content`, as with most vendors that show it.
 */
import type { Finish } from "../../event.ts";
import { fieldsOf } from "../../values/record.ts";
import type { JsonFields } from "../json-fields.ts";
import type { ModelRequest } from "../model-request.ts";
import { inPieces, type ReplyToolCall, type ScriptedReply } from "../turn.ts";
import { bearerIn, sseData, type WireFormat, type WireFrame } from "../wire-format.ts";
import { type ChatReasoning, callState, REASONING_DELTAS, wholeReasoning } from "./chat-reasoning.ts";
import { checkChatRequest, readChatRequest } from "./chat-request.ts";
import { type CachedName, chatUsage, type ReasoningCount, type UsagePlace, usageAtFinish } from "./chat-usage.ts";
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

/** What vendors of this format write differently. */
export type ChatAnswers = {
  reasoning: ChatReasoning;
  /** Whether a call comes in one chunk or its arguments in several. */
  calls: "in-pieces" | "whole";
  /** A piece of a call's arguments after its first, with the labels that it has. */
  laterPiece: (call: JsonFields, written: string) => JsonFields;
  /** The id of a call for which the script chose none. */
  callId: (call: ReplyToolCall) => string;
  usage: UsagePlace;
  cached: CachedName;
  reasoningCount: ReasoningCount;
  finish: Record<Finish, string>;
};

export const USUAL_CHAT: ChatAnswers = {
  reasoning: "reasoning_content",
  calls: "in-pieces",
  laterPiece: ({ index }, written) => ({ index, function: { arguments: written } }),
  callId: ({ id }) => `call_${id}`,
  usage: "last-chunk",
  cached: "prompt_tokens_details",
  reasoningCount: "completion_tokens_details",
  finish: FINISH,
};

export function createChatWire(answers: ChatAnswers = USUAL_CHAT): WireFormat {
  return {
    keyIn: bearerIn,
    check: (body, _headers, extra) => checkChatRequest(body, extra),
    read: readChatRequest,
    stream: (reply, request) => chatFrames(reply, request, answers),
    whole: (reply) => chatCompletion(reply, answers),
    error: (rejection, request) => openAiError(rejection, request, ERROR_FORM),
    errorBody: openAiErrorBody,
    errorFrame: (error) => sseData(openAiErrorBody(error)),
    headers: openAiHeaders,
    modelList: openAiModelList,
  };
}

function chatFrames(reply: ScriptedReply, request: ModelRequest, answers: ChatAnswers): WireFrame[] {
  const wantsUsage = fieldsOf(request.body.stream_options).include_usage === true;
  const start =
    `data: {"id":"chatcmpl-${reply.id}","object":"chat.completion.chunk","created":${reply.createdAt},` +
    `"model":${JSON.stringify(reply.model)},"system_fingerprint":null,"choices":[`;
  const end = wantsUsage ? '],"usage":null}\n\n' : "]}\n\n";
  const frame = (deltaJson: string, delta: boolean): WireFrame => ({
    data: `${start}{"index":0,"delta":${deltaJson},"logprobs":null,"finish_reason":null}${end}`,
    delta,
  });

  const frames = [frame('{"role":"assistant","content":"","refusal":null}', false)];
  for (const delta of REASONING_DELTAS[answers.reasoning](reply)) frames.push(frame(JSON.stringify(delta), true));
  for (const piece of reply.text) frames.push(frame(`{"content":${JSON.stringify(piece)}}`, true));
  if (reply.refusal !== undefined) frames.push(frame(JSON.stringify({ refusal: reply.refusal }), true));
  for (const { call, delta } of callDeltas(reply, answers))
    frames.push(frame(JSON.stringify({ tool_calls: [call] }), delta));
  const usage = chatUsage(reply, answers);
  frames.push({ data: `${start}${finishChunk(reply, answers, usage, wantsUsage)}\n\n`, delta: false });
  if (wantsUsage && (answers.usage === "last-chunk" || answers.usage === "x_groq"))
    frames.push({ data: `${start}],"usage":${JSON.stringify(usage)}}\n\n`, delta: false });
  frames.push({ data: sseData("[DONE]"), delta: false });
  return frames;
}

/** The last chunk with a choice, without its beginning. */
function finishChunk(reply: ScriptedReply, answers: ChatAnswers, usage: JsonFields, wantsUsage: boolean): string {
  const { choice, chunk } = usageAtFinish(answers.usage, usage, reply.id);
  const finish_reason = finishOf(reply, answers);
  const choiceJson = JSON.stringify({ index: 0, delta: {}, logprobs: null, finish_reason, ...choice });
  const rest = JSON.stringify({ ...(wantsUsage && { usage: null }), ...chunk }).slice(1, -1);
  return `${choiceJson}]${rest === "" ? "" : `,${rest}`}}`;
}

/** The call in the `tool_calls` of each chunk. */
function callDeltas(reply: ScriptedReply, answers: ChatAnswers): { call: JsonFields; delta: boolean }[] {
  return reply.toolCalls.flatMap((toolCall, index): { call: JsonFields; delta: boolean }[] => {
    const whole = { index, ...wholeCall(toolCall, index, reply, answers) };
    if (answers.calls === "whole") return [{ call: whole, delta: true }];
    const opening = { ...whole, function: { name: toolCall.name, arguments: "" } };
    const pieces = inPieces(toolCall.argumentsText, 2);
    return [
      { call: opening, delta: false },
      ...pieces.map((written) => ({ call: answers.laterPiece(whole, written), delta: true })),
    ];
  });
}

function wholeCall(call: ReplyToolCall, index: number, reply: ScriptedReply, answers: ChatAnswers): JsonFields {
  return {
    id: call.named ? call.id : answers.callId(call),
    type: "function",
    function: { name: call.name, arguments: call.argumentsText },
    ...callState(answers.reasoning, index, call.name, reply.signatureMark),
  };
}

function chatCompletion(reply: ScriptedReply, answers: ChatAnswers): string {
  return JSON.stringify({
    id: `chatcmpl-${reply.id}`,
    object: "chat.completion",
    created: reply.createdAt,
    model: reply.model,
    choices: [
      { index: 0, message: messageOf(reply, answers), logprobs: null, finish_reason: finishOf(reply, answers) },
    ],
    usage: chatUsage(reply, answers),
    system_fingerprint: null,
  });
}

function messageOf(reply: ScriptedReply, answers: ChatAnswers): JsonFields {
  const text = reply.text.join("");
  const calls = reply.toolCalls.map((call, index) => wholeCall(call, index, reply, answers));
  const { content: thought, ...reasoning } = wholeReasoning(answers.reasoning, reply);
  const content = text === "" && (calls.length > 0 || reply.refusal !== undefined) ? null : text;
  return {
    role: "assistant",
    content: thought === undefined ? content : withThought(thought, text),
    refusal: reply.refusal ?? null,
    ...reasoning,
    ...(calls.length > 0 && { tool_calls: calls }),
  };
}

/** Reasoning in the content, before the text. */
function withThought(thought: unknown, text: string): unknown {
  if (!Array.isArray(thought)) return `${thought}${text}`;
  return text === "" ? thought : [...thought, { type: "text", text }];
}

/** A refusal as text ends like any answer. */
function finishOf({ finish, finishReason, refusal }: ScriptedReply, answers: ChatAnswers): string {
  return finishReason ?? answers.finish[refusal === undefined ? finish : "stop"];
}
