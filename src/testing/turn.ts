/**
 * A script's response (`Turn`), and the same with every default filled in (`ScriptedReply`), from which each wire
 * format writes its events.
 */
import { createHash } from "node:crypto";
import type { Finish, Usage } from "../event.ts";
import { present } from "../values/present.ts";
import type { Fault } from "./faults.ts";
import type { ModelRequest } from "./model-request.ts";

export type TurnToolCall = {
  name: string;
  /** The group of the tool, if the request put it in one. */
  namespace?: string;
  /** Sent as is, whether or not it fits the tool's schema. */
  input: unknown;
  id?: string;
};

export type Turn = {
  text?: string;
  /** Sent whether or not it was requested. */
  reasoning?: string;
  toolCalls?: readonly TurnToolCall[];
  /** Milliseconds from the request to the first byte of the response. Default 0. */
  latencyMs?: number;
  /** Paces the text. Without it everything is written at once. */
  tokensPerSecond?: number;
  /** Number of pieces of the text. Default: one per token, but at most 8 without pacing. */
  deltas?: number;
  /** `input` includes cached tokens, `output` includes reasoning tokens. Default: characters ÷ 4, nothing cached. */
  usage?: Partial<Usage>;
  /** The model name in the response. Default: the requested one. */
  servedModel?: string;
  /** Default: `tool-calls` if there are any, else `stop`. */
  finish?: Finish;
  /** The vendor's word for the end, sent verbatim. Default: the one for `finish`. */
  finishReason?: string;
  /** Begins the answer's signatures and encrypted content, so that a test recognizes them. Letters and digits. */
  signatureMark?: string;
  fault?: Fault;
};

export type ReplyToolCall = {
  id: string;
  /** Whether the script chose the id. */
  named: boolean;
  name: string;
  namespace?: string;
  /** JSON of the input. */
  argumentsText: string;
};

export type ScriptedReply = {
  /** Unique; each wire format adds its own prefix. */
  id: string;
  /** Seconds since the epoch. */
  createdAt: number;
  model: string;
  /** The pieces in which they are streamed. */
  reasoning: string[];
  text: string[];
  toolCalls: ReplyToolCall[];
  usage: Usage;
  finish: Finish;
  /** The vendor's own word, if the script chose it. */
  finishReason?: string;
  signatureMark: string;
  /** Text of a refusal, sent in the format's own place. */
  refusal?: string;
};

/** @param nonce distinguishes the ids of two servers */
export function replyTo(turn: Turn, request: ModelRequest, nonce: string): ScriptedReply {
  const id = `${nonce}${request.index.toString().padStart(6, "0")}`;
  const text = turn.text ?? "";
  const reasoning = turn.reasoning ?? "";
  const toolCalls = (turn.toolCalls ?? []).map((call, position) => ({
    id: call.id ?? `${id}x${position}`,
    named: call.id !== undefined,
    name: call.name,
    ...present({ namespace: call.namespace }),
    argumentsText: JSON.stringify(call.input) ?? "",
  }));
  return {
    id,
    createdAt: Math.floor(request.at / 1000),
    model: turn.servedModel ?? request.model,
    reasoning: inPieces(reasoning, defaultDeltas(reasoning)),
    text: inPieces(text, turn.deltas ?? (turn.tokensPerSecond === undefined ? defaultDeltas(text) : countTokens(text))),
    toolCalls,
    usage: usageOf(turn.usage, request, text, reasoning, toolCalls),
    finish: turn.finish ?? (toolCalls.length > 0 ? "tool-calls" : "stop"),
    ...present({ finishReason: turn.finishReason }),
    signatureMark: turn.signatureMark ?? "",
  };
}

function defaultDeltas(text: string): number {
  return Math.min(8, countTokens(text));
}

/** A plausible count: one token per four characters. */
export function countTokens(text: string): number {
  return Math.ceil(text.length / 4);
}

/** The id that a script chose, or one in the vendor's form. */
export function toolCallId({ id, named }: ReplyToolCall, prefix: string): string {
  return named ? id : prefix + id;
}

/** A signature that a later request can be checked for: it identifies exactly this text. */
export function signatureOf(text: string, mark = ""): string {
  const hash = createHash("sha256").update(`scripted:${text}`).digest("base64");
  return mark === "" ? hash : `${mark}.${hash}`;
}

/** The signature of a reply's reasoning. */
export function reasoningSignature({ reasoning, signatureMark }: ScriptedReply): string {
  return signatureOf(reasoning.join(""), signatureMark);
}

export function isSignatureOf(signature: unknown, text: string): boolean {
  if (typeof signature !== "string") return false;
  return signature.slice(signature.indexOf(".") + 1) === signatureOf(text);
}

function usageOf(
  given: Partial<Usage> = {},
  request: ModelRequest,
  text: string,
  reasoning: string,
  calls: ReplyToolCall[],
): Usage {
  const reasoningTokens = given.reasoning ?? countTokens(reasoning);
  const spoken = calls.reduce((sum, call) => sum + countTokens(call.argumentsText) + 8, countTokens(text));
  return {
    input: given.input ?? Math.ceil(request.bodyBytes / 4),
    output: given.output ?? spoken + reasoningTokens,
    cached: given.cached ?? 0,
    reasoning: reasoningTokens,
  };
}

/** Splits text into `count` pieces of about equal length, without splitting a character; fewer if it is shorter. */
export function inPieces(text: string, count: number): string[] {
  const length = text.length / Math.max(1, Math.min(count, text.length));
  const pieces: string[] = [];
  let start = 0;
  for (let edge = length; start < text.length; edge += length) {
    const end = wholeCharacter(text, Math.round(edge));
    if (end > start) pieces.push(text.slice(start, end));
    start = Math.max(start, end);
  }
  return pieces;
}

function wholeCharacter(text: string, end: number): number {
  const unit = text.charCodeAt(end);
  return unit >= 0xdc00 && unit <= 0xdfff ? end + 1 : end;
}
