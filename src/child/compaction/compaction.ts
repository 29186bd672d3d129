/**
 * Makes room in a conversation before its next request, level by level: stubs for tool results, a model's summary of
 * the older steps, then their removal. Each level is two events.
 */
import type { ChildEvent } from "../../event.ts";
import { present } from "../../values/present.ts";
import { type Child, emit, showLive } from "../child.ts";
import { exchange, type Failed, type Replied, type RequestToSend } from "../exchange.ts";
import { type HeldMessage, lengthOf } from "../message.ts";
import { expectedTokens } from "../worst-case.ts";
import type { DueCompaction } from "./due.ts";
import { droppedBefore, handover } from "./handover.ts";
import { replacedHash } from "./state.ts";
import type { Removal, Stubbing } from "./steps.ts";
import { stubFor } from "./stub.ts";
import { summaryIn, summaryRequest } from "./summary.ts";

/** Performs the level that is due. The caller then asks for the next one. */
export async function* compact(child: Child, due: DueCompaction): AsyncGenerator<ChildEvent, void> {
  const { step } = due;
  if (step.level === 1) return yield* summarize(child, due, step);
  yield emit(child, { kind: "compact-start", level: step.level });
  yield emit(child, step.level === 0 ? stubbing(child, due, step) : removal(child, due, step));
}

/** Level 0: the oldest results become stubs. */
function stubbing({ conversation: { messages } }: Child, due: DueCompaction, { stubs }: Stubbing) {
  const results = stubs.map((index) => messages[index]).filter((message) => message?.role === "tool");
  const freed = results.reduce((sum, result) => sum + lengthOf(result) - stubFor(result).length, 0);
  return { kind: "compact-end", level: 0, ...replacing(due, results, freed), stubs } as const;
}

/** Level 2: the steps are removed, and what Deputy knows of them takes their place. */
function removal({ conversation, input }: Child, due: DueCompaction, { until }: Removal) {
  const { dropped, text } = handover(conversation, input.planned.limits, until, due);
  const freed = charactersIn(dropped) - text.length;
  return { kind: "compact-end", level: 2, ...replacing(due, dropped, freed), until, text } as const;
}

/** Level 1: a model summarizes the steps. Without a summary, or the money for one, level 2 follows. */
async function* summarize(child: Child, due: DueCompaction, step: Removal): AsyncGenerator<ChildEvent, void> {
  const { conversation, deps, input, signal } = child;
  const route = input.planned.compaction?.route ?? due.route;
  const { sent, maxOutputTokens } = summaryRequest(conversation, step.until, route, due.window);
  const permit = await deps.admit(route.provider, () => expectedTokens(sent), signal);
  if (permit === undefined) return;
  const { provider, model } = route;
  const intent: RequestToSend["intent"] = (record) =>
    emit(child, { kind: "compact-start", level: 1, provider, model, until: step.until, ...record });
  const exchanged = yield* exchange(child, { route, sent, mustAnswer: false, maxOutputTokens, intent }, permit);
  if (signal.aborted && exchanged === undefined) return;
  if (exchanged === undefined) yield* compact(child, { ...due, step: { ...step, level: 2 } });
  else if ("keys" in exchanged) yield* notSummarized(child, exchanged);
  else yield emit(child, summarized(child, due, step, exchanged));
}

function summarized({ conversation, input }: Child, due: DueCompaction, { until }: Removal, { reply, facts }: Replied) {
  const summary = summaryIn(reply, charactersIn(droppedBefore(conversation, until)));
  if (typeof summary !== "string") {
    const outcome = { failure: summary, recovery: { action: "give-up" }, charged: true } as const;
    return { kind: "compact-end", level: 1, ...facts, ...outcome } as const;
  }
  const { dropped, text } = handover(conversation, input.planned.limits, until, due, summary);
  const freed = charactersIn(dropped) - text.length;
  const served = present({ servedModel: reply.servedModel });
  return {
    kind: "compact-end",
    level: 1,
    ...facts,
    ...served,
    ...replacing(due, dropped, freed),
    until,
    text,
    summary,
  } as const;
}

/** Records the failure, and waits if it is to be asked again. */
async function* notSummarized(child: Child, { reply, facts, keys }: Failed): AsyncGenerator<ChildEvent, void> {
  const { conversation, deps, signal } = child;
  const { failure, charged, usageSoFar } = reply;
  const failingForMs = conversation.failingMs + facts.durationMs;
  const isLasting = present({ isLasting: failure.isLasting });
  const recovery = signal.aborted
    ? ({ action: "give-up" } as const)
    : deps.recover({ keys, earlier: conversation.failures, failingForMs, fallbacksLeft: 0, ...isLasting });
  yield emit(child, {
    kind: "compact-end",
    level: 1,
    ...facts,
    failure,
    recovery,
    charged,
    ...present({ usageSoFar }),
  });
  if (recovery.action !== "retry") return;
  showLive(child, { kind: "retry-wait", failure, delayMs: recovery.delayMs });
  await deps.pause(recovery.delayMs, signal);
}

/** The facts that every level records. @param freed characters */
function replacing({ tokens, charactersPerToken }: DueCompaction, messages: readonly HeldMessage[], freed: number) {
  const after = Math.max(0, Math.round(tokens - freed / charactersPerToken));
  return { tokens: { before: tokens, after }, sha256: replacedHash(messages) };
}

function charactersIn(messages: readonly HeldMessage[]): number {
  return messages.reduce((sum, message) => sum + lengthOf(message), 0);
}
