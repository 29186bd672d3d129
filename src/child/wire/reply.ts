/** What a stream says, part by part, gathered into one reply: parts as they will be sent back, or a failure. */
import type { LanguageModelV4StreamPart, LanguageModelV4Usage, SharedV4ProviderOptions } from "@ai-sdk/provider";
import type { Failure, FailureKind } from "../../errors.ts";
import type { Finish, Part, ProviderPrivate } from "../../event.ts";
import { present } from "../../present.ts";
import { failureOf } from "./failure.ts";
import { impossibleTokens, type ReportedUsage } from "./usage.ts";

export type Delta = { type: "text" | "reasoning"; text: string };

export type Reply =
  | { ok: true; parts: Part[]; finish: Finish; usage?: ReportedUsage; servedModel?: string; ignored: string[] }
  | {
      ok: false;
      failure: Failure;
      partialText: string;
      usage?: ReportedUsage;
      /** The usage is what was counted when the answer broke off. */
      usageSoFar?: true;
      charged: boolean;
    };

export type ReplyBuilder = {
  parts: Part[];
  /** Parts still being spoken, by the stream's id. */
  open: Map<string, Part & { type: "text" | "reasoning" }>;
  /** Heard and not shown yet; neighbours of one kind are one. */
  pending: Delta[];
  finish?: { unified: string; raw: string | undefined };
  usage?: ReportedUsage;
  servedModel?: string;
  error?: unknown;
  ignored: string[];
};

export function createReplyBuilder(): ReplyBuilder {
  return { parts: [], open: new Map(), pending: [], ignored: [] };
}

export function accumulate(builder: ReplyBuilder, part: LanguageModelV4StreamPart): void {
  switch (part.type) {
    case "stream-start":
      for (const warning of part.warnings) builder.ignored.push(warningText(warning));
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
        name: part.toolName,
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
      // Sources and files say nothing to a child.
      return;
  }
}

/** Some models give two calls of one answer the same id: each has to find its own result. */
function ownId({ parts }: ReplyBuilder, id: string): string {
  const taken = parts.filter((part) => part.type === "tool-call").map(({ callId }) => callId);
  if (!taken.includes(id)) return id;
  let copy = 2;
  while (taken.includes(`${id}-${copy}`)) copy += 1;
  return `${id}-${copy}`;
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
  part.text += delta;
  const last = builder.pending.at(-1);
  if (last?.type === type) last.text += delta;
  else builder.pending.push({ type, text: delta });
}

type ProviderMetadata = SharedV4ProviderOptions | undefined;

function keepPrivate(part: Part, metadata: ProviderMetadata): void {
  if (metadata === undefined) return;
  part.private = { ...part.private, ...(metadata as ProviderPrivate) };
}

/** What may be shown: all of it once the answer is `over`, until then without a last word that may go on. */
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

/** Half a key cannot be told from any other word: so much of a word that goes on is held back, in characters. */
const LONGEST_WORD = 4_096;

function unfinishedWord(text: string): string {
  const earliest = Math.max(0, text.length - LONGEST_WORD);
  let start = text.length;
  while (start > earliest && isOfAWord(text.charCodeAt(start - 1))) start -= 1;
  return text.slice(start);
}

/** Printable ASCII: what a key may consist of. */
function isOfAWord(code: number): boolean {
  return code > 0x20 && code < 0x7f;
}

/** Gemini's name for the model that answers: https://ai.google.dev/api/generate-content, `modelVersion`. */
function readVersion(builder: ReplyBuilder, chunk: unknown): void {
  if (typeof chunk !== "object" || chunk === null || !("modelVersion" in chunk)) return;
  if (typeof chunk.modelVersion === "string") builder.servedModel = chunk.modelVersion;
}

/** The arguments a model wrote, as JSON; text that is no JSON stays text and fails the tool's own schema. */
function inputOf(text: string): unknown {
  if (text.trim() === "") return {};
  try {
    return JSON.parse(text);
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
    ...present({ impossible }),
  };
}

function warningText(warning: {
  type: string;
  feature?: string;
  setting?: string;
  details?: string;
  message?: string;
}) {
  const what = warning.feature ?? warning.setting ?? warning.type;
  return [what, warning.details ?? warning.message].filter(Boolean).join(": ");
}

const FINISH: Record<string, Finish | undefined> = {
  stop: "stop",
  "tool-calls": "tool-calls",
  length: "length",
  "content-filter": "refused",
};

/** The reply of a stream that has ended. For `who`, `now` and `redact` see `failureOf`. */
export function buildReply(builder: ReplyBuilder, who: string, now: number, redact: (text: string) => string): Reply {
  if (builder.error !== undefined) return failedReply(builder, failureOf(builder.error, who, now, redact));
  const parts = builder.parts.filter(
    (part) => part.type === "tool-call" || part.text !== "" || part.private !== undefined,
  );
  const calls = parts.some((part) => part.type === "tool-call");
  const finish = finishOf(builder, calls);
  if (finish === undefined) return malformed(builder, who, "the stream ended before the answer was finished");
  if (finish === "refused") return failedReply(builder, refusal(builder, who));
  if (!parts.some((part) => part.type === "tool-call" || (part.type === "text" && part.text.trim() !== ""))) {
    if (finish === "length")
      return malformed(builder, who, "all its output tokens went into reasoning, no answer was left");
    return malformed(builder, who, "the answer is empty");
  }
  return {
    ok: true,
    parts,
    finish,
    ...present({ usage: hasUsage(builder.usage) ? builder.usage : undefined, servedModel: builder.servedModel }),
    ignored: builder.ignored,
  };
}

/** A reason that the package does not know is an end all the same (`eos`, `end_turn`); no reason is none. */
function finishOf({ finish }: ReplyBuilder, calls: boolean): Finish | undefined {
  if (finish === undefined) return undefined;
  const known = FINISH[finish.unified];
  if (known !== undefined || finish.unified !== "other") return known;
  if (calls) return "tool-calls";
  return finish.raw === undefined ? undefined : "stop";
}

/** The reply of a stream that failed: what had arrived is kept. */
export function failedReply(builder: ReplyBuilder, failure: Failure): Reply {
  return {
    ok: false,
    failure,
    partialText: builder.parts.map((part) => (part.type === "text" ? part.text : "")).join(""),
    ...(hasUsage(builder.usage) ? { usage: builder.usage, ...(!hasEnded(builder) && { usageSoFar: true }) } : {}),
    charged: builder.parts.length > 0 || hasUsage(builder.usage) || MAY_BE_CHARGED.includes(failure.kind),
  };
}

/** The request had left and no usable answer came of it: the provider may have worked on it all the same. */
const MAY_BE_CHARGED: readonly FailureKind[] = ["aborted", "stalled", "malformed-response"];

function malformed(builder: ReplyBuilder, who: string, what: string): Reply {
  return failedReply(builder, {
    kind: "malformed-response",
    message: `${who} sent an answer that cannot be used: ${what}.`,
  });
}

function refusal(builder: ReplyBuilder, who: string): Failure {
  const raw = builder.finish?.raw;
  return { kind: "refused", message: `${who} refused to answer${raw === undefined ? "" : ` (${raw})`}.` };
}

/** Whether the provider said how its answer ended; what it counted until then is all. */
function hasEnded({ finish }: ReplyBuilder): boolean {
  return finish !== undefined && (finish.raw !== undefined || FINISH[finish.unified] !== undefined);
}

/** Whether anything was counted. What cannot be true is said too: `usage.ts` judges it. */
function hasUsage(usage: ReportedUsage | undefined): usage is ReportedUsage {
  return usage !== undefined && (usage.impossible !== undefined || usage.input !== 0 || usage.output !== 0);
}
