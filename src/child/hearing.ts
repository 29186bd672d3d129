/** What a stream says, part by part, gathered into one reply: parts as they will be sent back, or a failure. */
import type { LanguageModelV4StreamPart, LanguageModelV4Usage, SharedV4ProviderOptions } from "@ai-sdk/provider";
import type { Failure, FailureKind } from "../errors.ts";
import type { Finish, Part, ProviderPrivate, Usage } from "../event.ts";
import { failureOf } from "./failure.ts";

export type Delta = { type: "text" | "reasoning"; text: string };

export type Reply =
  | { ok: true; parts: Part[]; finish: Finish; usage?: Usage; servedModel?: string; ignored: string[] }
  | {
      ok: false;
      failure: Failure;
      partialText: string;
      usage?: Usage;
      /** The usage is what was counted when the answer broke off. */
      usageSoFar?: true;
      charged: boolean;
    };

export type Hearing = {
  parts: Part[];
  /** Parts still being spoken, by the stream's id. */
  open: Map<string, Part & { type: "text" | "reasoning" }>;
  /** Heard and not shown yet; neighbours of one kind are one. */
  fresh: Delta[];
  finish?: { unified: string; raw: string | undefined };
  usage?: Usage;
  servedModel?: string;
  error?: unknown;
  ignored: string[];
};

export function createHearing(): Hearing {
  return { parts: [], open: new Map(), fresh: [], ignored: [] };
}

export function hearPart(heard: Hearing, part: LanguageModelV4StreamPart): void {
  switch (part.type) {
    case "stream-start":
      for (const warning of part.warnings) heard.ignored.push(warningText(warning));
      return;
    case "response-metadata":
      if (part.modelId !== undefined) heard.servedModel = part.modelId;
      return;
    case "text-start":
    case "reasoning-start":
      openPart(heard, part.id, part.type === "text-start" ? "text" : "reasoning", part.providerMetadata);
      return;
    case "text-delta":
    case "reasoning-delta":
      addDelta(heard, part.id, part.type === "text-delta" ? "text" : "reasoning", part.delta, part.providerMetadata);
      return;
    case "text-end":
    case "reasoning-end": {
      const open = heard.open.get(part.id);
      if (open !== undefined) keepPrivate(open, part.providerMetadata);
      heard.open.delete(part.id);
      return;
    }
    case "tool-call": {
      const call: Part = {
        type: "tool-call",
        callId: ownId(heard, part.toolCallId),
        name: part.toolName,
        input: inputOf(part.input),
      };
      keepPrivate(call, part.providerMetadata);
      heard.parts.push(call);
      return;
    }
    case "finish":
      heard.finish = part.finishReason;
      heard.usage = usageOf(part.usage);
      return;
    case "error":
      heard.error ??= part.error;
      return;
    case "raw":
      hearVersion(heard, part.rawValue);
      return;
    default:
      // Sources and files say nothing to a child.
      return;
  }
}

/** Some models give two calls of one answer the same id: each has to find its own result. */
function ownId({ parts }: Hearing, id: string): string {
  const taken = parts.filter((part) => part.type === "tool-call").map(({ callId }) => callId);
  if (!taken.includes(id)) return id;
  let copy = 2;
  while (taken.includes(`${id}-${copy}`)) copy += 1;
  return `${id}-${copy}`;
}

function openPart(heard: Hearing, id: string, type: "text" | "reasoning", metadata: ProviderMetadata) {
  const part: Part & { type: "text" | "reasoning" } = { type, text: "" };
  keepPrivate(part, metadata);
  heard.open.set(id, part);
  heard.parts.push(part);
  return part;
}

function addDelta(heard: Hearing, id: string, type: "text" | "reasoning", delta: string, metadata: ProviderMetadata) {
  const part = heard.open.get(id) ?? openPart(heard, id, type, undefined);
  keepPrivate(part, metadata);
  part.text += delta;
  const last = heard.fresh.at(-1);
  if (last?.type === type) last.text += delta;
  else heard.fresh.push({ type, text: delta });
}

type ProviderMetadata = SharedV4ProviderOptions | undefined;

function keepPrivate(part: Part, metadata: ProviderMetadata): void {
  if (metadata === undefined) return;
  part.private = { ...part.private, ...(metadata as ProviderPrivate) };
}

/** What may be shown: all of it once the answer is `over`, until then without a last word that may go on. */
export function takeFresh(heard: Hearing, over: boolean): Delta[] {
  const last = heard.fresh.at(-1);
  const taken = heard.fresh;
  heard.fresh = [];
  if (over || last === undefined) return taken;
  const word = unfinishedWord(last.text);
  if (word !== "") heard.fresh.push({ type: last.type, text: word });
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
function hearVersion(heard: Hearing, chunk: unknown): void {
  if (typeof chunk !== "object" || chunk === null || !("modelVersion" in chunk)) return;
  if (typeof chunk.modelVersion === "string") heard.servedModel = chunk.modelVersion;
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

function usageOf({ inputTokens, outputTokens }: LanguageModelV4Usage): Usage {
  return {
    input: inputTokens.total ?? 0,
    output: outputTokens.total ?? 0,
    cached: inputTokens.cacheRead ?? 0,
    reasoning: outputTokens.reasoning ?? 0,
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
export function replyOf(heard: Hearing, who: string, now: number, redact: (text: string) => string): Reply {
  if (heard.error !== undefined) return broken(heard, failureOf(heard.error, who, now, redact));
  const parts = heard.parts.filter(
    (part) => part.type === "tool-call" || part.text !== "" || part.private !== undefined,
  );
  const calls = parts.some((part) => part.type === "tool-call");
  const finish = finishOf(heard, calls);
  if (finish === undefined) return malformed(heard, who, "the stream ended before the answer was finished");
  if (finish === "refused") return broken(heard, refusal(heard, who));
  if (!parts.some((part) => part.type === "tool-call" || (part.type === "text" && part.text.trim() !== ""))) {
    if (finish === "length")
      return malformed(heard, who, "all its output tokens went into reasoning, no answer was left");
    return malformed(heard, who, "the answer is empty");
  }
  return {
    ok: true,
    parts,
    finish,
    ...(hasUsage(heard.usage) ? { usage: heard.usage } : {}),
    ...(heard.servedModel === undefined ? {} : { servedModel: heard.servedModel }),
    ignored: heard.ignored,
  };
}

/** A reason that the package does not know is an end all the same (`eos`, `end_turn`); no reason is none. */
function finishOf({ finish }: Hearing, calls: boolean): Finish | undefined {
  if (finish === undefined) return undefined;
  const known = FINISH[finish.unified];
  if (known !== undefined || finish.unified !== "other") return known;
  if (calls) return "tool-calls";
  return finish.raw === undefined ? undefined : "stop";
}

/** The reply of a stream that failed: what had arrived is kept. */
export function broken(heard: Hearing, failure: Failure): Reply {
  return {
    ok: false,
    failure,
    partialText: heard.parts.map((part) => (part.type === "text" ? part.text : "")).join(""),
    ...(hasUsage(heard.usage) ? { usage: heard.usage, ...(!hasEnded(heard) && { usageSoFar: true }) } : {}),
    charged: heard.parts.length > 0 || hasUsage(heard.usage) || MAY_BE_CHARGED.includes(failure.kind),
  };
}

/** The request had left and no usable answer came of it: the provider may have worked on it all the same. */
const MAY_BE_CHARGED: readonly FailureKind[] = ["aborted", "stalled", "malformed-response"];

function malformed(heard: Hearing, who: string, what: string): Reply {
  return broken(heard, { kind: "malformed-response", message: `${who} sent an answer that cannot be used: ${what}.` });
}

function refusal(heard: Hearing, who: string): Failure {
  const raw = heard.finish?.raw;
  return { kind: "refused", message: `${who} refused to answer${raw === undefined ? "" : ` (${raw})`}.` };
}

/** Whether the provider said how its answer ended; what it counted until then is all. */
function hasEnded({ finish }: Hearing): boolean {
  return finish !== undefined && (finish.raw !== undefined || FINISH[finish.unified] !== undefined);
}

/** Whether anything was counted. What cannot be true is said too: `usage.ts` judges it. */
function hasUsage(usage: Usage | undefined): usage is Usage {
  return usage !== undefined && !(usage.input === 0 && usage.output === 0);
}
