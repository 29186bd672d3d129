/**
 * Deputy's own messages to a child before its next request: it reached a limit or nears one, repeats itself, or gave an
 * empty answer. They are derived from the conversation, one at a time, so a child that continues after a crash gets the
 * same ones.
 */
import type { AdviceReason, FinalAnswerReason, LimitName } from "../event.ts";
import { formatUsd } from "../text/money.ts";
import type { Child, LimitLeft } from "./child.ts";
import {
  EMPTY_ANSWER_PROMPT,
  FINAL_ANSWER_PROMPT,
  limitsPrompt,
  REPEATED_CALL_PROMPT,
  REPEATED_CALLS_PROMPT,
  TEXT_CALL_PROMPT,
} from "./prompt.ts";
import { cycleIn, REPEATS } from "./repeats.ts";

type AdviceMessage =
  | { kind: "message-add"; text: string; reason: AdviceReason | FinalAnswerReason }
  | { kind: "message-add"; text: string; reason: "limits"; limits: readonly LimitName[] };

/** A limit is near when this share of it is left. */
const LOW = 0.1;
/** With fewer requests in all, the reminder would come with the first one. */
const MIN_REQUESTS = 10;
/** Maximum number of explanations in a turn of how to call tools. */
const MOST_TEXT_CALL_ADVICE = 2;

export function adviceDue(child: Child): AdviceMessage | undefined {
  const { conversation, input } = child;
  const { repeats, emptyAnswer, finalAnswerReason } = conversation;
  if (finalAnswerReason !== undefined) return undefined;
  if (requestsLeft(child) <= 0) return finalAnswer("max_iterations");
  const { answers, count } = cycleIn(repeats);
  if (count >= REPEATS.atMost) return finalAnswer("looping");
  if (emptyAnswer === "due") return { kind: "message-add", reason: "empty_answer", text: EMPTY_ANSWER_PROMPT };
  if (count >= REPEATS.toldAt && !repeats.told) {
    const text = answers === 1 ? REPEATED_CALL_PROMPT : REPEATED_CALLS_PROMPT;
    return { kind: "message-add", reason: "repeated_call", text };
  }
  const requests: LimitLeft = {
    name: "requests",
    left: requestsLeft(child),
    limit: input.planned.limits.maxIterations,
  };
  const low = [requests, ...child.deps.limitsLeft()].filter(
    (limit) => isLow(limit) && !conversation.toldLimits.has(limit.name),
  );
  if (low.length === 0 || conversation.messages.length === 0) return undefined;
  const text = limitsPrompt(low.map(inWords));
  return { kind: "message-add", reason: "limits", text, limits: low.map(({ name }) => name) };
}

/** Explains how to call tools, after an answer with calls that cannot be read. */
export function textCallAdvice({ conversation }: Child): AdviceMessage | undefined {
  const { textCalls } = conversation;
  if (!textCalls.isUnreadable || textCalls.told >= MOST_TEXT_CALL_ADVICE) return undefined;
  return { kind: "message-add", reason: "text_call", text: TEXT_CALL_PROMPT };
}

export function finalAnswer(reason: FinalAnswerReason): AdviceMessage {
  return { kind: "message-add", reason, text: FINAL_ANSWER_PROMPT };
}

function requestsLeft({ conversation, input }: Child): number {
  return input.planned.limits.maxIterations - (conversation.step - conversation.before.steps);
}

function isLow({ name, left, limit }: LimitLeft): boolean {
  return left <= limit * LOW && (name !== "requests" || limit >= MIN_REQUESTS);
}

const WORDS: Record<LimitName, (left: number, limit: number) => string> = {
  requests: (left, limit) => `${left} of ${limit} requests`,
  cost: (left, limit) => `${formatUsd(left)} of ${formatUsd(limit)}`,
  time: (left, limit) => `${Math.round(left / 1000)} of ${Math.round(limit / 1000)} seconds`,
};

function inWords({ name, left, limit }: LimitLeft): string {
  return WORDS[name](Math.max(0, left), limit);
}
