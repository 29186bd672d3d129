/** Turns an ended stream into a reply: its parts, or a failure with what had arrived. */
import { answerTextOf } from "../../../answer-text.ts";
import type { Failure, FailureKind, Warning } from "../../../errors.ts";
import type { Finish, Part, RejectedParameter } from "../../../event.ts";
import type { ApiMode } from "../../../route.ts";
import { present } from "../../../values/present.ts";
import { type FinishMeaning, finishMeaning } from "../dialect/finish-reasons.ts";
import { failureOf, type RejectedCall } from "../failure/failure.ts";
import { callsInText } from "./calls-in-text.ts";
import type { ReplyBuilder } from "./reply-builder.ts";
import type { ReportedUsage } from "./usage.ts";

/** `leftOut`: optional parameters that the route was found to reject, in this request or before. */
export type Reply = { leftOut?: readonly RejectedParameter[] } & (
  | {
      ok: true;
      parts: Part[];
      finish: Finish;
      usage?: ReportedUsage;
      servedModel?: string;
      warnings: Warning[];
      /** Calls that the model wrote into its text: how many were read, or that they cannot be read. */
      textCalls?: number | "unreadable";
    }
  | {
      ok: false;
      failure: Failure;
      partialText: string;
      usage?: ReportedUsage;
      /** The usage is a count as of when the response broke off. */
      usageSoFar?: true;
      charged: boolean;
      /** Its intent was recorded, and nothing was sent. */
      isUnsent?: true;
      /** The model ended its answer without a word. */
      isEmpty?: true;
    }
);

type FailedReply = Reply & { ok: false };

/** The responding route, and what its description needs: for `now` and `redact` see `failureOf`. */
export type Answerer = {
  who: string;
  asked?: RejectedCall;
  apiMode: ApiMode;
  now: number;
  redact(text: string): string;
  /** The request offered its tools. */
  mayCall: boolean;
  /** Tokens that only the sum of the usage holds are its reasoning. */
  sumHoldsReasoning: boolean;
  /** Parameters that the request went without, because the model rejects them. */
  rejected: readonly RejectedParameter[];
};

/** The reply of a completed stream. */
export function buildReply(builder: ReplyBuilder, answerer: Answerer): Reply {
  const { who, asked, apiMode, now, redact, rejected } = answerer;
  if (builder.error !== undefined) return failedReply(builder, failureOf(builder.error, who, now, redact, asked));
  const said = withMessages(builder.parts).filter(
    (part) => part.type === "tool-call" || part.text !== "" || part.private !== undefined,
  );
  const end = endOf(builder, apiMode);
  if (end === undefined) return malformed(builder, who, "the stream ended before the answer was finished");
  if (end === "refused") return failedReply(builder, refusal(builder, who));
  const { parts, textCalls } = withTextCalls(said, end, answerer.mayCall ? builder.toolNames : []);
  const isCall = parts.some((part) => part.type === "tool-call");
  // Some servers say `stop` after calls too: huggingface/text-generation-inference#2794.
  const finish = end === "unknown" || end === "stop" ? (isCall ? "tool-calls" : "stop") : end;
  if (!isFinish(finish)) return failedReply(builder, brokenOff(builder, finish, who));
  if (finish === "tool-calls" && !isCall) return malformed(builder, who, "it announces a tool call and contains none");
  const isEmpty = !isCall && !parts.some((part) => part.type === "text" && part.text.trim() !== "");
  // At the limit on output tokens, all of them went into reasoning.
  if (isEmpty && finish !== "length") return { ...malformed(builder, who, "the answer is empty"), isEmpty };
  const warnings = builder.ignored.map((setting) => ignoredSetting(setting, who));
  warnings.push(...rejected.map((parameter) => parameterRejected(parameter, who)));
  if (end === "unknown") warnings.push(unknownFinish(builder, who));
  const { servedModel } = builder;
  const usage = withNamedTokens(builder.usage, answerer);
  if (usage?.unnamed !== undefined) warnings.push(usageContradicts(usage.unnamed, who));
  return {
    ok: true,
    parts,
    finish,
    ...(hasUsage(usage) && { usage }),
    ...present({ servedModel, textCalls }),
    warnings,
  };
}

/** Reads calls that a model wrote into its last text instead of calling. @param offered the tools that it may call */
function withTextCalls(
  parts: Part[],
  end: FinishMeaning | "unknown",
  offered: readonly string[],
): { parts: Part[]; textCalls?: number | "unreadable" } {
  const last = parts.findLastIndex(({ type }) => type === "text");
  const part = parts[last];
  const mayBe = offered.length > 0 && end !== "length" && parts.every(({ type }) => type !== "tool-call");
  if (!mayBe || part?.type !== "text") return { parts };
  const found = callsInText(part.text, offered);
  if (found === "none") return { parts };
  if (found === "unreadable") return { parts, textCalls: found };
  const calls = found.calls.map(({ name, input }, index): Part => {
    return { type: "tool-call", callId: `text_call_${index + 1}`, name, input };
  });
  const said: Part[] = found.text === "" ? [] : [{ ...part, text: found.text }];
  return { parts: [...parts.slice(0, last), ...said, ...parts.slice(last + 1), ...calls], textCalls: calls.length };
}

function withNamedTokens(usage: ReportedUsage | undefined, { sumHoldsReasoning }: Answerer): ReportedUsage | undefined {
  if (usage?.unnamed === undefined || !sumHoldsReasoning) return usage;
  const { unnamed, ...named } = usage;
  return { ...named, reasoning: unnamed };
}

function usageContradicts(unnamed: number, who: string): Warning {
  const message = `${who} reported a sum of tokens that is ${unnamed} above its parts. They are counted as output.`;
  return { code: "usage-contradicts", message };
}

/** Says of each message which it is, where an answer has several: https://platform.openai.com/docs/guides/text, phases. */
function withMessages(parts: Part[]): Part[] {
  const isMessage = (part: Part) =>
    part.type === "text" && part.text !== "" && part.private?.openai?.itemId !== undefined;
  if (parts.filter(isMessage).length < 2) return parts;
  return parts.map((part) => {
    if (part.type !== "text" || !isMessage(part)) return part;
    return { ...part, message: part.private?.openai?.phase === "commentary" ? "commentary" : "answer" };
  });
}

/** What a provider package calls an end where the provider gave no word for it. */
const UNIFIED: Record<string, Finish | undefined> = {
  stop: "stop",
  "tool-calls": "tool-calls",
  length: "length",
  "content-filter": "refused",
};

/** The end of the answer. `unknown`: a word that no known provider uses. Undefined: nothing says that it ended. */
function endOf({ finish }: ReplyBuilder, apiMode: ApiMode): FinishMeaning | "unknown" | undefined {
  if (finish === undefined) return undefined;
  const { unified, raw } = finish;
  // The package saw a call, or a refusal that the word does not express.
  if (unified === "tool-calls" || unified === "content-filter") return UNIFIED[unified];
  if (raw === undefined || raw === "") return UNIFIED[unified];
  return finishMeaning(apiMode, raw) ?? UNIFIED[unified] ?? "unknown";
}

function isFinish(meaning: FinishMeaning): meaning is Finish {
  return meaning === "stop" || meaning === "tool-calls" || meaning === "length" || meaning === "refused";
}

function brokenOff({ finish }: ReplyBuilder, kind: Exclude<FinishMeaning, Finish>, who: string): Failure {
  return { kind, message: `${who} cut its answer off (${finish?.raw}).` };
}

function ignoredSetting(setting: string, who: string): Warning {
  return { code: "setting-ignored", message: `${who} does not support a setting: ${setting}` };
}

function parameterRejected({ parameter, instead }: RejectedParameter, who: string): Warning {
  const remedy = instead === undefined ? "The request was sent without it." : `It was sent as ${instead}.`;
  return { code: "parameter-rejected", message: `${who} does not take the parameter ${parameter}. ${remedy}` };
}

function unknownFinish({ finish }: ReplyBuilder, who: string): Warning {
  const message = `${who} ended an answer with the reason ${finish?.raw}, which Deputy does not know. The answer was complete and is used.`;
  return { code: "finish-unknown", message };
}

/** The reply of a failed stream, with everything that had arrived. */
export function failedReply(builder: ReplyBuilder, failure: Failure): FailedReply {
  return {
    ok: false,
    failure,
    partialText: answerTextOf(withMessages(builder.parts)),
    ...(hasUsage(builder.usage) ? { usage: builder.usage, ...(!hasEnded(builder) && { usageSoFar: true }) } : {}),
    charged: builder.parts.length > 0 || hasUsage(builder.usage) || MAY_BE_CHARGED.includes(failure.kind),
  };
}

/** The request was sent and got no usable answer: the provider may have worked on it anyway. */
const MAY_BE_CHARGED: readonly FailureKind[] = ["aborted", "stalled", "malformed-response"];

function malformed(builder: ReplyBuilder, who: string, what: string): FailedReply {
  return failedReply(builder, {
    kind: "malformed-response",
    message: `${who} sent an answer that cannot be used: ${what}.`,
  });
}

function refusal(builder: ReplyBuilder, who: string): Failure {
  const raw = builder.finish?.raw;
  return { kind: "refused", message: `${who} refused to answer${raw === undefined ? "" : ` (${raw})`}.` };
}

/** Returns whether the provider said how its answer ended; its count is then complete. */
function hasEnded({ finish }: ReplyBuilder): boolean {
  return finish !== undefined && saysEnd(finish);
}

/** Returns whether a finish is the provider's word, and not what a package says of a stream without one. */
export function saysEnd({ unified, raw }: NonNullable<ReplyBuilder["finish"]>): boolean {
  return raw !== undefined || UNIFIED[unified] !== undefined;
}

/** Returns whether anything was counted. An impossible count is included: `usage.ts` judges it. */
function hasUsage(usage: ReportedUsage | undefined): usage is ReportedUsage {
  return usage !== undefined && (usage.impossible !== undefined || usage.input !== 0 || usage.output !== 0);
}
