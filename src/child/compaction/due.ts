/**
 * Decides before each request whether the conversation has to be compacted first, and at which level. That follows from
 * the conversation alone, so a compaction that was cut off is done again.
 */
import type { Route } from "../../route.ts";
import type { Child } from "../child.ts";
import type { Sent } from "../worst-case.ts";
import { answerRoom, sizeOf, windowOf } from "./size.ts";
import { nextStep, type Step } from "./steps.ts";

/** Compactions in a row without a new outcome of a tool, after which the child has to answer. */
export const MAX_WITHOUT_PROGRESS = 3;

/** The next level of a compaction. `tokens`: length of the conversation by estimate. */
export type DueCompaction = { step: Step; route: Route; window: number; tokens: number; charactersPerToken: number };

/** @returns the level that the next request needs; undefined if it needs none, or nothing is left to remove */
export function compactionDue({ conversation, input }: Child, route: Route, sent: Sent): DueCompaction | undefined {
  const { compaction, messages } = conversation;
  const plan = input.planned.compaction;
  const window = windowOf(conversation, route);
  if (plan === undefined || window === undefined) return undefined;
  if (compaction.withoutProgress >= MAX_WITHOUT_PROGRESS && compaction.nextLevel === 0) return undefined;
  const tokens = sizeOf(conversation, sent);
  const limit = plan.at * (window - answerRoom(route, window));
  if (tokens <= limit && !compaction.freedLittle && compaction.refusal !== "due") return undefined;
  const charactersPerToken = Math.max(1, sent.characters / Math.max(1, tokens));
  const step = nextStep(messages, compaction.nextLevel, { tokens, limit, window, keep: plan.keep, charactersPerToken });
  return step && { step, route, window, tokens, charactersPerToken };
}

/**
 * Estimated length of a conversation that was refused as too long; undefined if it cannot be compacted, or was since the
 * last answer.
 */
export function compactibleTokens({ conversation, input }: Child, sent: Sent): number | undefined {
  const { compaction, messages } = conversation;
  const isPossible = compaction.refusal === undefined && compaction.withoutProgress < MAX_WITHOUT_PROGRESS;
  const hasSteps = messages.some(({ role }) => role === "assistant");
  return input.planned.compaction && isPossible && hasSteps ? sizeOf(conversation, sent) : undefined;
}
