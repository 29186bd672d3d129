/** Collects a stream part by part: parts as they will be sent back, and live text to show. */
import type { LanguageModelV4StreamPart, LanguageModelV4Usage, SharedV4ProviderOptions } from "@ai-sdk/provider";
import type { Part, ProviderPrivate } from "../../../event.ts";
import { present } from "../../../values/present.ts";
import { isRecord } from "../../../values/record.ts";
import { freeId } from "../request/call-ids.ts";
import { calledTool } from "./tool-name.ts";
import { impossibleTokens, type ReportedUsage } from "./usage.ts";
import { unnamedTokens } from "./usage-counts.ts";

export type Delta = { type: "text" | "reasoning"; text: string };

/** A part as the provider packages define it, or the news that all text until here was reasoning. @internal */
export type StreamPart = LanguageModelV4StreamPart | { type: "text-was-reasoning" };
/** @internal */
export type Receive = (part: StreamPart) => void;

export type ReplyBuilder = {
  /** Names of the tools that were offered. */
  toolNames: readonly string[];
  parts: Part[];
  /** Parts in progress, by the stream's id. */
  open: Map<string, Part & { type: "text" | "reasoning" }>;
  /** Received and not yet shown; neighbors of one kind are merged. */
  pending: Delta[];
  finish?: { unified: string; raw: string | undefined };
  usage?: ReportedUsage;
  servedModel?: string;
  error?: unknown;
  ignored: string[];
};

export function createReplyBuilder(toolNames: readonly string[]): ReplyBuilder {
  return { toolNames, parts: [], open: new Map(), pending: [], ignored: [] };
}

/** @internal */
export function accumulate(builder: ReplyBuilder, part: StreamPart): void {
  switch (part.type) {
    case "stream-start":
      // Of type `other`: how the package writes the conversation, which says nothing to a user.
      for (const warning of part.warnings) if (warning.type !== "other") builder.ignored.push(warningText(warning));
      return;
    case "response-metadata":
      if (part.modelId !== undefined) builder.servedModel = part.modelId;
      return;
    case "text-start":
    case "reasoning-start":
      openPart(builder, part.id, part.type === "text-start" ? "text" : "reasoning", part.providerMetadata);
      return;
    case "text-delta":
    case "reasoning-delta":
      addDelta(builder, part.id, part.type === "text-delta" ? "text" : "reasoning", part.delta, part.providerMetadata);
      return;
    case "text-was-reasoning":
      textWasReasoning(builder);
      return;
    case "text-end":
    case "reasoning-end": {
      const open = builder.open.get(part.id);
      if (open !== undefined) keepPrivate(open, part.providerMetadata);
      builder.open.delete(part.id);
      return;
    }
    case "tool-call": {
      const call: Part = {
        type: "tool-call",
        callId: ownId(builder, part.toolCallId),
        name: calledTool(part.toolName, builder.toolNames),
        input: inputOf(part.input),
      };
      keepPrivate(call, part.providerMetadata);
      builder.parts.push(call);
      return;
    }
    case "finish":
      builder.finish = part.finishReason;
      builder.usage = usageOf(part.usage);
      return;
    case "error":
      builder.error ??= part.error;
      return;
    case "raw":
      readVersion(builder, part.rawValue);
      return;
    default:
      // Sources and files are not used.
      return;
  }
}

/** Some models give two calls of one answer the same id; each needs its own result. */
function ownId({ parts }: ReplyBuilder, id: string): string {
  return freeId(id, new Set(parts.map((part) => (part.type === "tool-call" ? part.callId : undefined))));
}

function openPart(builder: ReplyBuilder, id: string, type: "text" | "reasoning", metadata: ProviderMetadata) {
  const part: Part & { type: "text" | "reasoning" } = { type, text: "" };
  keepPrivate(part, metadata);
  builder.open.set(id, part);
  builder.parts.push(part);
  return part;
}

function addDelta(
  builder: ReplyBuilder,
  id: string,
  type: "text" | "reasoning",
  delta: string,
  metadata: ProviderMetadata,
) {
  const part = builder.open.get(id) ?? openPart(builder, id, type, undefined);
  keepPrivate(part, metadata);
  if (delta === "") return;
  part.text += delta;
  show(builder, type, isFirstOfLaterMessage(builder, part, delta) ? `\n\n${delta}` : delta);
}

function show({ pending }: ReplyBuilder, type: Delta["type"], text: string): void {
  const last = pending.at(-1);
  if (last?.type === type) last.text += text;
  else pending.push({ type, text });
}

/** Live, the messages of one answer stand apart, as they do in what is kept of it. */
function isFirstOfLaterMessage({ parts }: ReplyBuilder, part: Part & { text: string }, delta: string): boolean {
  if (part.text !== delta || part.private?.openai?.itemId === undefined) return false;
  return parts.some(
    (earlier) => earlier !== part && earlier.type === "text" && part.type === "text" && earlier.text !== "",
  );
}

/** What was shown as text already was shown so; what is kept, and checked as an answer, is right. */
function textWasReasoning(builder: ReplyBuilder): void {
  builder.parts = builder.parts.map((part) =>
    // What a provider keeps of a text is of no use with reasoning.
    part.type === "text" ? { type: "reasoning", text: part.text.trim() } : part,
  );
  builder.pending = builder.pending.map(({ text }) => ({ type: "reasoning", text }));
  builder.open.clear();
  const last = builder.parts.at(-1);
  if (last?.type === "reasoning") builder.open.set("reasoning", last);
}

type ProviderMetadata = SharedV4ProviderOptions | undefined;

function keepPrivate(part: Part, metadata: ProviderMetadata): void {
  if (metadata === undefined) return;
  part.private = { ...part.private, ...(metadata as ProviderPrivate) };
}

/** Returns the text to show: all of it once the answer is `over`, until then without a last word that may continue. */
export function flush(builder: ReplyBuilder, over: boolean): Delta[] {
  const last = builder.pending.at(-1);
  const taken = builder.pending;
  builder.pending = [];
  if (over || last === undefined) return taken;
  const word = unfinishedWord(last.text);
  if (word !== "") builder.pending.push({ type: last.type, text: word });
  const whole = { type: last.type, text: last.text.slice(0, last.text.length - word.length) };
  return [...taken.slice(0, -1), ...(whole.text === "" ? [] : [whole])];
}

/** A partial key looks like any other word, so this much of an unfinished word is held back, in characters. */
const LONGEST_WORD = 4_096;

function unfinishedWord(text: string): string {
  const earliest = Math.max(0, text.length - LONGEST_WORD);
  let start = text.length;
  while (start > earliest && isOfAWord(text.charCodeAt(start - 1))) start -= 1;
  return text.slice(start);
}

/** Printable ASCII: the characters of a key. */
function isOfAWord(code: number): boolean {
  return code > 0x20 && code < 0x7f;
}

/** Gemini's field for the responding model: https://ai.google.dev/api/generate-content, `modelVersion`. */
function readVersion(builder: ReplyBuilder, chunk: unknown): void {
  if (typeof chunk !== "object" || chunk === null || !("modelVersion" in chunk)) return;
  if (typeof chunk.modelVersion === "string") builder.servedModel = chunk.modelVersion;
}

/**
 * The arguments a model wrote, as JSON; text that is no JSON stays text and fails the tool's own schema. None may be
 * written as null, and an object as a text of its JSON, twice over (vllm-project/vllm#54964).
 */
function inputOf(text: string): unknown {
  if (text.trim() === "") return {};
  try {
    const input: unknown = JSON.parse(text);
    if (typeof input !== "string") return input ?? {};
    const within = inputOf(input);
    return isRecord(within) && input.trim() !== "" ? within : input;
  } catch {
    return text;
  }
}

function usageOf({ inputTokens, outputTokens, raw }: LanguageModelV4Usage): ReportedUsage {
  const impossible = impossibleTokens(raw);
  return {
    input: inputTokens.total ?? 0,
    output: outputTokens.total ?? 0,
    cached: inputTokens.cacheRead ?? 0,
    reasoning: outputTokens.reasoning ?? 0,
    ...present({
      cacheWrite: inputTokens.cacheWrite || undefined,
      impossible,
      unnamed: unnamedTokens(raw) || undefined,
    }),
  };
}

function warningText(warning: { type: string; feature?: string; setting?: string; details?: string }) {
  const what = warning.feature ?? warning.setting ?? warning.type;
  return [what, warning.details].filter(Boolean).join(": ");
}
