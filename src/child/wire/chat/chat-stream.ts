/**
 * Reads the stream of a `chat_completions` answer into parts. The provider package writes the request; its own reader
 * takes every chunk through five streams and a schema, twice the cost of all the rest of a request, and this is the
 * format of nearly every provider. Reads as tolerantly as that package: gateways differ in all but the core.
 */
import type { JSONObject } from "@ai-sdk/provider";
import type { EventSourceMessage } from "eventsource-parser";
import type { ReasoningField } from "../dialect/dialect.ts";
import { finishMeaning, heededReason } from "../dialect/finish-reasons.ts";
import { parsedJson, saysError } from "../failure/error-body.ts";
import { isJsonObject } from "../json-object.ts";
import type { Receive, StreamPart } from "../reply/reply-builder.ts";
import { addUsage, type UsageSoFar, usageOf } from "./chat-usage.ts";
import { addReasoningDetail } from "./reasoning-details.ts";
import { createThinkSplitter, type ThinkPiece, type ThinkSplitter } from "./think-tags.ts";
import { type CallAssembly, createCallAssembly, listOfCalls } from "./tool-call-assembly.ts";

/** Maximum length quoted of an event that is no chunk, in characters. */
const MAX_QUOTE = 200;

/**
 * Reads an answer to its end. Text that arrived together is one delta. What is no chunk becomes an `error` part; a stream
 * that ends without a finish reason has no `finish`.
 * @param toolNames the tools that were offered
 * @param receive receives the parts as they arrive
 */
export async function readChat(
  batches: AsyncIterable<EventSourceMessage[]>,
  toolNames: readonly string[],
  receive: Receive,
): Promise<void> {
  const answer = createAnswer(toolNames);
  for await (const batch of batches) {
    for (const { event, data } of batch) readEvent(answer, event, data.trim());
    for (const part of answer.pending) receive(part);
    answer.pending = [];
  }
  finish(answer);
  for (const part of answer.pending) receive(part);
}

type StreamedAnswer = {
  /** Read and not yet passed on. */
  pending: StreamPart[];
  thinking: ThinkSplitter;
  calls: CallAssembly;
  /** What deltas have brought: a whole message after them repeats it. */
  seen: { text: boolean; reasoning: boolean; calls: boolean };
  named: boolean;
  refused: boolean;
  /** Which field the reasoning came in, and what else of it has to go back: see `sent-back.ts`. */
  reasoningField?: ReasoningField;
  reasoningDetails: JSONObject[];
  /** The field that came empty. Beside a call it goes back so: HKUDS/nanobot#4105, MoonshotAI/kimi-code#1676. */
  emptyReasoning?: "reasoning_content" | "reasoning";
  /** The stream said that it is complete. */
  isDone: boolean;
  finishReason?: string;
  usage?: UsageSoFar;
};

function createAnswer(toolNames: readonly string[]): StreamedAnswer {
  const calls = createCallAssembly(toolNames);
  const seen = { text: false, reasoning: false, calls: false };
  const thinking = createThinkSplitter();
  return { pending: [], thinking, calls, seen, named: false, refused: false, reasoningDetails: [], isDone: false };
}

function addError(answer: StreamedAnswer, error: unknown): void {
  if (error !== undefined) answer.pending.push({ type: "error", error });
}

function readEvent(answer: StreamedAnswer, event: string | undefined, data: string): void {
  if (data === "[DONE]") answer.isDone = true;
  if (data === "" || data === "[DONE]") return;
  const chunk = parsedJson(data);
  if (isJsonObject(chunk) && !maySayError(chunk)) {
    applyChunk(answer, chunk);
    return;
  }
  const isError = event === "error" || saysError(chunk);
  if (isJsonObject(chunk) && !isError) applyChunk(answer, chunk);
  else addError(answer, isError ? chunk : new SyntaxError(`an event is no chunk: ${data.slice(0, MAX_QUOTE)}`));
}

/** MiniMax gives its code beside a choice, too. */
function maySayError({ error, choices, base_resp }: JSONObject): boolean {
  return Boolean(error) || base_resp !== undefined || !Array.isArray(choices) || choices.length === 0;
}

/** Fields as in https://platform.openai.com/docs/api-reference/chat-streaming, with the variants of gateways. */
function applyChunk(answer: StreamedAnswer, chunk: JSONObject): void {
  if (!answer.named && typeof chunk.model === "string" && chunk.model !== "") {
    answer.named = true;
    answer.pending.push({ type: "response-metadata", modelId: chunk.model });
  }
  const choice: unknown = Array.isArray(chunk.choices) ? chunk.choices[0] : undefined;
  const usage = addUsage(answer.usage, chunk, choice);
  if (usage !== undefined) answer.usage = usage;
  if (!isJsonObject(choice)) return;
  // OpenRouter passes an error of the provider behind it on in the choice that it cuts off.
  if (isJsonObject(choice.error)) addError(answer, choice.error);
  const reason = heededReason("chat_completions", wordIn(choice.finish_reason), wordIn(choice.native_finish_reason));
  if (reason !== "") answer.finishReason = reason;
  if (isJsonObject(choice.delta)) applyDelta(answer, choice.delta);
  if (isJsonObject(choice.message)) applyMessage(answer, choice.message);
}

/** Some send an empty reason, or the word "null", with every chunk. SGLang's own form is `{type: "length", length: 128}`. */
function wordIn(given: unknown): string {
  const reason = isJsonObject(given) ? given.type : given;
  return typeof reason === "string" && reason !== "null" ? reason : "";
}

/** A choice as of an answer that is not streamed; some servers send both forms (microsoft/foundry-local#144). */
function applyMessage(answer: StreamedAnswer, message: JSONObject): void {
  const seen = { ...answer.seen };
  const { content, refusal, reasoning_content, reasoning, reasoning_details, tool_calls, function_call } = message;
  applyDelta(answer, {
    ...(!seen.text && { content, refusal }),
    ...(!seen.reasoning && { reasoning_content, reasoning, reasoning_details }),
    ...(!seen.calls && { tool_calls, function_call }),
  });
  answer.seen = seen;
}

function applyDelta(answer: StreamedAnswer, delta: JSONObject): void {
  applyReasoning(answer, delta);
  if (Array.isArray(delta.content)) for (const part of delta.content) applyContentPart(answer, part);
  else addText(answer, delta.content);
  if (typeof delta.refusal === "string" && delta.refusal !== "") {
    answer.refused = true;
    push(answer, "text", delta.refusal);
  }
  const { tool_calls, function_call: onlyCall } = delta;
  const calls = listOfCalls(tool_calls);
  if (calls.length > 0) addCalls(answer, calls);
  // The form before tool_calls: https://platform.openai.com/docs/api-reference/chat/object, `function_call`.
  else if (isJsonObject(onlyCall)) addCalls(answer, [{ function: onlyCall }]);
}

/** DeepSeek and most others say `reasoning_content`, servers of gpt-oss and OpenRouter `reasoning`. */
function applyReasoning(answer: StreamedAnswer, delta: JSONObject): void {
  const { reasoning_content: content, reasoning, reasoning_details: details } = delta;
  const said = content || reasoning;
  if (said) answer.reasoningField ??= content ? "reasoning_content" : "reasoning";
  else if (content === "" || reasoning === "")
    answer.emptyReasoning ??= content === "" ? "reasoning_content" : "reasoning";
  push(answer, "reasoning", said);
  if (!Array.isArray(details)) return;
  for (const detail of details.filter(isJsonObject)) {
    answer.seen.reasoning = true;
    addReasoningDetail(answer.reasoningDetails, detail);
    if (!said) push(answer, "reasoning", detail.text ?? detail.summary);
  }
}

/** Mistral's form: https://docs.mistral.ai/capabilities/reasoning, content as a list of text and thinking. */
function applyContentPart(answer: StreamedAnswer, part: unknown): void {
  if (!isJsonObject(part)) return;
  if (part.type === "text") addText(answer, part.text);
  if (part.type === "thinking" && Array.isArray(part.thinking)) {
    answer.reasoningField ??= "thinking-parts";
    for (const thought of part.thinking) if (isJsonObject(thought)) push(answer, "reasoning", thought.text);
  }
}

function addCalls(answer: StreamedAnswer, pieces: readonly unknown[]): void {
  answer.seen.calls = true;
  answer.calls.add(pieces);
}

/** Some models write their reasoning into the text. */
function addText(answer: StreamedAnswer, piece: unknown): void {
  if (typeof piece !== "string" || piece === "") return;
  answer.seen.text = true;
  addThinkPieces(answer, answer.thinking.read(piece));
}

function addThinkPieces(answer: StreamedAnswer, pieces: readonly ThinkPiece[]): void {
  for (const piece of pieces) {
    if (piece.type !== "text") answer.reasoningField ??= "think-tags";
    if (piece.type === "text-was-reasoning") answer.pending.push(piece);
    else push(answer, piece.type, piece.text);
  }
}

/** Neighbouring pieces of one kind that arrived together are one. */
function push(answer: StreamedAnswer, kind: "text" | "reasoning", piece: unknown): void {
  if (typeof piece !== "string" || piece === "") return;
  answer.seen[kind] = true;
  const last = answer.pending.at(-1);
  const type = `${kind}-delta` as const;
  if (last?.type === type) last.delta += piece;
  else answer.pending.push({ type, id: kind, delta: piece });
}

function finish(answer: StreamedAnswer): void {
  const { pending } = answer;
  const calls = answer.calls.calls();
  const isFinished = finishMeaning("chat_completions", answer.finishReason ?? "") === "stop";
  addThinkPieces(answer, answer.thinking.end(isFinished, calls.length > 0));
  addReasoningState(answer, calls.length > 0);
  for (const [position, { id, name, argumentsText, signature }] of calls.entries()) {
    if (name === "") addError(answer, new SyntaxError("a tool call has no name"));
    else
      pending.push({
        type: "tool-call",
        toolCallId: id || `call-${position}`,
        toolName: name,
        input: argumentsText,
        ...(signature !== undefined && { providerMetadata: { google: { thoughtSignature: signature } } }),
      });
  }
  const { finishReason: raw, refused } = answer;
  if (raw === undefined) return;
  const isKnown = finishMeaning("chat_completions", raw) !== undefined;
  const wasCutOff = !answer.isDone && answer.usage === undefined;
  if (!isKnown && wasCutOff) return; // An unknown word in a stream that broke off does not end the answer.
  pending.push({
    type: "finish",
    finishReason: { unified: refused ? "content-filter" : "other", raw },
    usage: usageOf(answer.usage),
  });
}

/** What has to go back with the reasoning, for `sent-back.ts`; nothing where it is the usual field. */
function addReasoningState(answer: StreamedAnswer, hasCalls: boolean): void {
  const { pending, reasoningField, emptyReasoning, reasoningDetails } = answer;
  const field = reasoningField === "reasoning_content" ? undefined : (reasoningField ?? (hasCalls && emptyReasoning));
  const chat: JSONObject = {
    ...(field && { reasoningField: field }),
    ...(reasoningDetails.length > 0 && { reasoningDetails }),
  };
  if (Object.keys(chat).length > 0)
    pending.push({ type: "reasoning-delta", id: "reasoning", delta: "", providerMetadata: { chat } });
}
