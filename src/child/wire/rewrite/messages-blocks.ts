/**
 * Calls and usage of a `messages` stream as the provider package demands them. Servers that speak Anthropic's format begin a
 * call with all of its input, once more or instead of in pieces, leave ids and ends of blocks out, or count in the words of
 * chat: the package would reject the answer, lose the call or join its input twice.
 */
import type { JSONObject } from "@ai-sdk/provider";
import { isJsonObject } from "../json-object.ts";
import { countsIn, withNumbers } from "../reply/usage-counts.ts";
import type { EventRewrite, Rewriter } from "./rewrite-events.ts";

/** `input`: all of it, as the start of the call told it; `hasPieces`: it comes in pieces as well. */
type Block = { input: string; hasPieces: boolean };

type OpenMessage = { open: Map<number, Block>; outputTokens: number };

export const wholeBlocks: Rewriter = {
  concerns: /"(content_block_start|input_json_delta|content_block_stop|message_start|message_delta|message_stop)"/,
  start() {
    const message: OpenMessage = { open: new Map(), outputTokens: 0 };
    return (event) => REWRITES[String(event.type)]?.(event, message) ?? event;
  },
};

const REWRITES: Record<string, (event: JSONObject, message: OpenMessage) => ReturnType<EventRewrite>> = {
  message_start: (event, message) => {
    if (!isJsonObject(event.message)) return event;
    const usage = wholeUsage(event.message.usage, message);
    return { ...event, message: { ...event.message, usage: { ...usage, input_tokens: usage.input_tokens ?? 0 } } };
  },
  content_block_start: begin,
  content_block_delta: (event, { open }) => {
    const block = open.get(Number(event.index));
    if (block !== undefined && isJsonObject(event.delta) && event.delta.partial_json !== "") block.hasPieces = true;
    return event;
  },
  content_block_stop: (event, { open }) => end(Number(event.index), open, event),
  message_delta: (event, message) => {
    const usage = withoutEmptyInput(wholeUsage(event.usage, message));
    const outputTokens = usage.output_tokens || message.outputTokens;
    return [...endAll(message), { ...event, usage: { ...usage, output_tokens: outputTokens } }];
  },
  message_stop: (event, message) => [...endAll(message), event],
};

function begin(event: JSONObject, { open }: OpenMessage): JSONObject {
  const { content_block: block } = event;
  if (!isJsonObject(block)) return event;
  if (block.type === "text" && typeof block.text !== "string")
    return { ...event, content_block: { ...block, text: "" } };
  if (block.type !== "tool_use") return event;
  const index = Number(event.index);
  open.set(index, { input: inputText(block.input), hasPieces: false });
  const id = typeof block.id === "string" && block.id !== "" ? block.id : `call_${index}`;
  return { ...event, content_block: { ...block, id, input: {} } };
}

/** The end of a block, after input that no piece told. */
function end(index: number, open: OpenMessage["open"], event: JSONObject): JSONObject[] {
  const block = open.get(index);
  open.delete(index);
  if (block === undefined || block.hasPieces || block.input === "") return [event];
  const delta = { type: "input_json_delta", partial_json: block.input };
  return [{ type: "content_block_delta", index, delta }, event];
}

/** Calls that nothing ended before the message did. */
function endAll({ open }: OpenMessage): JSONObject[] {
  return [...open.keys()].flatMap((index) => end(index, open, { type: "content_block_stop", index }));
}

function inputText(input: unknown): string {
  if (typeof input === "string") return input;
  return isJsonObject(input) && Object.keys(input).length > 0 ? JSON.stringify(input) : "";
}

/** Nothing, rather than nothing of what the beginning counted: envoyproxy/ai-gateway#1631, sgl-project/sglang#20830. */
function withoutEmptyInput(usage: JSONObject): JSONObject {
  const { input_tokens: input, cache_read_input_tokens: read, cache_creation_input_tokens: written, ...rest } = usage;
  return input || read || written ? usage : rest;
}

/** The counts by Anthropic's names, where others are used. */
function wholeUsage(reported: unknown, message: OpenMessage): JSONObject {
  if (!isJsonObject(reported)) return {};
  const usage = withNumbers(reported);
  if (typeof usage.output_tokens === "number") message.outputTokens = usage.output_tokens || message.outputTokens;
  if (usage.prompt_tokens === undefined && usage.completion_tokens === undefined) return usage;
  const { input = 0, output = 0, cached = 0, cacheWrite = 0 } = countsIn(usage);
  return {
    ...usage,
    input_tokens: input - cached - cacheWrite,
    cache_read_input_tokens: cached,
    cache_creation_input_tokens: cacheWrite,
    output_tokens: output,
  };
}
