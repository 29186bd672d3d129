/**
 * OpenAI's Responses API: an answer is a list of items (reasoning, message, function calls), each opened, filled and
 * closed by numbered events, between a `response.created` and a `response.completed` that contain the whole.
 */
import type { Finish } from "../../event.ts";
import { present } from "../../values/present.ts";
import { fieldsOf } from "../../values/record.ts";
import { type JsonFields, listOf } from "../json-fields.ts";
import type { ModelRequest } from "../model-request.ts";
import { inPieces, type ReplyToolCall, type ScriptedReply, signatureOf, toolCallId } from "../turn.ts";
import { bearerIn, type WireFormat, type WireFrame } from "../wire-format.ts";
import { type OpenAiErrorForm, openAiError, openAiErrorBody, openAiHeaders, openAiModelList } from "./openai-errors.ts";
import { checkResponsesRequest, readResponsesRequest } from "./responses-request.ts";

const ERROR_FORM: OpenAiErrorForm = {
  effortField: "reasoning.effort",
  contextOverflow: {
    message: "Your input exceeds the context window of this model. Please adjust your input and try again.",
    param: "input",
  },
};

const INCOMPLETE: Record<Finish, string | null> = {
  stop: null,
  "tool-calls": null,
  length: "max_output_tokens",
  refused: "content_filter",
};

/** Reasoning: as the request asks for it, encrypted if it asks for that (`closed`), or always as text (`open`). */
export type ReasoningItems = "as-asked" | "closed" | "open";

/** Stores the items it sent (unless `store: false`), because a later request may refer to them by id. */
export function createResponsesWire(reasoning: ReasoningItems = "as-asked"): WireFormat {
  const stored = new Map<string, JsonFields>();

  function keep(items: JsonFields[], request: ModelRequest): void {
    if (request.body.store === false) return;
    for (const item of items) stored.set(String(item.id), item);
  }

  return {
    keyIn: bearerIn,
    check: (body, _headers, extra) => checkResponsesRequest(body, extra, stored),
    read: (body) => readResponsesRequest(body, stored),
    stream: (reply, request) => {
      const items = itemsOf(reply, request, reasoning);
      keep(items, request);
      return responseFrames(reply, request, items);
    },
    whole: (reply, request) => {
      const items = itemsOf(reply, request, reasoning);
      keep(items, request);
      return JSON.stringify(finished(reply, request, items));
    },
    error: (rejection, request) => openAiError(rejection, request, ERROR_FORM),
    errorBody: openAiErrorBody,
    errorFrame: ({ message, code = null, param = null, type }) => {
      const event = { type: "error", code: code ?? type, message, param, sequence_number: 0 };
      return `event: error\ndata: ${JSON.stringify(event)}\n\n`;
    },
    headers: openAiHeaders,
    modelList: openAiModelList,
  };
}

/** The finished items, in the order they are sent. */
function itemsOf(reply: ScriptedReply, request: ModelRequest, form: ReasoningItems): JsonFields[] {
  const items: JsonFields[] = [];
  if (reply.reasoning.length > 0) items.push(reasoningItem(reply, request, form));
  if (reply.text.length > 0 || reply.refusal !== undefined || reply.toolCalls.length === 0) {
    items.push(messageItem(reply));
  }
  return [...items, ...reply.toolCalls.map(functionCallItem)];
}

/** A summary if the request asked for one, else the reasoning itself, as servers of open models send it. */
function reasoningItem(reply: ScriptedReply, { body }: ModelRequest, form: ReasoningItems): JsonFields {
  const id = `rs_${reply.id}`;
  const text = reply.reasoning.join("");
  const encrypted =
    form !== "open" && Array.isArray(body.include) && body.include.includes("reasoning.encrypted_content");
  return {
    id,
    type: "reasoning",
    ...(form !== "open" && wantsSummary(body)
      ? { summary: [{ type: "summary_text", text }] }
      : form === "closed"
        ? { summary: [] }
        : { status: "completed", summary: [], content: [{ type: "reasoning_text", text }] }),
    ...(encrypted && { encrypted_content: signatureOf(id, reply.signatureMark) }),
  };
}

function wantsSummary(body: JsonFields): boolean {
  return typeof fieldsOf(body.reasoning).summary === "string";
}

function messageItem(reply: ScriptedReply): JsonFields {
  return {
    id: `msg_${reply.id}`,
    type: "message",
    status: incompleteReason(reply) === null ? "completed" : "incomplete",
    content: [contentPart(reply, reply.text.join(""))],
    role: "assistant",
  };
}

/** Null for a complete answer, including a refusal as text. */
function incompleteReason({ finish, finishReason, refusal }: ScriptedReply): string | null {
  return refusal === undefined ? (finishReason ?? INCOMPLETE[finish]) : null;
}

function contentPart({ refusal }: ScriptedReply, text: string): JsonFields {
  if (refusal !== undefined) return { type: "refusal", refusal };
  return { type: "output_text", annotations: [], logprobs: [], text };
}

function functionCallItem(call: ReplyToolCall): JsonFields {
  return {
    id: `fc_${call.id}`,
    type: "function_call",
    status: "completed",
    arguments: call.argumentsText,
    call_id: toolCallId(call, "call_"),
    name: call.name,
    ...present({ namespace: call.namespace }),
  };
}

/** Writes numbered events. */
type Writer = {
  frames: WireFrame[];
  event(type: string, fields: JsonFields): void;
  /** Writes many events that differ only in their delta. */
  deltas(type: string, fields: JsonFields, pieces: readonly string[]): void;
};

function createWriter(): Writer {
  const frames: WireFrame[] = [];
  return {
    frames,
    event: (type, fields) => {
      const json = JSON.stringify({ type, ...fields, sequence_number: frames.length });
      frames.push({ data: `event: ${type}\ndata: ${json}\n\n`, delta: false });
    },
    deltas: (type, fields, pieces) => {
      const start = `event: ${type}\ndata: ${JSON.stringify({ type, ...fields }).slice(0, -1)},"delta":`;
      for (const piece of pieces) {
        const data = `${start}${JSON.stringify(piece)},"sequence_number":${frames.length}}\n\n`;
        frames.push({ data, delta: true });
      }
    },
  };
}

function responseFrames(reply: ScriptedReply, request: ModelRequest, items: JsonFields[]): WireFrame[] {
  const writer = createWriter();
  const begun = { response: begunResponse(reply, request) };
  writer.event("response.created", begun);
  writer.event("response.in_progress", begun);
  for (const [output_index, item] of items.entries()) {
    writer.event("response.output_item.added", { output_index, item: opened(item) });
    const at = { item_id: item.id, output_index };
    if (item.type === "reasoning") writeReasoning(writer, at, reply, item);
    else if (item.type === "message") writeMessage(writer, at, reply);
    else writeArguments(writer, at, String(item.arguments));
    writer.event("response.output_item.done", { output_index, item });
  }
  const response = finished(reply, request, items);
  writer.event(response.status === "completed" ? "response.completed" : "response.incomplete", { response });
  return writer.frames;
}

/** An item as it is announced, without content. */
function opened(item: JsonFields): JsonFields {
  const empty: JsonFields = { ...item };
  if ("status" in item) empty.status = "in_progress";
  if ("content" in item) empty.content = [];
  if ("summary" in item) empty.summary = [];
  if ("arguments" in item) empty.arguments = "";
  return empty;
}

function writeReasoning(writer: Writer, at: JsonFields, reply: ScriptedReply, { summary, content }: JsonFields): void {
  const text = reply.reasoning.join("");
  if (listOf(summary).length > 0) {
    const here = { ...at, summary_index: 0 };
    writer.event("response.reasoning_summary_part.added", { ...here, part: { type: "summary_text", text: "" } });
    writer.deltas("response.reasoning_summary_text.delta", here, reply.reasoning);
    writer.event("response.reasoning_summary_text.done", { ...here, text });
    writer.event("response.reasoning_summary_part.done", { ...here, part: { type: "summary_text", text } });
    return;
  }
  if (content === undefined) return;
  const here = { ...at, content_index: 0 };
  writer.event("response.content_part.added", { ...here, part: { type: "reasoning_text", text: "" } });
  writer.deltas("response.reasoning_text.delta", here, reply.reasoning);
  writer.event("response.reasoning_text.done", { ...here, text });
  writer.event("response.content_part.done", { ...here, part: { type: "reasoning_text", text } });
}

function writeMessage(writer: Writer, at: JsonFields, reply: ScriptedReply): void {
  const here = { ...at, content_index: 0 };
  const text = reply.text.join("");
  if (reply.refusal !== undefined) {
    writer.event("response.content_part.added", { ...here, part: { type: "refusal", refusal: "" } });
    writer.deltas("response.refusal.delta", here, [reply.refusal]);
    writer.event("response.refusal.done", { ...here, refusal: reply.refusal });
  } else {
    writer.event("response.content_part.added", { ...here, part: contentPart(reply, "") });
    writer.deltas("response.output_text.delta", { ...here, logprobs: [] }, reply.text);
    writer.event("response.output_text.done", { ...here, logprobs: [], text });
  }
  writer.event("response.content_part.done", { ...here, part: contentPart(reply, text) });
}

function writeArguments(writer: Writer, at: JsonFields, argumentsText: string): void {
  writer.deltas("response.function_call_arguments.delta", at, inPieces(argumentsText, 2));
  writer.event("response.function_call_arguments.done", { ...at, arguments: argumentsText });
}

function begunResponse(reply: ScriptedReply, { body }: ModelRequest): JsonFields {
  return {
    id: `resp_${reply.id}`,
    object: "response",
    created_at: reply.createdAt,
    status: "in_progress",
    background: false,
    completed_at: null,
    error: null,
    frequency_penalty: 0,
    incomplete_details: null,
    instructions: body.instructions ?? null,
    max_output_tokens: body.max_output_tokens ?? null,
    max_tool_calls: body.max_tool_calls ?? null,
    model: reply.model,
    output: [],
    parallel_tool_calls: body.parallel_tool_calls ?? true,
    presence_penalty: 0,
    previous_response_id: null,
    prompt_cache_key: body.prompt_cache_key ?? null,
    prompt_cache_retention: null,
    reasoning: { effort: null, summary: null, ...fieldsOf(body.reasoning) },
    safety_identifier: null,
    service_tier: "default",
    store: body.store ?? true,
    temperature: body.temperature ?? 1,
    text: { format: { type: "text" }, verbosity: "medium", ...fieldsOf(body.text) },
    tool_choice: body.tool_choice ?? "auto",
    tools: body.tools ?? [],
    top_logprobs: 0,
    top_p: body.top_p ?? 1,
    truncation: body.truncation ?? "disabled",
    usage: null,
    user: null,
    metadata: body.metadata ?? {},
  };
}

function finished(reply: ScriptedReply, request: ModelRequest, output: JsonFields[]): JsonFields {
  const reason = incompleteReason(reply);
  return {
    ...begunResponse(reply, request),
    status: reason === null ? "completed" : "incomplete",
    completed_at: reply.createdAt,
    incomplete_details: reason === null ? null : { reason },
    output,
    usage: {
      input_tokens: reply.usage.input,
      input_tokens_details: { cached_tokens: reply.usage.cached },
      output_tokens: reply.usage.output,
      output_tokens_details: { reasoning_tokens: reply.usage.reasoning },
      total_tokens: reply.usage.input + reply.usage.output,
    },
  };
}
