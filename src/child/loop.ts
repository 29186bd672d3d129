/**
 * The only tool loop: ask the model, run the tools it called, ask again, until it answers. It is a generator of stored
 * events whose return value is how the child ended. Each event is as durable as its kind demands when the loop
 * continues; the next step is derived from the conversation that those events fold into, so a child that is resumed
 * after a crash runs the same code.
 */
import { type Failure, ROUTE_GONE } from "../errors.ts";
import type { ChildEvent, Ending, FinalAnswerReason, Recovery } from "../event.ts";
import { routeAt } from "../result.ts";
import type { Route } from "../route.ts";
import { withKeysHidden } from "../secret.ts";
import { shortLine } from "../text/short-line.ts";
import { present } from "../values/present.ts";
import { adviceDue, finalAnswer, textCallAdvice } from "./advice.ts";
import {
  type Child,
  type ChildDeps,
  type ChildInput,
  emit,
  loadChild,
  offeredTools,
  showLive,
  stopReason,
} from "./child.ts";
import { compactibleTokens, compactionDue, MAX_WITHOUT_PROGRESS } from "./compaction/due.ts";
import { answerText, type Conversation, lastText, messageText } from "./conversation.ts";
import { type Exchanged, exchange, type Failed, type Replied, type RequestToSend } from "./exchange.ts";
import { repairPrompt } from "./prompt.ts";
import { REPEATS } from "./repeats.ts";
import { checkAnswer } from "./schema/structured-answer.ts";
import { runCalls } from "./tool-calls.ts";
import { warnOnce } from "./warnings.ts";
import { isSameModel } from "./wire/reply/served-model.ts";
import { expectedTokens, overflow, type Sent } from "./worst-case.ts";

/** Characters of a command in a warning. */
const SHOWN_COMMAND = 60;

/** @param signal its reason, once aborted, is a `StopReason` */
export async function* runChild(
  input: ChildInput,
  deps: ChildDeps,
  signal: AbortSignal,
): AsyncGenerator<ChildEvent, Ending> {
  const child = loadChild(input, deps, signal);
  const begunAt = deps.clock.elapsed();
  if (!child.conversation.hasStarted) {
    const { taskIndex, prompt, mcpTools } = input;
    yield emit(child, { kind: "child-start", taskIndex, prompt, ...present({ mcpTools }) });
    for (const warning of input.warnings.map(withKeysHidden)) yield emit(child, { kind: "child-warn", warning });
  }
  const ending = yield* converse(child);
  yield* endCommands(child, ending);
  const durationMs = input.earlierMs + deps.clock.elapsed() - begunAt;
  yield emit(child, { kind: "child-end", ending, durationMs });
  return ending;
}

/** Ends what still runs in the background. A child that has answered may have counted on it. */
async function* endCommands(child: Child, { status }: Ending): AsyncGenerator<ChildEvent, undefined> {
  const { commands } = child.deps;
  const running = commands.running();
  if (running.length === 0) return;
  await commands.close();
  if (status !== "completed" && status !== "incomplete") return;
  const names = running.map(({ command }) => shortLine(command, SHOWN_COMMAND)).join(", ");
  const message = `Commands were still running in the background when the child ended, and were stopped: ${names}.`;
  yield* warnOnce(child, [{ code: "background-stopped", message }]);
}

/** The loop: each step follows from the conversation so far. */
async function* converse(child: Child): AsyncGenerator<ChildEvent, Ending> {
  const { conversation, signal } = child;
  for (;;) {
    if (signal.aborted) return stopped(child);
    const mismatch = child.deps.onServedMismatch === "fail" ? servedMismatch(child) : undefined;
    if (mismatch !== undefined) return failed(child, { kind: "served-mismatch", message: mismatch });
    let ending: Ending | undefined;
    if (conversation.position < 0) yield* startAttempt(child, 0);
    else if (conversation.pending.length > 0) yield* runCalls(child);
    else if (conversation.finish === undefined) ending = yield* askModel(child);
    else ending = yield* judgeAnswer(child);
    if (ending !== undefined) return ending;
  }
}

async function* startAttempt(child: Child, position: number): AsyncGenerator<ChildEvent, undefined> {
  const { provider, model } = routeAt(child.input.planned, position);
  yield emit(child, { kind: "attempt-start", position, provider, model });
}

// Asking -------------------------------------------------------------------------------------------------------------

/** Sends one model request. Returns an ending if the child cannot continue. */
async function* askModel(child: Child): AsyncGenerator<ChildEvent, Ending | undefined> {
  const { conversation, deps } = child;
  if (conversation.pause !== undefined) yield* backOff(child, conversation.pause);
  if (child.signal.aborted) return undefined;
  yield* acceptMessages(child);
  const advice = adviceDue(child);
  if (advice !== undefined) {
    yield emit(child, advice);
    return undefined;
  }
  const isFinalAnswer = conversation.finalAnswerReason !== undefined;
  const route = routeAt(child.input.planned, conversation.position);
  const due = compactionDue(child, route, sentBy(child));
  if (due !== undefined) {
    const { compact } = await import("./compaction/compaction.ts");
    yield* compact(child, due);
    return undefined;
  }
  if (!isFinalAnswer && conversation.compaction.withoutProgress >= MAX_WITHOUT_PROGRESS) {
    yield emit(child, finalAnswer("context_full"));
    return undefined;
  }
  const permit = await deps.admit(route.provider, () => expectedTokens(sentBy(child)), child.signal);
  // The child was stopped while it waited for its turn.
  if (permit === undefined) return undefined;
  yield* acceptMessages(child);
  const exchanged = yield* exchange(child, nextRequest(child, route), permit);
  if (exchanged !== undefined) return yield* react(child, exchanged);
  if (child.signal.aborted) return undefined;
  if (isFinalAnswer) return { ...limited(child, "max_cost"), text: lastText(conversation) };
  yield emit(child, finalAnswer("max_cost"));
  return undefined;
}

function nextRequest(child: Child, route: Route): RequestToSend {
  const { conversation } = child;
  const sent = sentBy(child);
  return {
    route,
    sent,
    mustAnswer: conversation.finalAnswerReason !== undefined,
    onDelta: ({ type, text }) => showLive(child, { kind: `${type}-delta`, text }),
    intent: (record) => emit(child, { kind: "step-start", step: conversation.step + 1, ...record }),
    // A conversation grows on one route, so only a fallback can start with one that is too long for it.
    unsendable: conversation.position > 0 ? overflow(route, sent) : undefined,
  };
}

/** The conversation as it is sent. */
function sentBy(child: Child): Sent {
  const { system, messages, characters } = child.conversation;
  return { system, messages, characters, images: child.input.images, tools: offeredTools(child) };
}

/** Sleeps until the quota is renewed; after a crash, for the remaining time. */
async function* backOff(child: Child, pause: { until: number; failure: Failure }): AsyncGenerator<ChildEvent, void> {
  yield emit(child, { kind: "pause-start", ...pause });
  await child.deps.sleepUntil(pause.until, child.signal);
  if (!child.signal.aborted) yield emit(child, { kind: "pause-end" });
}

/** Moves messages to the child into its conversation. Returns whether there were any. */
async function* acceptMessages(child: Child): AsyncGenerator<ChildEvent, boolean> {
  let isAny = false;
  for (;;) {
    const steer = child.deps.steered();
    if (steer === undefined) return isAny;
    const { id: steerId, hosts } = steer;
    yield emit(child, {
      kind: "message-add",
      reason: "steer",
      text: messageText(steer),
      steerId,
      ...present({ hosts }),
    });
    isAny = true;
  }
}

/** Records how a request ended, and what follows. Returns an ending if the child cannot continue. */
async function* react(child: Child, exchanged: Exchanged): AsyncGenerator<ChildEvent, Ending | undefined> {
  return "keys" in exchanged ? yield* recover(child, exchanged) : yield* accept(child, exchanged);
}

async function* accept(child: Child, { reply, facts }: Replied): AsyncGenerator<ChildEvent, undefined> {
  const { conversation, deps } = child;
  const { parts, finish, servedModel, textCalls, warnings } = reply;
  const step = conversation.step + 1;
  yield emit(child, { kind: "step-end", step, ...facts, parts, finish, ...present({ servedModel, textCalls }) });
  const mismatch = deps.onServedMismatch === "warn" ? servedMismatch(child) : undefined;
  yield* warnOnce(
    child,
    mismatch === undefined ? warnings : [...warnings, { code: "served-mismatch", message: mismatch }],
  );
}

/** Says that the last response names another model than requested. This is only what the provider reports. */
function servedMismatch({ conversation, input }: Child): string | undefined {
  const { served, position } = conversation;
  if (served === undefined) return undefined;
  const { provider, model, endpoint } = routeAt(input.planned, position);
  return isSameModel(model, served, { provider, baseUrl: endpoint.baseUrl })
    ? undefined
    : `Asked ${provider} for ${model}; its response names ${served}.`;
}

async function* recover(child: Child, { reply, facts, keys }: Failed): AsyncGenerator<ChildEvent, Ending | undefined> {
  const { conversation, deps, input, signal } = child;
  const { failure, partialText, charged, usageSoFar, isUnsent } = reply;
  const recovery: Recovery = signal.aborted
    ? { action: "give-up" }
    : reply.isEmpty && mayBeNudged(conversation)
      ? { action: "nudge" }
      : deps.recover({
          keys,
          earlier: conversation.failures,
          failingForMs: conversation.failingMs + facts.durationMs,
          fallbacksLeft: input.planned.route.fallbacks.length - conversation.position,
          ...present({ isLasting: failure.isLasting, compactible: compactibleTokens(child, sentBy(child)) }),
        });
  yield emit(child, {
    kind: "step-fail",
    step: conversation.step + 1,
    ...facts,
    failure,
    recovery,
    partialText,
    charged,
    ...present({ usageSoFar, isUnsent }),
  });
  switch (recovery.action) {
    case "next-key":
      return undefined;
    case "retry":
      showLive(child, { kind: "retry-wait", failure, delayMs: recovery.delayMs });
      await deps.pause(recovery.delayMs, signal);
      return undefined;
    case "pause":
    case "compact":
    case "nudge":
      return undefined;
    case "fallback":
      return yield* startAttempt(child, conversation.position + 1);
    case "give-up":
      if (signal.aborted) return stopped(child);
      if (failure.kind === "context-overflow" && conversation.finalAnswerReason === "context_full")
        return { ...limited(child, "context_full"), text: lastText(conversation) };
      if (failure.kind === "route-gone") return yield* routeGone(child, failure);
      return failed(child, failure);
    default:
      return recovery satisfies never;
  }
}

/** The empty answer followed results of the model's calls, and is the first one in a row. */
function mayBeNudged({ messages, emptyAnswer }: Conversation): boolean {
  return messages.at(-1)?.role === "tool" && emptyAnswer === undefined;
}

// Ending -------------------------------------------------------------------------------------------------------------

/**
 * Decides whether the model's answer is final. Returns nothing if the child is steered, or asked to repair its answer.
 */
async function* judgeAnswer(child: Child): AsyncGenerator<ChildEvent, Ending | undefined> {
  const { conversation, signal } = child;
  const text = answerText(conversation);
  const schema = child.input.planned.task.output_schema;
  const check = schema && (await checkAnswer(text, schema, child.deps.schemas, signal));
  const said = { text, ...present({ answer: check }) };
  if (check?.unchecked && signal.aborted) return { ...stopped(child), ...said };
  if (conversation.finalAnswerReason !== undefined) {
    return { ...limited(child, conversation.finalAnswerReason), ...said };
  }
  if (yield* acceptMessages(child)) return undefined;
  const advice = textCallAdvice(child);
  if (advice !== undefined) {
    yield emit(child, advice);
    return undefined;
  }
  if (conversation.finish === "length") return { status: "incomplete", exitReason: "output_cut", ...said };
  if (check === undefined || check.valid) return { status: "completed", ...said };
  if (conversation.repairAsked || check.unchecked)
    return { status: "incomplete", exitReason: "schema_invalid", ...said };
  yield emit(child, { kind: "message-add", reason: "repair", text: repairPrompt(check.errors) });
  return undefined;
}

/** The ending at a limit, with the limit's value. */
function limited({ input, deps }: Child, exitReason: FinalAnswerReason) {
  const limit = {
    max_iterations: () => input.planned.limits.maxIterations,
    max_cost: deps.budgetUsd,
    context_full: () => undefined,
    looping: () => REPEATS.atMost,
  }[exitReason]();
  return { status: "incomplete", exitReason, ...present({ limit }) } as const;
}

function failed({ conversation }: Child, failure: Failure): Ending {
  return { status: "failed", failure, text: lastText(conversation) };
}

/** Interrupts the child and keeps its work: a resume continues it once the route is back. */
async function* routeGone(child: Child, { message }: Failure): AsyncGenerator<ChildEvent, Ending> {
  yield* warnOnce(child, [{ code: ROUTE_GONE, message }]);
  return { status: "interrupted", exitReason: ROUTE_GONE, text: lastText(child.conversation) };
}

function stopped({ signal, conversation, input }: Child): Ending {
  const reason = stopReason(signal);
  const text = lastText(conversation);
  return reason.status === "timeout"
    ? { status: "timeout", exitReason: "timeout_seconds", limit: input.planned.limits.timeoutMs / 1000, text }
    : { status: "interrupted", exitReason: reason.by, text };
}
